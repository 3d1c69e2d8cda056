"""Clients that keep their connections: many requests at once, and no time lost in opening."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Barrier, local
from typing import Any, TypeVar
from urllib.parse import urlsplit

from tests.live.server import LiveServer, Reply

T = TypeVar("T")
Task = Callable[[], T]


@dataclass(frozen=True)
class Client:
    """What a shopper sends with every request; each thread has a connection of its own."""

    server: LiveServer
    threads: local
    headers: tuple[tuple[str, str], ...] = ()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request on this thread's connection."""
        sent = dict(self.headers) | {k.replace("_", "-"): v for k, v in headers.items()}
        data = None if body is None else json.dumps(body)
        if data is not None:
            sent["Content-Type"] = "application/json"
        connection = self._connection()
        connection.request(method, path, data, sent)
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.headers), answer.read())

    def with_headers(self, **headers: str) -> "Client":
        """The same with further headers."""
        more = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return Client(self.server, self.threads, (*self.headers, *more))

    def _connection(self) -> HTTPConnection:
        if not hasattr(self.threads, "connection"):
            address = urlsplit(self.server.base)
            self.threads.connection = HTTPConnection(
                str(address.hostname), int(address.port or 80), timeout=30
            )
        connection: HTTPConnection = self.threads.connection
        return connection


class Crowd:
    """Threads that start their tasks at the same moment."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def at_once(self, tasks: Sequence[Task[T]]) -> list[T]:
        """What each task gives, in their order."""
        gate = Barrier(len(tasks))

        def started(task: Task[T]) -> T:
            gate.wait(timeout=30)
            return task()

        return list(self._pool.map(started, tasks))


@contextmanager
def crowd(size: int) -> Iterator[Crowd]:
    """Up to so many at once; their connections stay open from one round to the next."""
    with ThreadPoolExecutor(size) as pool:
        yield Crowd(pool)
