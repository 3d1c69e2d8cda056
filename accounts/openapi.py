"""What the API document says of each operation of accounts."""

from typing import Final

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from accounts.serializers import (
    AcceptedShape,
    AuditEventPageShape,
    ExportShape,
    OAuthErrorShape,
    RevocationInput,
    SessionPageShape,
    TokenInput,
    TokenShape,
    UserPageShape,
    UserShape,
)
from ecommerce.core.openapi import IF_MATCH, IF_NONE_MATCH, URI_TOO_LONG, problems

_REGISTER = OpenApiExample(
    "A customer",
    value={"username": "alice", "email": "alice@example.com", "password": "correct-horse-9"},
    request_only=True,
)
_RENAME = OpenApiExample(
    "New names", value={"username": "alice", "email": "alice@shop.example"}, request_only=True
)
_FORM = "application/x-www-form-urlencoded"
_BUSY: Final = (503, "busy")
"""Of what makes a hash."""
_COMMON = problems((400, "validation_error"), (401, "not_authenticated"), (404, "user_not_found"))
_WRITE = problems(
    (400, "validation_error"),
    (401, "not_authenticated"),
    (403, "staff_only_field"),
    (403, "own_password_only"),
    (403, "same_or_higher_role"),
    (404, "user_not_found"),
    (409, "duplicate_user"),
    (412, "precondition_failed"),
    (415, "unsupported_media_type"),
    (429, "rate_limited"),
    _BUSY,
)

users_schema = extend_schema_view(
    list=extend_schema(
        operation_id="list_users",
        summary="List users (staff)",
        responses={
            200: UserPageShape,
            **URI_TOO_LONG,
            **problems(
                (400, "validation_error"), (401, "not_authenticated"), (403, "permission_denied")
            ),
        },
    ),
    create=extend_schema(
        operation_id="register_user",
        summary="Register",
        auth=[],
        examples=[_REGISTER],
        responses={
            201: UserShape,
            **problems(
                (400, "validation_error"),
                (409, "duplicate_user"),
                (415, "unsupported_media_type"),
                (429, "rate_limited"),
                _BUSY,
            ),
        },
    ),
    retrieve=extend_schema(
        operation_id="get_user",
        summary="Read a user (the id may be me: the caller)",
        parameters=[IF_NONE_MATCH],
        responses={200: UserShape, 304: None, **_COMMON},
    ),
    update=extend_schema(
        operation_id="replace_user",
        summary="Replace a user's names; also sets a new password",
        parameters=[IF_MATCH],
        examples=[_RENAME],
        responses={200: UserShape, **_WRITE},
    ),
    partial_update=extend_schema(
        operation_id="update_user",
        summary="Change some fields of a user",
        parameters=[IF_MATCH],
        examples=[_RENAME],
        responses={200: UserShape, **_WRITE},
    ),
    destroy=extend_schema(
        operation_id="delete_user",
        summary="Delete a user, with sessions and carts",
        parameters=[IF_MATCH],
        responses={
            204: None,
            **_COMMON,
            **problems(
                (403, "same_or_higher_role"), (412, "precondition_failed"), (429, "rate_limited")
            ),
        },
    ),
)

export_schema = extend_schema(
    operation_id="export_own_data",
    summary="All that is stored about the caller",
    description=(
        "As one JSON file, streamed. Holds no secret: no password, token or hash. Each export is "
        "recorded in the audit log."
    ),
    responses={
        200: ExportShape,
        **problems((400, "validation_error"), (401, "not_authenticated"), (429, "rate_limited")),
    },
)

password_schema = extend_schema(
    operation_id="change_own_password",
    summary="Change the own password; every other session ends",
    description=(
        "Ends every session of the caller. The answer is a new one, so that the caller stays "
        "signed in: replace both tokens by those of the answer."
    ),
    examples=[
        OpenApiExample(
            "A new password",
            value={"current_password": "correct-horse-9", "new_password": "green-kettle-88"},
            request_only=True,
        )
    ],
    responses={
        200: TokenShape,
        **problems(
            (400, "validation_error"),
            (401, "not_authenticated"),
            (415, "unsupported_media_type"),
            (429, "rate_limited"),
            _BUSY,
        ),
    },
)

sessions_schema = extend_schema_view(
    list=extend_schema(
        operation_id="list_sessions",
        summary="Where a user is signed in (the id may be me: the caller)",
        responses={200: SessionPageShape, **URI_TOO_LONG, **_COMMON},
    ),
    destroy=extend_schema(
        operation_id="end_session",
        summary="End a session: its tokens are out at the next call",
        responses={
            204: None,
            **problems(
                (400, "validation_error"),
                (401, "not_authenticated"),
                (403, "admin_only"),
                (403, "same_or_higher_role"),
                (404, "user_not_found"),
                (404, "session_not_found"),
                (429, "rate_limited"),
            ),
        },
    ),
)

end_sessions_schema = extend_schema(
    operation_id="end_sessions",
    summary="End every session of a user",
    responses={
        204: None,
        **_COMMON,
        **problems((403, "admin_only"), (403, "same_or_higher_role"), (429, "rate_limited")),
    },
)

_FROM_MAIL = "Vb3mZ0r1x5nJq8cT2yLw7dKfH4sGpA6uEoRiMlXvNz0"
_MAILED = (
    (400, "validation_error"),
    (400, "invalid_mail_token"),
    (415, "unsupported_media_type"),
    (429, "rate_limited"),
)

reset_request_schema = extend_schema(
    operation_id="request_password_reset",
    summary="Have a link for a new password mailed",
    description="The answer is the same, and takes the same time, whether the address is known.",
    auth=[],
    examples=[
        OpenApiExample("An address", value={"email": "alice@example.com"}, request_only=True)
    ],
    responses={
        202: AcceptedShape,
        **problems(
            (400, "validation_error"), (415, "unsupported_media_type"), (429, "rate_limited")
        ),
    },
)

reset_confirm_schema = extend_schema(
    operation_id="reset_password",
    summary="Set a new password with the mailed token; every session ends",
    description="The token works once, for 30 minutes, and until the password changes otherwise.",
    auth=[],
    examples=[
        OpenApiExample(
            "A new password",
            value={"token": _FROM_MAIL, "new_password": "green-kettle-88"},
            request_only=True,
        )
    ],
    responses={204: None, **problems(*_MAILED, _BUSY)},
)

verify_email_schema = extend_schema(
    operation_id="verify_email",
    summary="Confirm an address with the mailed token",
    description="A new address that waited for it replaces the present one.",
    auth=[],
    examples=[OpenApiExample("The token", value={"token": _FROM_MAIL}, request_only=True)],
    responses={204: None, **problems(*_MAILED, (409, "duplicate_user"))},
)

resend_schema = extend_schema(
    operation_id="resend_verification",
    summary="Mail the link that confirms the own address again",
    request=None,
    responses={
        202: AcceptedShape,
        **problems(
            (400, "validation_error"),
            (401, "not_authenticated"),
            (409, "email_already_verified"),
            (415, "unsupported_media_type"),
            (429, "rate_limited"),
        ),
    },
)

token_schema = extend_schema(
    operation_id="create_token",
    summary="Sign in, or renew a session",
    description="OAuth2 password grant (RFC 6749 section 4.3) or refresh token grant (section 6).",
    auth=[],
    request={_FORM: TokenInput},
    examples=[
        OpenApiExample(
            "Sign in",
            value={"username": "demo", "password": "demo-shop-2026"},
            request_only=True,
            media_type=_FORM,
        )
    ],
    responses={
        200: TokenShape,
        400: OAuthErrorShape,
        406: OAuthErrorShape,
        415: OAuthErrorShape,
        429: OAuthErrorShape,
        503: OAuthErrorShape,
    },
)

revoke_schema = extend_schema(
    operation_id="revoke_token",
    summary="End a session",
    description=(
        "RFC 7009. A refresh or an access token: either ends its session, and all tokens of it are "
        "out at the next call. An unknown token is no error."
    ),
    auth=[],
    request={_FORM: RevocationInput},
    examples=[
        OpenApiExample(
            "Sign out",
            value={"token": "the refresh token", "token_type_hint": "refresh_token"},
            request_only=True,
            media_type=_FORM,
        )
    ],
    responses={
        200: None,
        **dict.fromkeys((400, 406, 415, 429, 503), OAuthErrorShape),
    },
)

audit_schema = extend_schema_view(
    list=extend_schema(
        operation_id="list_audit_events",
        summary="List what happened to accounts, newest first (staff)",
        responses={
            200: AuditEventPageShape,
            **URI_TOO_LONG,
            **problems((400, "validation_error"), (401, "not_authenticated")),
        },
    ),
)
