"""Real servers for the live tests. What is missing skips them with its reason; in CI it fails."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.faults import FAULT_FILE, die_where_told
from tests.live.server import LiveServer, free_port, serve
from tests.wire.server import WireServerUnavailableError, wire_server


def missing(reason: str) -> NoReturn:
    """Skip, but never in CI: a step that cannot run there has failed."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must be able to run this: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def wire_uri() -> Iterator[str]:
    """A MongoDB over the wire: the one of MONGODB_URI, or the test server."""
    if given := os.environ.get("LIVE_MONGODB_URI"):
        yield given
        return
    try:
        with wire_server("live") as uri:
            yield uri
    except WireServerUnavailableError as fault:
        missing(str(fault))


class RedisServer:
    """A real Redis that tests may stop, pause and start."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = ["redis-server", "--port", str(self.port), "--save", ""]
        command += ["--dir", str(self._folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(100):
            ping = ["redis-cli", "-p", str(self.port), "ping"]
            if subprocess.run(ping, capture_output=True, check=False).stdout == b"PONG\n":
                return
            time.sleep(0.05)
        raise AssertionError("Redis did not start.")

    def stop(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A fresh Redis."""
    if shutil.which("redis-server") is None:
        missing("redis-server not found: apt-get install redis-server")
    server = RedisServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[LiveServer]:
    """The product on the embedded store, as `make run` starts it."""
    with serve({"STORE_PATH": str(tmp_path / "store.sqlite3")}) as server:
        yield server


@pytest.fixture
def cluster(wire_uri: str) -> Iterator[LiveServer]:
    """Several gunicorn processes on one MongoDB."""
    with serve({"MONGODB_URI": wire_uri, "WEB_CONCURRENCY": "3", "WEB_THREADS": "8"}) as server:
        yield server


@pytest.fixture(scope="module")
def fault_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a test says at which step the next worker of `breakable` dies."""
    return tmp_path_factory.mktemp("faults") / "dies-at"


@pytest.fixture(scope="module")
def breakable(wire_uri: str, fault_file: Path) -> Iterator[LiveServer]:
    """Three workers, of which one can be told where to die."""
    environment = {
        "MONGODB_URI": wire_uri,
        "DJANGO_SETTINGS_MODULE": "ecommerce.settings.test",
        "WEB_CONCURRENCY": "3",
        "IDEMPOTENCY_LEASE": "1",
        "CHECKPOINT": f"{die_where_told.__module__}.{die_where_told.__name__}",
        FAULT_FILE: str(fault_file),
    }
    with serve(environment) as server:
        yield server
