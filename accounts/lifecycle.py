"""What apps above this one hold of a user: they say so here, in their AppConfig.

Accounts knows no app above it, and signals hide who does what: these are plain lists.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bson import ObjectId

Rows = Callable[[ObjectId], Iterable[Mapping[str, Any]]]

_on_delete: list[Callable[[ObjectId], None]] = []
_on_export: dict[str, Rows] = {}


def on_user_deleted(action: Callable[[ObjectId], None]) -> None:
    """Have `action` called with the id of each deleted user. It must be safe to repeat."""
    if action not in _on_delete:
        _on_delete.append(action)


def forget_user(user_id: ObjectId) -> None:
    """Run every registered action."""
    for action in _on_delete:
        action(user_id)


def on_user_exported(section: str, rows: Rows) -> None:
    """Have what `rows` gives for a user's id stand in their export, under the name `section`.

    Rows are streamed: give an iterator where there may be many. They hold no secret.
    """
    _on_export[section] = rows


def exported(user_id: ObjectId) -> Iterator[tuple[str, Iterable[Mapping[str, Any]]]]:
    """Every registered section, with its rows."""
    for section, rows in _on_export.items():
        yield section, rows(user_id)
