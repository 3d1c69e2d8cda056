"""What is done to an account, for the audit log: recorded before it is done."""

from collections.abc import Mapping
from typing import Any, Final

from bson import ObjectId

from accounts import selectors
from accounts.services import updates
from accounts.services.audit import AuditService

USERNAME_CHANGED: Final = "username_changed"
_RECORDED: Final = frozenset({"username", "is_active"})


def record_changes(
    guard: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    actor_id: ObjectId,
    address: str | None = None,
) -> None:
    """Record what these values change in the user whom `guard` finds; what is so already is none.

    Whom the guard does not find is not changed: the write says why. A name that is taken is refused
    here, so that the log does not tell of a change that never came.

    Raises:
        DuplicateUserError: somebody else has the name.
    """
    if _RECORDED.isdisjoint(values):
        return
    user = selectors.present_user(guard)
    if user is None:
        return
    if values.get("username", user["username"]) != user["username"]:
        updates.refuse_taken(user["_id"], values)
        _record(USERNAME_CHANGED, user["_id"], actor_id, address)
    if values.get("is_active", user["is_active"]) != user["is_active"]:
        record_activity(
            user["_id"], is_active=values["is_active"], actor_id=actor_id, address=address
        )


def record_activity(
    user_id: ObjectId,
    *,
    is_active: bool,
    actor_id: ObjectId | None = None,
    address: str | None = None,
) -> None:
    """Record that the user is let in or shut out; without an actor the operator does it."""
    event = "user_activated" if is_active else "user_deactivated"
    _record(event, user_id, actor_id, address)


def _record(event: str, user_id: ObjectId, actor_id: ObjectId | None, address: str | None) -> None:
    AuditService.record(
        event, actor_id=actor_id, subject_id=user_id, target=f"users/{user_id}", address=address
    )
