"""The one write to a stored user: a guarded atomic update, or the error that says why not."""

from collections.abc import Mapping
from typing import Any, cast

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from accounts import selectors
from accounts.documents import User, UserRow
from accounts.errors import DuplicateUserError, UserNotFoundError
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.mongo import collection, utc_now


def write(
    guard: Mapping[str, Any], values: Mapping[str, Any], *, ends_sessions: bool = False
) -> UserRow:
    """Set `values` on the user whom `guard` finds; the user afterwards, without the hash.

    Args:
        guard: names the `_id`, and what else must hold.
        values: what is set.
        ends_sessions: whether every token of the user is worth nothing afterwards.

    Raises:
        UserNotFoundError: there is no such user.
        PreconditionFailedError: there is, but the guard does not hold.
        DuplicateUserError: a name is taken.
    """
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
        raise duplicate(
            keys.get("username_key", ""), keys.get("email_key", ""), guard["_id"]
        ) from None
    if row is None:
        raise why_not(guard["_id"])
    return cast(UserRow, row)


def why_not(user_id: ObjectId) -> UserNotFoundError | PreconditionFailedError:
    """A guarded write found nothing: is the user gone, or is it another version?"""
    if collection(User).find_one({"_id": user_id}, {"_id": 1}) is None:
        return UserNotFoundError()
    return PreconditionFailedError()


def duplicate(username_key: str, email_key: str, user_id: ObjectId) -> DuplicateUserError:
    """A unique index refused a write to this user: which of the names is taken?"""
    return DuplicateUserError(
        selectors.taken_fields(
            username_key=username_key, email_key=email_key, by_others_than=user_id
        )
    )
