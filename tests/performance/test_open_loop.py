"""The open loop of the benchmark: what waits behind a stall counts for as long as it waited."""

import socket
import time
from collections.abc import Iterator
from threading import Thread

import pytest

from benchmarks.open_loop import Timetable

ANSWER = b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok"
STALL = 0.4
"""Seconds, once."""


class Stalling:
    """A server that answers one client after the other, and stands still once."""

    def __init__(self, status: int) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self._status, self._stalled = status, False

    def serve(self) -> None:
        client, _ = self.socket.accept()
        with client:
            while client.recv(65536):
                if not self._stalled:
                    self._stalled = True
                    time.sleep(STALL)
                client.sendall(ANSWER % self._status)


@pytest.fixture
def stalling(request: pytest.FixtureRequest) -> Iterator[Stalling]:
    server = Stalling(getattr(request, "param", 200))
    Thread(target=server.serve, daemon=True).start()
    yield server
    server.socket.close()


def timetable(server: Stalling) -> Timetable:
    table = Timetable([b"GET / HTTP/1.1\r\n\r\n"], rate=100, seconds=0.6)
    table.work(server.host)
    return table


def test_all_that_was_due_during_a_stall_is_late(stalling: Stalling) -> None:
    table = timetable(stalling)
    late = [latency for latency in table.latencies if latency > STALL / 4]
    assert 20 <= len(late) < len(table.latencies) <= 100
    assert max(table.latencies) >= STALL
    assert table.refused == 0


@pytest.mark.parametrize("stalling", [503], indirect=True)
def test_refusals_are_counted(stalling: Stalling) -> None:
    table = timetable(stalling)
    assert table.refused == len(table.latencies) > 0


def test_a_timetable_is_the_same_in_every_run() -> None:
    first, second = (Timetable([b""], rate=50, seconds=2)._due for _ in range(2))
    assert first == second
    assert 60 <= len(first) <= 140
    assert first == sorted(first)
