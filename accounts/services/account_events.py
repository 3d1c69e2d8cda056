"""What is done to an account, for the audit log: recorded before it is done."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bson import ObjectId

from accounts import selectors
from accounts.services.audit import AuditService

PASSWORD_CHANGED: Final = "password_changed"  # noqa: S105 - the name of an event
USERNAME_CHANGED: Final = "username_changed"
ACTIVITY: Final = {True: "user_activated", False: "user_deactivated"}
_RECORDED: Final = frozenset({"hashed_password", "username", "is_active"})


def of_changes(guard: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """The events of what these values change in the user whom `guard` finds.

    What is so already is none. Whom the guard does not find is not changed: the write says why.
    """
    if _RECORDED.isdisjoint(values):
        return []
    user = selectors.user_found_by(guard)
    if user is None:
        return []
    events = [PASSWORD_CHANGED] if "hashed_password" in values else []
    if values.get("username", user["username"]) != user["username"]:
        events.append(USERNAME_CHANGED)
    if values.get("is_active", user["is_active"]) != user["is_active"]:
        events.append(ACTIVITY[values["is_active"]])
    return events


def record(
    events: Iterable[str],
    user_id: ObjectId,
    *,
    actor_id: ObjectId | None = None,
    address: str | None = None,
) -> None:
    """Record them of this user; without an actor the operator does it."""
    for event in events:
        AuditService.record(
            event, actor_id=actor_id, subject_id=user_id, target=f"users/{user_id}", address=address
        )
