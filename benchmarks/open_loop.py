"""`python -m benchmarks.open_loop`: requests at the moments of a timetable, whatever comes back.

wrk waits for an answer before it sends the next request: a server that stalls is asked less, and
the stall is counted once. Here requests are due at random moments with a given mean rate, and a
latency runs from the moment a request was due: what waits behind a stall counts as long as it
waited. Where this program itself is late, that too is counted against the server.
"""

import json
import random
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Lock, Thread
from typing import Final

_CLIENTS: Final = 24
_SEED: Final = 8


def requests_of(path: Path, host: str) -> list[bytes]:
    """The requests of a file, ready to be sent."""
    return [_raw(line, host) for line in path.read_text("utf-8").splitlines()]


def _raw(line: str, host: str) -> bytes:
    method, path, token, kind, body = line.split("\t")
    data = body.encode() if body != "-" else b""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"Authorization: Bearer {token}"] if token != "-" else []
    lines += [f"Content-Type: {kind}", f"Content-Length: {len(data)}"] if data else []
    return "\r\n".join([*lines, "", ""]).encode() + data


class Timetable:
    """When each request is due, and what became of it."""

    def __init__(self, requests: list[bytes], *, rate: float, seconds: float) -> None:
        chance = random.Random(_SEED)
        self._requests, self._due, self._lock = requests, list[float](), Lock()
        moment = chance.expovariate(rate)
        while moment < seconds:
            self._due.append(moment)
            moment += chance.expovariate(rate)
        self._next, self._begun = iter(range(len(self._due))), time.perf_counter() + 0.2
        self.latencies: list[float] = []
        self.refused = 0

    def work(self, host: str) -> None:
        """Send what is due, one request after the other, on one connection."""
        name, _, port = host.partition(":")
        with socket.create_connection((name, int(port)), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number in self._numbers():
                due = self._begun + self._due[number]
                time.sleep(max(0.0, due - time.perf_counter()))
                connection.sendall(self._requests[number % len(self._requests)])
                status = _status_of_answer(connection)
                self.latencies.append(time.perf_counter() - due)
                self.refused += status >= 300

    def _numbers(self) -> Iterator[int]:
        while True:
            with self._lock:
                number = next(self._next, None)
            if number is None:
                return
            yield number


def _status_of_answer(connection: socket.socket) -> int:
    """Read one answer to its end.

    Raises:
        ConnectionError: the server closed before it.
    """
    received = bytearray()
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _more(connection)
    head = received[:end].decode("latin-1").lower()
    length = int(head.partition("\r\ncontent-length:")[2].partition("\r\n")[0] or 0)
    while len(received) < end + 4 + length:
        received += _more(connection)
    return int(head.split(" ", 2)[1])


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("closed before the answer ended")
    return data


def main() -> None:
    """Arguments: host:port, the file of requests, requests in a second, seconds."""
    host, path, rate, seconds = sys.argv[1:]
    table = Timetable(requests_of(Path(path), host), rate=float(rate), seconds=float(seconds))
    clients = [Thread(target=table.work, args=(host,)) for _ in range(_CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    percentiles = statistics.quantiles(table.latencies, n=100)
    found = {
        "requests": len(table.latencies), "refused": table.refused,
        "p50": percentiles[49] * 1000, "p99": percentiles[98] * 1000,
    }  # fmt: skip
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
