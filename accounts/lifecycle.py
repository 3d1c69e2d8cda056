"""What happens elsewhere when a user goes. Apps above this one say so here, in their AppConfig.

Accounts knows no app above it, and signals hide who does what: this is a plain list.
"""

from collections.abc import Callable

from bson import ObjectId

_on_delete: list[Callable[[ObjectId], None]] = []


def on_user_deleted(action: Callable[[ObjectId], None]) -> None:
    """Have `action` called with the id of each deleted user. It must be safe to repeat."""
    if action not in _on_delete:
        _on_delete.append(action)


def forget_user(user_id: ObjectId) -> None:
    """Run every registered action."""
    for action in _on_delete:
        action(user_id)
