"""Users: registration, authentication and management."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from accounts import lifecycle, selectors
from accounts.documents import RefreshFamily, User, UserRow
from accounts.errors import (
    DuplicateUserError,
    InvalidCredentialsError,
    OwnPasswordOnlyError,
    StaffOnlyFieldError,
    UserNotFoundError,
)
from accounts.names import name_key
from accounts.principal import Principal
from accounts.services import passwords
from ecommerce.core.errors import FieldError, PreconditionFailedError, ValidationFailedError
from ecommerce.core.mongo import collection, insert, utc_now


class UserService:
    """Every write to a user is one guarded atomic update."""

    @staticmethod
    def register(*, username: str, email: str, password: str, is_staff: bool = False) -> UserRow:
        """Create an active user.

        Raises:
            DuplicateUserError: the username or the address is taken, in any spelling.
            ValidationFailedError: the password breaks a rule.
        """
        user = User(
            id=ObjectId(),
            username=username,
            username_key=name_key(username),
            email=email,
            email_key=name_key(email),
            hashed_password=passwords.hashed(password, username=username, email=email),
            is_staff=is_staff,
        )
        try:
            return cast(UserRow, insert(user))
        except DuplicateKeyError:
            raise _duplicate(user.username_key, user.email_key, user.id) from None

    @staticmethod
    def authenticate(*, login: str, password: str) -> UserRow:
        """The active user with this username or email address and this password.

        Raises:
            InvalidCredentialsError: unknown, wrong or inactive, after the same work.
        """
        user = selectors.user_for_login(login)
        right, new_hash = passwords.matches(password, user["hashed_password"] if user else None)
        if user is None or not right or not user["is_active"]:
            raise InvalidCredentialsError
        if new_hash:  # only over the hash that was checked: a password change meanwhile wins
            collection(User).update_one(
                {"_id": user["_id"], "hashed_password": user["hashed_password"]},
                {"$set": {"hashed_password": new_hash}},
            )
        return user

    @staticmethod
    def update(
        *,
        user_id: str,
        caller: Principal,
        changes: Mapping[str, Any],
        expected_versions: Sequence[int] | None = None,
    ) -> UserRow:
        """Change a user the caller may see: username, email, password, and for staff `is_active`.

        A new password, or being deactivated, ends every session of the user. The caller's own
        password changes only with `current_password`.

        Raises:
            UserNotFoundError: none that the caller may see.
            StaffOnlyFieldError, OwnPasswordOnlyError: not the caller's to change.
            DuplicateUserError: a name is taken.
            ValidationFailedError: the password breaks a rule, or the current one is wrong.
            PreconditionFailedError: the user has another version.
        """
        target = selectors.visible_user_id(user_id, caller=caller)
        if "is_active" in changes and not caller.is_staff:
            raise StaffOnlyFieldError
        values = _stored_values(changes)
        guard: dict[str, Any] = {"_id": target}
        if "password" in changes:
            guard |= _password_change(target, caller, changes, values)
        if expected_versions is not None:
            guard["version"] = {"$in": list(expected_versions)}
        ends_sessions = "hashed_password" in values or values.get("is_active") is False
        return _write(guard, values, ends_sessions=ends_sessions)

    @staticmethod
    def delete(
        *, user_id: str, caller: Principal, expected_versions: Sequence[int] | None = None
    ) -> None:
        """Delete a user the caller may see, with their sessions and what other apps hold of them.

        Raises:
            UserNotFoundError: none that the caller may see.
            PreconditionFailedError: the user has another version.
        """
        target = selectors.visible_user_id(user_id, caller=caller)
        guard: dict[str, Any] = {"_id": target}
        if expected_versions is not None:
            guard["version"] = {"$in": list(expected_versions)}
        if collection(User).delete_one(guard).deleted_count == 0:
            raise _why_not(target)
        collection(RefreshFamily).delete_many({"user_id": target})
        lifecycle.forget_user(target)

    @staticmethod
    def set_password(*, user: UserRow, password: str) -> UserRow:
        """Set a password as the operator, ending every session of the user.

        Raises:
            ValidationFailedError: the password breaks a rule.
        """
        new = passwords.hashed(password, username=user["username"], email=user["email"])
        return _write({"_id": user["_id"]}, {"hashed_password": new}, ends_sessions=True)

    @staticmethod
    def set_flags(*, user: UserRow, **flags: bool) -> UserRow:
        """Set `is_staff` or `is_active` as the operator; losing either ends every session."""
        losing = not all(flags.values())
        return _write({"_id": user["_id"]}, flags, ends_sessions=losing)


def _stored_values(changes: Mapping[str, Any]) -> dict[str, Any]:
    values = {k: changes[k] for k in ("username", "email", "is_active") if k in changes}
    for field in ("username", "email"):
        if field in values:
            values[f"{field}_key"] = name_key(values[field])
    return values


def _password_change(
    target: ObjectId, caller: Principal, changes: Mapping[str, Any], values: dict[str, Any]
) -> dict[str, Any]:
    """Put the new hash into `values`; the guard that the checked hash is still the stored one.

    A client that sends the present password back with everything else changes nothing.
    """
    if target != caller.id:
        raise OwnPasswordOnlyError
    user = collection(User).find_one({"_id": target})
    if user is None:
        raise UserNotFoundError
    stored, password = user["hashed_password"], changes["password"]
    if passwords.matches(password, stored)[0]:
        return {}
    if not passwords.matches(changes.get("current_password", ""), stored)[0]:
        fault = "To set a new password, send the present one as `current_password`."
        raise ValidationFailedError(FieldError("/current_password", "wrong_password", fault))
    values["hashed_password"] = passwords.hashed(
        password,
        username=values.get("username", user["username"]),
        email=values.get("email", user["email"]),
    )
    return {"hashed_password": stored}


def _write(
    guard: Mapping[str, Any], values: Mapping[str, Any], *, ends_sessions: bool = False
) -> UserRow:
    raised = {"version": 1, "token_version": 1} if ends_sessions else {"version": 1}
    try:
        row = collection(User).find_one_and_update(
            guard,
            {"$set": {**values, "updated_at": utc_now()}, "$inc": raised},
            projection={"hashed_password": 0},
            return_document=ReturnDocument.AFTER,
        )
    except DuplicateKeyError:
        present = collection(User).find_one({"_id": guard["_id"]}) or {}
        keys = {**present, **values}
        raise _duplicate(
            keys.get("username_key", ""), keys.get("email_key", ""), guard["_id"]
        ) from None
    if row is None:
        raise _why_not(guard["_id"])
    return cast(UserRow, row)


def _why_not(user_id: ObjectId) -> UserNotFoundError | PreconditionFailedError:
    """A guarded write found nothing: is the user gone, or is it another version?"""
    if collection(User).find_one({"_id": user_id}, {"_id": 1}) is None:
        return UserNotFoundError()
    return PreconditionFailedError()


def _duplicate(username_key: str, email_key: str, user_id: ObjectId) -> DuplicateUserError:
    return DuplicateUserError(
        selectors.taken_fields(
            username_key=username_key, email_key=email_key, by_others_than=user_id
        )
    )
