"""Email addresses: that they are the user's, and that they change with the user's knowledge."""

from typing import Any, Final

from bson import ObjectId
from django.conf import settings

from accounts import selectors
from accounts.documents import MailTokenRow, Purpose, UserRow, email_is_verified, pending_email
from accounts.errors import EmailAlreadyVerifiedError, InvalidMailTokenError, UserNotFoundError
from accounts.names import name_key
from accounts.principal import Principal
from accounts.services import updates
from accounts.services.audit import AuditService
from accounts.services.mail_tokens import MailTokenService
from accounts.services.mails import MailService
from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.errors import PreconditionFailedError

CHANGED: Final = "email_changed"
VERIFIED: Final = "email_verified"


class EmailService:
    """An address is verified when somebody has answered a mail to it."""

    @staticmethod
    def send_verification(*, caller: Principal) -> None:
        """Mail the caller a new link for the address that waits to be confirmed.

        Raises:
            EmailAlreadyVerifiedError: none waits.
        """
        user = selectors.user("me", caller=caller)
        if not ask_to_confirm(user):
            raise EmailAlreadyVerifiedError

    @staticmethod
    def verify(*, token: str, address: str | None = None) -> None:
        """Note that the mail was read; an address that waited for it becomes the user's.

        That is recorded, once however many try, and then the token is taken: a fault before leaves
        it good for another try, which finds done what is done.

        Raises:
            InvalidMailTokenError: unknown, used or expired; or the account is gone, or its address
                another by now; or every session of who asked for a new address has ended since.
            DuplicateUserError: somebody else has taken the new address meanwhile.
        """
        row = selectors.mail_token(token, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
        changes = row["purpose"] == Purpose.CHANGE_EMAIL
        try:
            _confirm_change(row) if changes else _confirm(row)
        except (PreconditionFailedError, UserNotFoundError):
            if not _is_confirmed(row):
                raise InvalidMailTokenError from None
        checkpoint("verification.confirmed")
        AuditService.record(
            CHANGED if changes else VERIFIED,
            subject_id=row["user_id"],
            address=address,
            entry_id=MailTokenService.event_of_use(row),
        )
        checkpoint("verification.recorded")
        MailTokenService.take(row)
        checkpoint("verification.taken")


def staged(email: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What a change to this address sets on the user, and what it removes.

    Where addresses must be verified the new one waits beside the present one. One that is the
    present one again waits for nothing: see `pending_email`.
    """
    key = name_key(email)
    if settings.REQUIRE_VERIFIED_EMAIL:
        return {"pending_email": email, "pending_email_key": key}, ()
    return {"email": email, "email_key": key}, ("pending_email", "pending_email_key")


def announce(
    before: UserRow, after: UserRow, *, actor_id: ObjectId, address: str | None = None
) -> None:
    """Record a change of the address that was written, and mail both addresses about it.

    Only the write knows whether the address changed: so this is recorded after it.
    """
    replaced = before["email_key"] != after["email_key"]
    asked = pending_email(after) if pending_email(after) != pending_email(before) else None
    if replaced:
        AuditService.record(CHANGED, actor_id=actor_id, subject_id=after["_id"], address=address)
    elif asked is None:
        return
    ask_to_confirm(after)
    MailService.send_notice(
        user=after,
        notice="email_changed" if replaced else "email_change_asked",
        email=before["email"],
        new_email=after["email"] if replaced else str(asked),
    )


def ask_to_confirm(user: UserRow) -> bool:
    """Mail a link to the address that waits to be confirmed; False where none does."""
    if pending := pending_email(user):
        MailService.send_token(user=user, purpose=Purpose.CHANGE_EMAIL, email=pending)
    elif not email_is_verified(user):
        MailService.send_token(user=user, purpose=Purpose.VERIFY_EMAIL, email=user["email"])
    else:
        return False
    return True


def _is_confirmed(row: MailTokenRow) -> bool:
    """Whether the address is the user's and verified: by an earlier try, or another link."""
    user = selectors.user_found_by({"_id": row["user_id"]})
    return user is not None and user["email_key"] == row["email_key"] and email_is_verified(user)


def _confirm(row: MailTokenRow) -> None:
    updates.write(
        {
            "_id": row["user_id"],
            "email_key": row["email_key"],
            "verified_email_key": {"$ne": row["email_key"]},
        },
        {"verified_email_key": row["email_key"]},
    )


def _confirm_change(row: MailTokenRow) -> None:
    updates.write(
        {
            "_id": row["user_id"],
            "pending_email_key": row["email_key"],
            "token_version": row["token_version"],  # who asked for it may be out since, as a thief
        },
        {
            "email": row["email"],
            "email_key": row["email_key"],
            "verified_email_key": row["email_key"],
        },
        removes=("pending_email", "pending_email_key"),
    )
