"""Counts commands to MongoDB and connections to it. The embedded store has neither.

To be listened to costs about 50 microseconds of about 360 for a command (40 of 230 on a quiet core:
CPU of a `find_one` over the wire protocol, with listeners and without). 15 to 28 of it is the
driver's, which makes the events even for listeners that do nothing; the counting is about 5, as its
series are looked up once (`_series`).
"""

from functools import cache, lru_cache
from threading import local
from typing import Final

from prometheus_client import Histogram
from pymongo import monitoring

from ecommerce.core import metrics
from ecommerce.core.document_classes import documents
from ecommerce.core.mongo_commands import collection_of

_COMMANDS: Final = frozenset(
    {
        "aggregate", "createIndexes", "delete", "distinct", "endSessions", "find", "findAndModify",
        "getMore", "insert", "killCursors", "listIndexes", "ping", "update",
    }
)  # fmt: skip
OTHER: Final = "other"
_FAILURES: Final = {
    monitoring.ConnectionCheckOutFailedReason.TIMEOUT: "timeout",
    monitoring.ConnectionCheckOutFailedReason.POOL_CLOSED: "pool_closed",
    monitoring.ConnectionCheckOutFailedReason.CONN_ERROR: "connection_error",
}


class CommandMetrics(monitoring.CommandListener):
    """Times every command by its name and by the collection that it is about."""

    def __init__(self) -> None:
        self._sent = local()  # a command ends in the thread that sent it, before the next one

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Keep what the end does not say."""
        self._sent.collection = collection_of(event.command_name, event.command)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Count it."""
        _series(event.command_name, self._sent.collection).observe(event.duration_micros / 1e6)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Count it among the failures too."""
        command, collection = event.command_name, self._sent.collection
        _series(command, collection).observe(event.duration_micros / 1e6)
        metrics.MONGODB_FAILURES.labels(*_known(command, collection)).inc()


class PoolMetrics(monitoring.ConnectionPoolListener):
    """Counts connections, and times how long operations wait for one."""

    def connection_created(self, event: monitoring.ConnectionCreatedEvent) -> None:  # noqa: ARG002
        """One more is open."""
        metrics.MONGODB_CONNECTIONS["open"].inc()

    def connection_closed(self, event: monitoring.ConnectionClosedEvent) -> None:  # noqa: ARG002
        """One less is open."""
        metrics.MONGODB_CONNECTIONS["open"].dec()

    def connection_checked_out(self, event: monitoring.ConnectionCheckedOutEvent) -> None:
        """An operation has got one."""
        metrics.MONGODB_CONNECTIONS["in_use"].inc()
        metrics.MONGODB_CHECKOUTS.observe(event.duration or 0)

    def connection_checked_in(self, event: monitoring.ConnectionCheckedInEvent) -> None:  # noqa: ARG002
        """It is done with it."""
        metrics.MONGODB_CONNECTIONS["in_use"].dec()

    def connection_check_out_failed(self, event: monitoring.ConnectionCheckOutFailedEvent) -> None:
        """An operation has got none."""
        metrics.MONGODB_CHECKOUT_FAILURES[_FAILURES[event.reason]].inc()

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None:
        """Nothing to count."""

    def pool_ready(self, event: monitoring.PoolReadyEvent) -> None:
        """Nothing to count."""

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None:
        """Nothing to count."""

    def pool_closed(self, event: monitoring.PoolClosedEvent) -> None:
        """Nothing to count."""

    def connection_ready(self, event: monitoring.ConnectionReadyEvent) -> None:
        """Nothing to count."""

    def connection_check_out_started(
        self, event: monitoring.ConnectionCheckOutStartedEvent
    ) -> None:
        """Nothing to count."""


@lru_cache(maxsize=512)
def _series(command: str, collection: str | None) -> Histogram:
    """Looked up once: finding a labelled series takes longer than counting in it."""
    labels = _known(command, collection)
    metrics.MONGODB_FAILURES.labels(*labels)  # there with 0: no rate sees a series' first value
    return metrics.MONGODB_COMMANDS.labels(*labels)


def _known(command: str, collection: str | None) -> tuple[str, str]:
    """The labels, out of two short lists."""
    return (
        command if command in _COMMANDS else OTHER,
        collection if collection and collection in _collections() else OTHER,
    )


@cache
def _collections() -> frozenset[str]:
    return frozenset(document._get_collection_name() for document in documents())
