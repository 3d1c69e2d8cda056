"""Changing a password: by its owner, who knows the present one, and by the operator."""

from collections.abc import Mapping
from typing import Any, Final, cast

from bson import ObjectId

from accounts.clients import Client
from accounts.documents import User, UserRow
from accounts.errors import OwnPasswordOnlyError, UserNotFoundError
from accounts.principal import Principal
from accounts.services import passwords, updates
from accounts.services.account_events import PASSWORD_CHANGED
from accounts.services.audit import AuditService
from accounts.services.tokens import TokenPair, TokenService
from ecommerce.core.errors import FieldError, PreconditionFailedError, ValidationFailedError
from ecommerce.core.mongo import collection

_UNKNOWN: Final = Client()


class PasswordService:
    """A new password ends every session that the old one started."""

    @staticmethod
    def change(
        *, caller: Principal, current_password: str, new_password: str, client: Client = _UNKNOWN
    ) -> TokenPair:
        """Set the caller's password; a new session for them, all others have ended.

        Args:
            caller: whose password it is.
            current_password: the present one.
            new_password: what it becomes.
            client: that of the new session, and for the audit log.

        Raises:
            ValidationFailedError: the present password is wrong, or the new one breaks a rule or
                is no other.
        """
        user = _owner(caller.id)
        stored = user["hashed_password"]
        if not passwords.matches(current_password, stored)[0]:
            raise _wrong_password()
        if passwords.same(new_password, current_password):
            fault = "The new password is the present one: choose another."
            raise ValidationFailedError(FieldError("/new_password", "password_unchanged", fault))
        new = passwords.hashed(
            new_password, username=user["username"], email=user["email"], pointer="/new_password"
        )
        AuditService.record(
            PASSWORD_CHANGED,
            actor_id=caller.id,
            subject_id=caller.id,
            address=client.address or None,
        )
        try:
            changed = updates.write(
                {"_id": caller.id, "hashed_password": stored},
                {"hashed_password": new},
                ends_sessions=True,
            )
        except PreconditionFailedError:  # another change won: what was checked is not true any more
            raise _wrong_password() from None
        return TokenService.issue(user=changed, client=client)

    @staticmethod
    def set(*, user: UserRow, password: str) -> UserRow:
        """Set a password as the operator, ending every session of the user.

        Raises:
            ValidationFailedError: the password breaks a rule.
        """
        new = passwords.hashed(password, username=user["username"], email=user["email"])
        AuditService.record(PASSWORD_CHANGED, subject_id=user["_id"])
        return updates.write({"_id": user["_id"]}, {"hashed_password": new}, ends_sessions=True)


def stage(
    target: ObjectId,
    caller: Principal,
    changes: Mapping[str, Any],
    values: dict[str, Any],
) -> dict[str, Any]:
    """Put the new hash into `values`; the guard that the checked hash is still the stored one.

    A client that sends the present password back with everything else changes nothing.

    Raises:
        OwnPasswordOnlyError: the password is somebody else's.
        ValidationFailedError: the present password is wrong, or the new one breaks a rule.
    """
    if target != caller.id:
        raise OwnPasswordOnlyError
    user = _owner(target)
    stored, password = user["hashed_password"], changes["password"]
    if passwords.matches(password, stored)[0]:
        return {}
    if not passwords.matches(changes.get("current_password", ""), stored)[0]:
        raise _wrong_password()
    values["hashed_password"] = passwords.hashed(
        password,
        username=values.get("username", user["username"]),
        email=values.get("email", user["email"]),
    )
    return {"hashed_password": stored}


def _owner(user_id: ObjectId) -> UserRow:
    user = collection(User).find_one({"_id": user_id})
    if user is None:
        raise UserNotFoundError
    return cast(UserRow, user)


def _wrong_password() -> ValidationFailedError:
    fault = "To set a new password, send the present one as `current_password`."
    return ValidationFailedError(FieldError("/current_password", "wrong_password", fault))
