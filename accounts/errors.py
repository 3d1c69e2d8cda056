"""What can go wrong with accounts."""

from bson import ObjectId

from ecommerce.core.errors import DomainError, FieldError, NotFoundError


class UserNotFoundError(NotFoundError):
    """No such user, or not the caller's to see."""

    code = "user_not_found"
    default_detail = "There is no such user."


class DuplicateUserError(DomainError):
    """The username or the email address belongs to somebody else."""

    code = "duplicate_user"
    status = 409
    title = "Already taken"
    default_detail = "Choose another value for each field named in `errors`."

    def __init__(self, fields: list[str]) -> None:
        faults = [
            FieldError(f"/{field}", "duplicate", f"This {field} is already taken.")
            for field in fields
        ]
        super().__init__(errors=[fault.as_dict() for fault in faults])


class StaffOnlyFieldError(DomainError):
    """A customer tried to change what only staff may."""

    code = "staff_only_field"
    status = 403
    title = "Not allowed"
    default_detail = "Only staff may change `is_active`."


class SameOrHigherRoleError(DomainError):
    """Somebody tried to change an account whose role is not below their own."""

    code = "same_or_higher_role"
    status = 403
    title = "Not allowed"
    default_detail = (
        "You may change only accounts of a lower role: an operator runs `manage.py users`."
    )


class RoleMovedError(DomainError):
    """Somebody else gave the user another role at the same time."""

    code = "role_moved"
    status = 409
    title = "The role has changed"
    default_detail = "The user has another role by now: look again, and repeat what is still right."


class OwnPasswordOnlyError(DomainError):
    """Staff tried to set somebody else's password over the API."""

    code = "own_password_only"
    status = 403
    title = "Not allowed"
    default_detail = (
        "Only the user sets this password here; an operator runs `manage.py changepassword`."
    )


class InvalidCredentialsError(DomainError):
    """Unknown, wrong or inactive: the three look the same on purpose."""

    code = "invalid_grant"
    status = 400
    title = "Sign-in failed"
    default_detail = "The username or the password is wrong."

    def __init__(self, subject_id: ObjectId | None = None) -> None:
        self.subject_id = subject_id
        """Whose account it was, for the audit log; the client is never told."""
        super().__init__()


class LoginLockedError(DomainError):
    """Too many attempts to sign in have failed."""

    code = "login_locked"
    status = 429
    title = "Too many failed attempts"

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(
            f"Too many attempts to sign in have failed. Try again in {retry_after} seconds."
        )


class BusyError(DomainError):
    """More passwords are being checked than this process may check at once."""

    code = "busy"
    status = 503
    title = "Too busy at this moment"
    default_detail = "Too many people sign in at this moment. Try again in a few seconds."
    retry_after = 2


class InvalidAccessTokenError(DomainError):
    """The access token is forged, expired, not an access token, or its user or session is out."""

    code = "invalid_token"
    status = 401
    title = "Sign in first"
    default_detail = "The token is not valid, or not any more: get a new one at /token."


class SessionNotFoundError(NotFoundError):
    """No such session, it has ended, or it is not the caller's to see."""

    code = "session_not_found"
    default_detail = "There is no such session, or it has ended."


class UnverifiedEmailError(InvalidCredentialsError):
    """The password is right, and this shop lets only verified addresses in."""

    default_detail = (
        "Your email address is not confirmed yet. Follow the link that was mailed to you; if it is "
        "lost, reset your password: that confirms the address too."
    )


class InvalidMailTokenError(DomainError):
    """The token of a mail is unknown, used, expired, or not true any more."""

    code = "invalid_mail_token"
    status = 400
    title = "The link is not valid"
    default_detail = (
        "The link is not valid any more: it works once and for a short time. Ask again."
    )


class EmailAlreadyVerifiedError(DomainError):
    """There is nothing to confirm."""

    code = "email_already_verified"
    status = 409
    title = "Already confirmed"
    default_detail = "Your email address is confirmed already: there is nothing to do."


class InvalidRefreshTokenError(DomainError):
    """The refresh token is unknown, used, expired or revoked."""

    code = "invalid_grant"
    status = 400
    title = "The refresh token is not valid"
    default_detail = "The refresh token is not valid any more: sign in again."


class ApiKeyNotFoundError(NotFoundError):
    """There is no living key with this prefix."""

    code = "api_key_not_found"

    def __init__(self, prefix: str) -> None:
        super().__init__(
            f"There is no living API key {prefix!r}. `manage.py api_keys list` shows all."
        )


class ApiKeyExpiredError(DomainError):
    """The key is over: another secret for it would never work."""

    code = "api_key_expired"
    title = "The key has expired"

    def __init__(self, prefix: str) -> None:
        super().__init__(f"The API key {prefix!r} has expired: create another.")


class AdminOnlyError(DomainError):
    """Staff tried what only admins may."""

    code = "admin_only"
    status = 403
    title = "Not allowed"
    default_detail = "Only an admin may do this: `manage.py users promote` makes one."


class NotAnAdminError(DomainError):
    """Somebody who is no admin was named as the one who asks for a key."""

    code = "not_an_admin"
    status = 403
    title = "Not allowed"
    default_detail = "Only an admin may have API keys made: `manage.py users promote` makes one."
