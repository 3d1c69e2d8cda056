"""A new password for somebody who has lost theirs, by a link in a mail."""

import time
from secrets import SystemRandom
from typing import Any, Final

from django.conf import settings

from accounts import selectors
from accounts.documents import MailTokenRow, Purpose, UserRow
from accounts.errors import InvalidMailTokenError, UserNotFoundError
from accounts.services import passwords, updates
from accounts.services.audit import AuditService
from accounts.services.mail_tokens import MailTokenService
from accounts.services.mails import MailService
from ecommerce.core.background import run_later
from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.errors import PreconditionFailedError

REQUESTED: Final = "password_reset_requested"
RESET: Final = "password_reset"
_chance: Final = SystemRandom()


class PasswordResetService:
    """Asks nothing but who reads the account's mail."""

    @staticmethod
    def request(*, email: str, address: str | None = None) -> None:
        """Have a link mailed to whoever has this address.

        All of it happens after the answer: neither its content nor its time says who exists.

        Args:
            email: as the client wrote it.
            address: the client's network address, for the audit log.
        """
        run_later("password reset", lambda: _send_link(email, address))

    @staticmethod
    def confirm(*, token: str, new_password: str, address: str | None = None) -> None:
        """Set the password of the account that the mailed token is for; every session ends.

        A password that breaks a rule, and a fault before the effect, leave the token as it is. The
        write uses it up: the version it asks for is the one it raises, so of any number that try
        at once one succeeds. It is recorded before, once however many try.

        Raises:
            InvalidMailTokenError: unknown, used or expired; or the account's password or address
                has changed since; or the account is gone or inactive.
            ValidationFailedError: the password breaks a rule.
        """
        row = selectors.mail_token(token, Purpose.RESET_PASSWORD)
        user = _present_user(row)
        new = passwords.hashed(
            new_password, username=user["username"], email=user["email"], pointer="/new_password"
        )
        AuditService.record(
            RESET,
            subject_id=user["_id"],
            address=address,
            entry_id=MailTokenService.event_of_use(row),
        )
        checkpoint("password_reset.recorded")
        _write(row, new)
        checkpoint("password_reset.written")
        MailTokenService.forget_all_of(user["_id"], Purpose.RESET_PASSWORD)
        MailService.send_notice(
            user=user,
            notice="password_changed",
            email=user["email"],
            page=settings.PASSWORD_RESET_URL,
        )


def _send_link(email: str, address: str | None) -> None:
    # Work in this process slows its answers: right after this one it would show who is known.
    time.sleep(settings.PASSWORD_RESET_PAUSE * _chance.uniform(0.2, 1))
    user = selectors.user_for_mail(email)
    if user is None:
        return
    AuditService.record(REQUESTED, subject_id=user["_id"], address=address)
    MailService.send_token(user=user, purpose=Purpose.RESET_PASSWORD, email=user["email"])


def _present_user(row: MailTokenRow) -> UserRow:
    """The user, if they are still as they were when the mail went out."""
    user = selectors.user_for_mail(row["email"])
    if user is None or any(user[name] != value for name, value in _guard(row).items()):  # type: ignore[literal-required]
        raise InvalidMailTokenError
    return user


def _guard(row: MailTokenRow) -> dict[str, Any]:
    return {
        "_id": row["user_id"],
        "token_version": row["token_version"],  # raised by every change of the password
        "email_key": row["email_key"],
        "is_active": True,
    }


def _write(row: MailTokenRow, new_hash: str) -> None:
    values = {"hashed_password": new_hash, "verified_email_key": row["email_key"]}
    try:
        updates.write(_guard(row), values, ends_sessions=True)
    except (PreconditionFailedError, UserNotFoundError):
        raise InvalidMailTokenError from None
