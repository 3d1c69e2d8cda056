"""Sees what the product asks of its database, on the embedded store and over the wire alike; and
what it asks of Redis, where there is one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, local
from typing import Any, Final

from pymongo import monitoring
from redis import Redis
from redis.client import Pipeline

from ecommerce.core.background import wait_until_idle
from ecommerce.core.embedded.collection import EmbeddedCollection
from tests.client import Answer

_KINDS: Final = {
    "insert_one": "insert", "insert_many": "insert", "update_one": "update",
    "update_many": "update", "replace_one": "update", "delete_one": "delete",
    "delete_many": "delete", "find_one_and_update": "findAndModify",
    "find_one_and_replace": "findAndModify", "find_one_and_delete": "findAndModify",
    "bulk_write": "update", "aggregate": "aggregate", "count_documents": "aggregate",
    "estimated_document_count": "count", "distinct": "distinct",
}  # fmt: skip
"""From the methods of a collection to the commands that they send to a server."""


@dataclass(frozen=True)
class Operation:
    """One request to the database; a read has its filter and its order."""

    collection: str
    kind: str
    filter: Mapping[str, Any]
    sort: tuple[tuple[str, int], ...] = ()
    limit: int = 0
    """Over the wire alone."""


_listeners: list[Callable[[Operation], None]] = []
_listening = Lock()


def listen(listener: Callable[[Operation], None]) -> None:
    """Tell the listener of every operation, in the thread that sends it, before it is sent."""
    with _listening:
        _listeners.append(listener)


def _note(operation: Operation) -> None:
    for listener in tuple(_listeners):
        listener(operation)


@contextmanager
def recorded() -> Iterator[list[Operation]]:
    """What is asked of the database while the context lasts."""
    seen: list[Operation] = []
    note = seen.append
    listen(note)
    try:
        yield seen
    finally:
        with _listening:
            _listeners[:] = [listener for listener in _listeners if listener is not note]


def asked(call: Callable[[], Answer], *, status: int | None = 200) -> list[str]:
    """What a call asks of the database, in order, as `collection.kind`.

    Args:
        status: of the answer; None: any success.
    """
    with recorded() as seen:
        answer = call()
        assert wait_until_idle(10), "what is asked after the answer counts too"
    assert answer.status == status if status else answer.status < 400, answer.body
    return [f"{operation.collection}.{operation.kind}" for operation in seen]


_redis_listeners: list[Callable[[str], None]] = []


@contextmanager
def redis_calls() -> Iterator[list[str]]:
    """What is asked of Redis while the context lasts: a command a call, or all those of a pipeline
    in one."""
    seen: list[str] = []
    _redis_listeners.append(seen.append)
    try:
        yield seen
    finally:
        _redis_listeners.pop()


class _WireListener(monitoring.CommandListener):
    def started(self, event: monitoring.CommandStartedEvent) -> None:
        operation = _from_command(event.command_name, event.command)
        if operation is not None:
            _note(operation)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing to note."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing to note."""


def _from_command(name: str, command: Mapping[str, Any]) -> Operation | None:
    kinds: dict[str, Callable[[], tuple[Any, Any]]] = {
        "find": lambda: (command["filter"], command.get("sort")),
        "aggregate": lambda: _first_match(command["pipeline"]),
        "findAndModify": lambda: (command["query"], command.get("sort")),
        "update": lambda: (command["updates"][0]["q"], None),
        "delete": lambda: (command["deletes"][0]["q"], None),
        "insert": lambda: ({}, None),
        "distinct": lambda: (command.get("query", {}), None),
        "count": lambda: (command.get("query", {}), None),
    }
    if name not in kinds:
        return None
    where, sort = kinds[name]()
    walked = tuple(dict(sort or {}).items())
    return Operation(str(command[name]), name, where, walked, abs(command.get("limit", 0)))


def _first_match(pipeline: list[Mapping[str, Any]]) -> tuple[Any, None]:
    return (pipeline[0].get("$match", {}) if pipeline else {}), None


_inside = local()


def _seeing(kind: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, noted once, however it calls others of the collection."""

    def operation(self: EmbeddedCollection, *args: Any, **kwargs: Any) -> Any:
        outermost = not getattr(_inside, "busy", False)
        if outermost:
            _note(_described(self.name, kind, args, kwargs))
            _inside.busy = True
        try:
            return method(self, *args, **kwargs)
        finally:
            if outermost:
                _inside.busy = False

    return operation


def _described(name: str, kind: str, args: tuple[Any, ...], kwargs: Any) -> Operation:
    position = 1 if kind == "distinct" else 0
    first = args[position] if len(args) > position else kwargs.get("filter", {})
    if kind == "find":
        return Operation(name, kind, first, tuple(dict(args[1] or {}).items()))
    if isinstance(first, list) and kind == "aggregate":
        return Operation(name, kind, _first_match(first)[0])
    where = first if isinstance(first, Mapping) else {}
    return Operation(name, kind, where, tuple(dict(kwargs.get("sort") or {}).items()))


def _seeing_redis(method: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
    def call(self: Redis, *args: Any, **kwargs: Any) -> Any:
        for listener in tuple(_redis_listeners):
            listener(name(self, *args))
        return method(self, *args, **kwargs)

    return call


def _of_pipeline(pipeline: Any, *_: Any) -> str:
    return " ".join(str(command[0][0]) for command in pipeline.command_stack)


def watch() -> None:
    """Start to see; once, before the first connection."""
    monitoring.register(_WireListener())
    for name, kind in _KINDS.items():
        setattr(EmbeddedCollection, name, _seeing(kind, getattr(EmbeddedCollection, name)))
    snapshot = _seeing("find", EmbeddedCollection.snapshot)
    EmbeddedCollection.snapshot = snapshot  # type: ignore[method-assign]
    of_client = _seeing_redis(Redis.execute_command, lambda _, command, *__: str(command))
    Redis.execute_command = of_client  # type: ignore[method-assign]
    of_pipeline = _seeing_redis(Pipeline.execute, _of_pipeline)
    Pipeline.execute = of_pipeline  # type: ignore[method-assign]
