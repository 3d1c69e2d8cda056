"""What one process of ours costs, kind of request by kind of request: writes measured.json.

CPU time of the process is measured, not the time on the clock: it says what a core can do even
where other work runs beside it.
"""

import json
import os
import platform
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import redis
from pymongo import MongoClient

from benchmarks import dataset, stores
from benchmarks.dataset import Dataset
from benchmarks.kinds import PROCESS_WARM
from benchmarks.load import measure, write_calls
from benchmarks.rounds import Scene, environment_of
from benchmarks.servers import Server, family, running
from benchmarks.workloads import WORKLOADS, Workload

MEASURED: Final = Path(__file__).with_name("measured.json")
KINDS: Final = {
    "product": "GET product, process-warm",
    "list": "list of 20, cached",
    "search": "search, process-warm",
    "add": "add to cart, own carts of 1 line",
    "login": "login, right",
}
"""Our names, and the workloads of the benchmark that they are."""
_SECONDS: Final = 4
_CONNECTIONS: Final = {"login": 1}
"""At once, where it is not 8: more logins than a process has room for are refused."""


def main() -> None:
    """Fill a database, load one worker with each kind in turn, and write what it cost."""
    with (
        stores.database() as (uri, name),
        stores.redis() as redis_url,
        TemporaryDirectory() as folder,
    ):
        data = dataset.fill(uri)
        named = {workload.name: workload for workload in WORKLOADS}
        rows = {}
        for kind, workload in KINDS.items():
            rows[kind] = _row(
                kind, named[workload], data, Scene(uri, redis_url, 1, _SECONDS, Path(folder))
            )
            print(kind, rows[kind], flush=True)
    found = {"where": _where(name), "kinds": rows}
    MEASURED.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _where(database: str) -> dict[str, Any]:
    return {
        "cores": os.cpu_count(), "python": platform.python_version(), "database": database,
        "load_average": round(os.getloadavg()[1], 1),
    }  # fmt: skip


def _row(name: str, workload: Workload, data: Dataset, scene: Scene) -> dict[str, Any]:
    kind, at_once = PROCESS_WARM, _CONNECTIONS.get(name, 8)
    with running(kind, environment_of(kind, scene)) as server:
        calls = write_calls(workload.calls(data, kind), scene.folder / "calls")
        measure(server, calls, seconds=2, connections=at_once)
        data.empty_lines(scene.uri)
        before = _answered(scene.redis_url)
        sample = measure(server, calls, seconds=_SECONDS, connections=at_once)
        asked = _answered(scene.redis_url) - before
        return {
            "cpu_us": round(sample.cpu_per_request),
            "requests": sample.requests,
            "redis_commands": round(asked / sample.requests, 2),
            "resident_mib": round(server.resident_kib() / 1024),
            **_connections(server, scene.uri, scene.redis_url),
        }


def _answered(redis_url: str) -> int:
    return int(redis.Redis.from_url(redis_url).info("stats")["total_commands_processed"])


def _connections(server: Server, uri: str, redis_url: str) -> dict[str, int]:
    """Of all processes of the server, by the port that they lead to."""
    ports = {
        "mongodb_connections": MongoClient(uri).address[1],  # type: ignore[index]
        "redis_connections": int(redis_url.rpartition(":")[2].partition("/")[0]),
    }
    open_to = Counter(_remote_ports(server))
    return {name: open_to[port] for name, port in ports.items()}


def _remote_ports(server: Server) -> list[int]:
    """The port at the other end of every TCP connection that the server's processes hold."""
    inodes = {
        str(entry.readlink())
        for pid in family(server.process.pid)
        for entry in Path(f"/proc/{pid}/fd").iterdir()
        if entry.is_symlink()
    }
    found = []
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        fields = line.split()
        if f"socket:[{fields[9]}]" in inodes and fields[3] == "01":  # established
            found.append(int(fields[2].rpartition(":")[2], 16))
    return found


if __name__ == "__main__":
    main()
