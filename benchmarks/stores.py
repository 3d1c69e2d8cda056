"""What the servers of a run stand on: a database and a Redis, on the core of the load."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.servers import LOAD_CORE
from tests.live.server import free_port
from tests.wire.server import wire_server


@contextmanager
def database() -> Iterator[tuple[str, str]]:
    """A MongoDB, and what it is: the one of BENCH_MONGODB_URI, or the wire-protocol server."""
    given = os.environ.get("BENCH_MONGODB_URI", "").rstrip("/")
    if given:
        yield given, "MongoDB"
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(LOAD_CORE)})  # what is started from here inherits it
    with wire_server("bench") as uri:
        os.sched_setaffinity(0, cores)
        yield uri.rpartition("/")[0], "mongo-java-server in memory"


@contextmanager
def redis() -> Iterator[str]:
    """The URL of a fresh Redis that keeps nothing."""
    port = free_port()
    command = ["taskset", "-c", LOAD_CORE, "redis-server", "--port", str(port), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        time.sleep(0.5)
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
