"""What the driver tells of a command, for those who listen to it."""

from collections.abc import Mapping
from typing import Any


def collection_of(name: str, command: Mapping[str, Any]) -> str | None:
    """What a command gives under its own name, and `getMore` beside it: its collection.

    Args:
        name: of the command.
        command: as it was sent.
    """
    given = command.get("collection" if name == "getMore" else name)
    return given if isinstance(given, str) else None
