"""Input of accounts, and the shape of its answers for OpenAPI."""

from collections.abc import Mapping
from typing import Any, Final

from bson import ObjectId
from django.utils.encoding import punycode
from rest_framework import serializers

from accounts.names import name_key
from accounts.roles import Role
from accounts.services.passwords import MAX_LENGTH, MIN_LENGTH
from ecommerce.core.fields import FlagField, IdField, MomentField, PatternField, TextField
from ecommerce.core.serializers import PageQuery, StrictSerializer

_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
"""The fillers of Hangul: letters to Unicode, and nothing is seen of them."""


class UsernameField(PatternField):
    """Letters, digits and . + - _; no @, so that a username is never somebody's address."""

    default_error_messages = {"invalid": "Use letters, digits and . + - _ only."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[\w.+-]+$", min_length=1, max_length=150, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Refuses letters that cannot be seen: with them a name shows as another's."""
        name = super().to_internal_value(data)
        if not _BLANK_LETTERS.isdisjoint(name):
            self.fail("invalid")
        return name


class EmailField(serializers.EmailField):
    """An address of at most 254 characters (RFC 5321), all of which can be seen."""

    default_error_messages = {
        "not_printable": "An address has no control characters: leave out what cannot be seen."
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Refuses numbers, which EmailField would turn into text, and what Django lets stand
        between quotes: escape sequences, which an operator's terminal would obey."""
        if not isinstance(data, str):
            self.fail("invalid")
        address = super().to_internal_value(data)
        if not (address.isprintable() and _BLANK_LETTERS.isdisjoint(address)):
            self.fail("not_printable")
        if not _is_one_place(address.rpartition("@")[2]):
            self.fail("invalid")
        return address


def _is_one_place(domain: str) -> bool:
    """Whether mail can go to the domain, and goes to where it would in its normalised form.

    Some letters are compared as others and stay what they are in the DNS: whoever had such a domain
    could confirm an address there, and have it count for the other one.
    """
    try:
        return punycode(domain).lower() == punycode(name_key(domain)).lower()
    except UnicodeError:  # a part is too long once it is encoded
        return False


class PasswordField(serializers.CharField):
    """A password, exactly as typed: blanks count."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            write_only=True,
            trim_whitespace=False,
            style={"input_type": "password"},
            **kwargs,
        )

    def to_internal_value(self, data: Any) -> str:
        """Refuses numbers, which CharField would turn into text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class RegistrationInput(StrictSerializer):
    """Body of `POST /users/`."""

    username = UsernameField()
    email = EmailField()
    password = PasswordField(
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        help_text="8 to 128 characters, not common, not like the username or the address.",
    )


class UserInput(StrictSerializer):
    """Body of `PUT` and `PATCH /users/{id}`."""

    username = UsernameField()
    email = EmailField()
    password = PasswordField(
        required=False,
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        help_text="A new password; needs `current_password`. Ends every session.",
    )
    current_password = PasswordField(required=False, max_length=MAX_LENGTH)
    is_active = FlagField(required=False, help_text="Staff only. false signs the user out.")


class PasswordChangeInput(StrictSerializer):
    """Body of `POST /users/me/password`."""

    current_password = PasswordField(max_length=MAX_LENGTH)
    new_password = PasswordField(
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        help_text="8 to 128 characters, not common, not like the username or the address.",
    )


class PasswordResetInput(StrictSerializer):
    """Body of `POST /password-reset`."""

    email = EmailField()


class PasswordResetConfirmInput(StrictSerializer):
    """Body of `POST /password-reset/confirm`."""

    token = TextField(max_length=100, help_text="From the mail.")
    new_password = PasswordField(
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        help_text="8 to 128 characters, not common, not like the username or the address.",
    )


class EmailVerificationInput(StrictSerializer):
    """Body of `POST /users/verify-email`."""

    token = TextField(max_length=100, help_text="From the mail.")


class AcceptedShape(serializers.Serializer[Any]):
    """Something will happen after the answer."""

    detail = serializers.CharField()


class UserShape(serializers.Serializer[Any]):
    """A user as it goes out."""

    id = IdField()
    username = serializers.CharField()
    email = serializers.EmailField()
    email_verified = serializers.BooleanField(
        help_text="Whether a mail to this address was answered."
    )
    pending_email = serializers.EmailField(
        allow_null=True, help_text="Replaces `email` once it is confirmed."
    )
    is_active = serializers.BooleanField()
    role = serializers.ChoiceField([role.value for role in Role])
    is_staff = serializers.BooleanField(help_text="Whether the role is staff or admin.")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ExportShape(serializers.Serializer[Any]):
    """What `GET /users/me/export` answers; every app adds the lists of what it holds."""

    exported_at = serializers.DateTimeField()
    account = serializers.DictField(help_text="The account as it is stored, without the hash.")
    sessions = serializers.ListField(child=serializers.DictField())
    mails_under_way = serializers.ListField(
        child=serializers.DictField(), help_text="Links that were mailed and not used yet."
    )
    api_keys = serializers.ListField(
        child=serializers.DictField(), help_text="Those that the user made."
    )
    audit_events = serializers.ListField(
        child=serializers.DictField(), help_text="What was done by the user, or to the account."
    )
    shopping_carts = serializers.ListField(child=serializers.DictField())


class UserPageShape(serializers.Serializer[Any]):
    """A page of users."""

    items = UserShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)


class TokenInput(serializers.Serializer[Any]):
    """Form of `POST /token` (RFC 6749 sections 4.3 and 6). Unknown fields are ignored there."""

    grant_type = serializers.ChoiceField(["password", "refresh_token"], default="password")
    username = serializers.CharField(
        required=False, max_length=254, help_text="Username or email address, in any case."
    )
    password = serializers.CharField(
        required=False, trim_whitespace=False, max_length=1000, style={"input_type": "password"}
    )
    refresh_token = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    scope = serializers.CharField(required=False, allow_blank=True, help_text="Ignored.")
    client_id = serializers.CharField(required=False, allow_blank=True, help_text="Ignored.")
    client_secret = serializers.CharField(required=False, allow_blank=True, help_text="Ignored.")


class RevocationInput(serializers.Serializer[Any]):
    """Form of `POST /token/revoke` (RFC 7009 section 2.1)."""

    token = serializers.CharField(max_length=2000, help_text="A refresh or an access token.")
    token_type_hint = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=50,
        help_text="`refresh_token` or `access_token`; not needed, a token says itself what it is.",
    )


class EndSessionsQuery(StrictSerializer):
    """Query of `DELETE /users/{id}/sessions`."""

    except_current = FlagField(default=False, help_text="Leave the session of the sent token.")


class SessionShape(serializers.Serializer[Any]):
    """A session as it goes out."""

    id = IdField()
    device = serializers.CharField(help_text="What the client called itself when last used.")
    address = serializers.CharField(help_text="Where it was last used from.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(help_text="When it was last renewed.")
    expires_at = serializers.DateTimeField(help_text="Unless it is renewed before.")
    current = serializers.BooleanField(help_text="Whether the sent token belongs to it.")


class SessionPageShape(serializers.Serializer[Any]):
    """A page of sessions."""

    items = SessionShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)


class TokenShape(serializers.Serializer[Any]):
    """The answer of `POST /token`."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(["bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds.")
    refresh_token = serializers.CharField()


class OAuthErrorShape(serializers.Serializer[Any]):
    """An error of the token endpoint (RFC 6749 section 5.2)."""

    error = serializers.CharField()
    error_description = serializers.CharField()


class AuditQuery(PageQuery):
    """Query of `GET /audit-events/`."""

    event = PatternField(
        r"^[a-z][a-z_]{0,59}$", required=False, help_text="The name of an event: `role_changed`."
    )
    actor = IdField(required=False, help_text="The user or the API key who did it.")
    subject = IdField(required=False, help_text="The user whose account or data it concerns.")
    since = MomentField(required=False, help_text="From this moment on.")
    until = MomentField(required=False, help_text="Before this moment.")

    default_error_messages = {"span": "The span ends before it starts."}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A span that holds nothing is a mistake."""
        since, until = attrs.get("since"), attrs.get("until")
        if since is not None and until is not None and since >= until:
            raise serializers.ValidationError({"until": [self._fault("span")]})
        return attrs

    @staticmethod
    def filters(values: Mapping[str, Any]) -> dict[str, Any]:
        """The part of the validated query that says which events, as AuditFilter takes it."""
        ids = {name: ObjectId(values[name]) for name in ("actor", "subject") if name in values}
        others = {n: values[n] for n in ("event", "since", "until") if n in values}
        return {**ids, **others}


class AuditEventShape(serializers.Serializer[Any]):
    """An event as it goes out; who or what is not known is null."""

    id = IdField()
    event = serializers.CharField()
    actor_id = IdField(allow_null=True)
    subject_id = IdField(allow_null=True)
    target = serializers.CharField(allow_null=True)
    address = serializers.CharField(allow_null=True)
    request_id = serializers.CharField()
    details = serializers.DictField()
    created_at = serializers.DateTimeField()


class AuditEventPageShape(serializers.Serializer[Any]):
    """A page of events."""

    items = AuditEventShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)
