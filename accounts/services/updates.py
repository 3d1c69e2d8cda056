"""The one write to a stored user: a guarded atomic update, or the error that says why not."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from accounts import selectors
from accounts.documents import User, UserRow
from accounts.errors import DuplicateUserError, SameOrHigherRoleError, UserNotFoundError
from accounts.principal import Principal
from accounts.roles import having
from ecommerce.core.errors import DomainError, PreconditionFailedError
from ecommerce.core.mongo import collection, utc_now

_GONE_WITH_SESSIONS: Final = {
    "ended_sessions", "kept_session", "pending_email", "pending_email_key",
}  # fmt: skip
"""What a user has no more once every session has ended. Sessions that ended before need no naming;
and an address that waits may be that of a thief who is out now: nobody shall be mailed for it."""


def write(
    guard: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    removes: Iterable[str] = (),
    ends_sessions: bool = False,
) -> UserRow:
    """As `exchange`; only the user afterwards."""
    return exchange(guard, values, removes=removes, ends_sessions=ends_sessions)[1]


def exchange(
    guard: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    removes: Iterable[str] = (),
    ends_sessions: bool = False,
) -> tuple[UserRow, UserRow]:
    """Set `values` on the user whom `guard` finds; the user before and after, without the hash.

    Args:
        guard: names the `_id`, and what else must hold.
        values: what is set.
        removes: fields that the user has no more afterwards.
        ends_sessions: whether every token of the user is worth nothing afterwards, and no address
            waits but one that `values` sets.

    Raises:
        UserNotFoundError: there is no such user.
        SameOrHigherRoleError: there is, but the guard asks for another role.
        PreconditionFailedError: there is, but the guard does not hold.
        DuplicateUserError: a name is taken.
    """
    update = change(values, removes=removes, ends_sessions=ends_sessions)
    try:
        before = collection(User).find_one_and_update(
            {**guard, **selectors.PRESENT},
            update,
            projection={"hashed_password": 0},
            return_document=ReturnDocument.BEFORE,
        )
    except DuplicateKeyError:
        present = collection(User).find_one({"_id": guard["_id"]}) or {}
        keys = {**present, **values}
        raise duplicate(
            keys.get("username_key", ""), keys.get("email_key", ""), guard["_id"]
        ) from None
    if before is None:
        raise why_not(guard)
    raised = {name: before[name] + by for name, by in update["$inc"].items()}
    removed = {"hashed_password", *update.get("$unset", ())}
    after = {n: v for n, v in {**before, **update["$set"], **raised}.items() if n not in removed}
    return cast(UserRow, before), cast(UserRow, after)


def change(
    values: Mapping[str, Any], *, removes: Iterable[str] = (), ends_sessions: bool = False
) -> dict[str, dict[str, Any]]:
    """The update that `exchange` makes, for a write that has another guard or answer."""
    raised = {"version": 1, "token_version": 1} if ends_sessions else {"version": 1}
    removed = {*removes, *(_GONE_WITH_SESSIONS if ends_sessions else ())} - values.keys()
    update: dict[str, dict[str, Any]] = {
        "$set": {**values, "updated_at": utc_now()},
        "$inc": raised,
    }
    return {**update, "$unset": dict.fromkeys(sorted(removed), "")} if removed else update


def manageable(target: ObjectId, caller: Principal) -> dict[str, Any]:
    """The guard that the caller may change this user: themselves, or one of a lower role.

    Without it staff could give an admin's account another address, and with that take it over.
    """
    if target == caller.id:
        return {"_id": target}
    return {"_id": target, **having(*(caller.role.below if caller.role else ()))}


def why_not(guard: Mapping[str, Any]) -> DomainError:
    """A guarded write found nothing: is the user gone, of another role, or of another version?"""
    where: dict[str, Any] = {"_id": guard["_id"], **selectors.PRESENT}
    if collection(User).find_one(where, {"_id": 1}) is None:
        return UserNotFoundError()
    if "$or" in guard:  # alternatives are of roles alone: see `accounts.roles.having`
        where["$or"] = guard["$or"]
        if collection(User).find_one(where, {"_id": 1}) is None:
            return SameOrHigherRoleError()
    return PreconditionFailedError()


def duplicate(username_key: str, email_key: str, user_id: ObjectId) -> DuplicateUserError:
    """A unique index refused a write to this user: which of the names is taken?"""
    return DuplicateUserError(
        selectors.taken_fields(
            username_key=username_key, email_key=email_key, by_others_than=user_id
        )
    )
