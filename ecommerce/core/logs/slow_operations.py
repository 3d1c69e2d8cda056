"""Names what is slow in the database: the collection and the shape of the query, never a value."""

import json
import logging
from collections.abc import Mapping
from threading import local
from typing import Any, Final

from django.conf import settings
from pymongo import monitoring

from ecommerce.core.logs.fields import SLOW_OPERATIONS
from ecommerce.core.mongo_commands import collection_of

logger = logging.getLogger("ecommerce.slow_operations")

_LONGEST: Final = 1000
"""Characters of a shape."""
_LONGEST_LIST: Final = 20
_ASKED: Final = (
    "filter", "query", "sort", "pipeline", "update", "updates", "deletes", "projection",
)  # fmt: skip
"""The parts of a command that say what it looks for and does; documents that it brings do not."""


class SlowOperationListener(monitoring.CommandListener):
    """Logs each command that took SLOW_OPERATION_MS or longer, under the request's id."""

    def __init__(self) -> None:
        self._thread = local()  # PyMongo starts and ends a command in one thread

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Keep what was asked until it is over, as the driver does: only this event has it."""
        self._thread.command = event.command

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Look at the time that it took."""
        self._judge(event, "success")

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """What failed late is as slow. Its error is whoever sent the command's to log."""
        self._judge(event, "failure")

    def _judge(
        self,
        event: monitoring.CommandSucceededEvent | monitoring.CommandFailedEvent,
        outcome: str,
    ) -> None:
        command: Mapping[str, Any] = vars(self._thread).pop("command", {})
        if event.duration_micros < settings.SLOW_OPERATION_MS * 1000:
            return
        where, shape = collection_of(event.command_name, command) or "-", shape_of(command)
        took = f"{event.duration_micros / 1000:.0f} ms"
        logger.warning(
            "%s on %s took %s: %s", event.command_name, where, took, shape,
            extra={
                "event.dataset": SLOW_OPERATIONS,
                "event.action": event.command_name,
                "event.outcome": outcome,
                "event.duration": event.duration_micros * 1000,
                "labels.mongodb_collection": where,
                "labels.mongodb_shape": shape,
            },
        )  # fmt: skip


def shape_of(command: Mapping[str, Any]) -> str:
    """What a command asks, with `?` for each value: fields, operators and directions are left."""
    given = {part: command.get(part) for part in _ASKED}
    asked = {part: _shape(v) for part, v in given.items() if isinstance(v, Mapping | list)}
    if "sort" in asked:
        asked["sort"] = dict(command["sort"])
    return json.dumps(asked, separators=(",", ":"))[:_LONGEST]


def _shape(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        shapes = [_shape(inner) for inner in value[:_LONGEST_LIST] if isinstance(inner, Mapping)]
        return shapes or ["?"]
    return "?"
