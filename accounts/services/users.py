"""Users: registration, authentication and management."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from bson import ObjectId
from django.conf import settings
from pymongo.errors import DuplicateKeyError

from accounts import selectors
from accounts.documents import User, UserRow, email_is_verified
from accounts.errors import (
    BusyError,
    DuplicateUserError,
    InvalidAccessTokenError,
    InvalidCredentialsError,
    RoleMovedError,
    SameOrHigherRoleError,
    StaffOnlyFieldError,
    UnverifiedEmailError,
)
from accounts.names import name_key
from accounts.principal import Principal
from accounts.roles import Role, having, role_of
from accounts.rules import MANAGES_USERS
from accounts.services import account_events, emails, password_changes, passwords, updates
from accounts.services.audit import AuditService
from accounts.services.erasures import ErasureService
from ecommerce.core import metrics
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.idempotency import Operation
from ecommerce.core.mongo import collection, insert


class UserService:
    """Every write to a user is one guarded atomic update."""

    @staticmethod
    def register(
        *,
        username: str,
        email: str,
        password: str,
        email_verified: bool = False,
        operation: Operation | None = None,
    ) -> UserRow:
        """Create an active customer. Its id is the operation's: a retry makes no second one.

        Unless somebody vouches for the address, it gets a mail.

        Raises:
            DuplicateUserError: the username or the address is taken, in any spelling.
            ValidationFailedError: the password breaks a rule.
            BusyError: too many others are hashing, and neither is taken so far.
        """
        operation = operation or Operation.unkeyed()
        if operation.retried and (made := selectors.user_with_id(operation.id)):
            emails.ask_to_confirm(made)  # the try that made it may have died before the mail
            return made
        keys = {"username_key": name_key(username), "email_key": name_key(email)}
        _refuse_taken(operation.id, keys)
        new = {
            "id": operation.id,
            "username": username,
            "email": email,
            **keys,
            "verified_email_key": keys["email_key"] if email_verified else None,
            "hashed_password": _hashed(password, username, email, operation.id),
        }
        try:
            row = cast(UserRow, insert(User, **new))
        except DuplicateKeyError:
            # A slow try of an operation may come after the one that took it over.
            if operation.keyed and (made := selectors.user_with_id(operation.id)):
                return made
            raise updates.duplicate(**keys, user_id=operation.id) from None
        metrics.REGISTRATIONS.inc()
        emails.ask_to_confirm(row)
        return row

    @staticmethod
    def authenticate(*, login: str, password: str) -> UserRow:
        """The active user with this username or email address and this password.

        Raises:
            InvalidCredentialsError: unknown, wrong or inactive, after the same work.
            UnverifiedEmailError: right, but REQUIRE_VERIFIED_EMAIL is on and the address is not.
        """
        user = selectors.user_for_login(login)
        right, new_hash = passwords.matches(password, user["hashed_password"] if user else None)
        if user is None or not right or not user["is_active"]:
            raise InvalidCredentialsError(user["_id"] if user else None)
        if settings.REQUIRE_VERIFIED_EMAIL and not email_is_verified(user):
            raise UnverifiedEmailError(user["_id"])
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
        address: str | None = None,
    ) -> UserRow:
        """Change a user the caller may see: username, email, password, and for staff `is_active`.

        A new address is to be confirmed by a mail to it: before it replaces the present one where
        REQUIRE_VERIFIED_EMAIL is on, else afterwards. The present one is told of it.

        A new password, or being deactivated, ends every session of the user. The caller's own
        password changes only with `current_password`. Where nothing is to be set, the user stays
        as they are, their version too.

        Args:
            user_id: whom; `me` is the caller.
            caller: who is asking.
            changes: the validated fields.
            expected_versions: the versions that may be changed; None for any.
            address: the client's, for the audit log.

        Raises:
            UserNotFoundError: none that the caller may see.
            StaffOnlyFieldError, OwnPasswordOnlyError: not the caller's to change.
            SameOrHigherRoleError: their role is not below the caller's.
            DuplicateUserError: a name is taken.
            ValidationFailedError: the password breaks a rule, or the current one is wrong.
            PreconditionFailedError: the user has another version.
            InvalidAccessTokenError: the caller's own address, and session, which ended meanwhile.
        """
        target = selectors.visible_user_id(user_id, caller=caller)
        if "is_active" in changes and not caller.may(MANAGES_USERS):
            changes = _without_being_active(changes)
        values, removes = _stored_values(changes)
        guard = updates.manageable(target, caller)
        if "password" in changes:
            guard |= password_changes.stage(target, caller, changes, values)
        if expected_versions is not None:
            guard["version"] = {"$in": list(expected_versions)}
        if not values:
            return _found(guard)
        _record_changes(guard, values, actor_id=caller.id, address=address)
        if target == caller.id and "email" in changes:
            before, after = _exchanged_by(caller, guard, values, removes)
        else:
            before, after = _exchanged(guard, values, removes)
        emails.announce(before, after, actor_id=caller.id, address=address)
        return after

    @staticmethod
    def delete(
        *, user_id: str, caller: Principal, expected_versions: Sequence[int] | None = None
    ) -> None:
        """Erase a user the caller may see, or finish doing so: see `accounts.services.erasures`.

        Raises:
            UserNotFoundError: none that the caller may see.
            SameOrHigherRoleError: their role is not below the caller's.
            PreconditionFailedError: the user has another version.
        """
        target = selectors.visible_user_id(user_id, caller=caller)
        ErasureService.erase(
            guard=updates.manageable(target, caller),
            actor_id=caller.id,
            expected_versions=expected_versions,
        )

    @staticmethod
    def set_active(*, user: UserRow, is_active: bool) -> UserRow:
        """Let the user in or shut them out, as the operator; out ends every session.

        Raises:
            UserNotFoundError: they are gone, or being erased.
        """
        guard = {"_id": user["_id"]}
        _found(guard)
        account_events.record([account_events.ACTIVITY[is_active]], user["_id"])
        return updates.write(guard, {"is_active": is_active}, ends_sessions=not is_active)

    @staticmethod
    def set_role(*, user: UserRow, role: Role) -> UserRow:
        """Give the user another role, as the operator; a lower one ends every session.

        Raises:
            RoleMovedError: their role is not any more what `user` says.
            UserNotFoundError: they are gone, or being erased.
        """
        present = role_of(user)
        guard = {"_id": user["_id"], **having(present)}
        try:
            _found(guard)
            AuditService.record(
                "role_changed",
                subject_id=user["_id"],
                target=f"users/{user['_id']}",
                details={"from": present.value, "to": role.value},
            )
            return updates.write(
                guard, {"role": role.value}, ends_sessions=role.rank < present.rank
            )
        except SameOrHigherRoleError:
            raise RoleMovedError from None


def _refuse_taken(user_id: ObjectId, keys: Mapping[str, str]) -> None:
    """Spare the hash, and the record, where the answer is known. The indexes alone decide.

    A name that is held by an erasure that was interrupted is free once that is finished.

    Raises:
        DuplicateUserError: somebody else has one of them.
    """
    taken = selectors.taken_fields(**keys, by_others_than=user_id)
    if taken and ErasureService.finish(selectors.being_erased_with(**keys)):
        taken = selectors.taken_fields(**keys, by_others_than=user_id)
    if taken:
        raise DuplicateUserError(taken)


def _keys_in(values: Mapping[str, Any]) -> dict[str, str]:
    """The names that these values ask for; nobody has the empty one."""
    email_key = values.get("pending_email_key") or values.get("email_key", "")
    return {"username_key": values.get("username_key", ""), "email_key": email_key}


def _record_changes(
    guard: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    actor_id: ObjectId,
    address: str | None,
) -> None:
    """Record the changes before they are made, and none that a taken name refuses.

    An address that waits to be confirmed is refused here too: no index holds it.

    Raises:
        DuplicateUserError: somebody else has one of the names.
    """
    events = account_events.of_changes(guard, values)
    keys = _keys_in(values)
    if any(keys.values()) and (events or "pending_email_key" in values):
        _refuse_taken(guard["_id"], keys)
    account_events.record(events, guard["_id"], actor_id=actor_id, address=address)


def _exchanged_by(
    caller: Principal, guard: Mapping[str, Any], values: Mapping[str, Any], removes: Iterable[str]
) -> tuple[UserRow, UserRow]:
    """As `_exchanged`, of the caller's own address, while the caller is in.

    A change that is under way when its session ends could still give a thief the account.

    Raises:
        InvalidAccessTokenError: the caller's session was ended meanwhile.
    """
    still_in: dict[str, Any] = {"token_version": caller.token_version}
    if caller.session_id is not None:
        still_in["ended_sessions.session_id"] = {"$ne": caller.session_id}
    try:
        return _exchanged({**guard, **still_in}, values, removes)
    except PreconditionFailedError:
        present = selectors.principal(
            caller.id, token_version=caller.token_version, session_id=caller.session_id
        )
        if present is None:
            raise InvalidAccessTokenError from None
        if present.token_version == caller.token_version:
            raise
    return _exchanged_by(present, guard, values, removes)  # all others were ended, and not this one


def _exchanged(
    guard: Mapping[str, Any], values: Mapping[str, Any], removes: Iterable[str]
) -> tuple[UserRow, UserRow]:
    """The user before and after; a name that an interrupted erasure holds is free after that."""
    ends_sessions = "hashed_password" in values or values.get("is_active") is False
    try:
        return updates.exchange(guard, values, removes=removes, ends_sessions=ends_sessions)
    except DuplicateUserError:
        if not ErasureService.finish(selectors.being_erased_with(**_keys_in(values))):
            raise
    return updates.exchange(guard, values, removes=removes, ends_sessions=ends_sessions)


def _found(guard: Mapping[str, Any]) -> UserRow:
    """The user, whom no write finds if this does not: nothing is recorded that is then not done.

    Raises:
        UserNotFoundError, SameOrHigherRoleError, PreconditionFailedError: see `updates.why_not`.
    """
    user = selectors.user_found_by(guard)
    if user is None:
        raise updates.why_not(guard)
    return user


def _hashed(password: str, username: str, email: str, user_id: ObjectId) -> str:
    """The hash. Who waited for it in vain, while somebody else got the name, is told that: of many
    who register one name at once, one gets it, and none is sent away to try again.
    """
    try:
        return passwords.hashed(password, username=username, email=email)
    except BusyError:
        keys = {"username_key": name_key(username), "email_key": name_key(email)}
        _refuse_taken(user_id, keys)
        raise


def _without_being_active(changes: Mapping[str, Any]) -> dict[str, Any]:
    """A customer who is let in is active: saying so changes nothing, and is not written, for it
    would take back a deactivation that came meanwhile.

    Raises:
        StaffOnlyFieldError: they say otherwise.
    """
    if changes["is_active"] is not True:
        raise StaffOnlyFieldError
    return {name: value for name, value in changes.items() if name != "is_active"}


def _stored_values(changes: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the changes set, and which fields they remove."""
    values = {name: changes[name] for name in ("username", "is_active") if name in changes}
    if "username" in changes:
        values["username_key"] = name_key(changes["username"])
    if "email" not in changes:
        return values, ()
    staged, removes = emails.staged(changes["email"])
    return {**values, **staged}, removes
