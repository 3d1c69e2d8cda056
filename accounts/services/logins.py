"""Signing in with a password: limits first, then the hash, then the record of it."""

from collections.abc import Mapping
from typing import Final

from bson import ObjectId

from accounts import capacity, login_limits
from accounts.clients import Client
from accounts.documents import UserRow
from accounts.errors import (
    BusyError,
    InvalidCredentialsError,
    LoginLockedError,
    UnverifiedEmailError,
)
from accounts.login_limits import Attempt
from accounts.services.audit import AuditService
from accounts.services.users import UserService
from ecommerce.core import metrics

_RESULTS: Final[Mapping[type[Exception], str]] = {
    InvalidCredentialsError: "invalid",
    UnverifiedEmailError: "unverified",
    LoginLockedError: "locked",
    BusyError: "busy",
}
"""How a login that came to nothing is counted; any other exception is an `error`."""


class LoginService:
    """The one way in with a password, over the API and on the pages."""

    @staticmethod
    def sign_in(*, login: str, password: str, client: Client) -> UserRow:
        """The active user with this username or email address and this password.

        Raises:
            LoginLockedError: too many attempts failed; nothing was hashed.
            InvalidCredentialsError: unknown, wrong or inactive, after the same work.
            UnverifiedEmailError: right, but REQUIRE_VERIFIED_EMAIL is on and the address is not.
            BusyError: too many sign in at this moment.
        """
        try:
            # First of all: who is refused costs no call to the shared cache, and counts nowhere.
            with capacity.LOGINS.taken():
                user = _signed_in(login, password, client)
        except Exception as fault:
            metrics.LOGINS[_RESULTS.get(type(fault), "error")].inc()
            raise
        metrics.LOGINS["success"].inc()
        return user


def _signed_in(login: str, password: str, client: Client) -> UserRow:
    attempt = login_limits.begin(login=login, address=client.address)
    try:
        user = UserService.authenticate(login=login, password=password)
    except UnverifiedEmailError as refusal:
        attempt.withdrawn()  # the password was right: nobody is guessing
        AuditService.record(
            "login_failed",
            subject_id=refusal.subject_id,
            address=client.address or None,
            details={"because": "email_unverified"},
        )
        raise
    except InvalidCredentialsError as refusal:
        _record_failure(refusal.subject_id, attempt)
        raise
    except Exception:  # not decided: the password was not even looked at
        attempt.withdrawn()
        raise
    attempt.succeeded([user["username_key"], user["email_key"]])
    AuditService.record(
        "login", actor_id=user["_id"], subject_id=user["_id"], address=client.address or None
    )
    return user


def _record_failure(subject_id: ObjectId | None, attempt: Attempt) -> None:
    """What was typed is not recorded: it may be a password in the wrong field."""
    AuditService.record("login_failed", subject_id=subject_id, address=attempt.address or None)
    if attempt.lock_seconds:
        AuditService.record(
            "login_locked",
            subject_id=subject_id,
            address=attempt.address or None,
            details={
                "seconds": attempt.lock_seconds,
                "of": ", ".join(counter.bound.name for counter in attempt.locked),
            },
        )
