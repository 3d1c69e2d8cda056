"""One measurement: wrk against one server for some seconds; requests, latency, CPU time."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.servers import LOAD_CORE, Server

_SCRIPT: Final = Path(__file__).with_name("load.lua")
_WARM_UPS: Final = (1, 2, 4, 8, 16)
"""Seconds; then it stops, whatever is left."""
_LONGEST_SECONDS: Final = 8
"""For what a database that scans does not answer within a round."""
_PATIENCE: Final = "10s"
"""For an answer. After wrk's own two seconds a search in a database that scans was an error, which
ended a whole run in a moment when the machine stood still."""
_ANY: Final = (200, 304)


@dataclass(frozen=True)
class Call:
    """One request of a workload."""

    method: str
    path: str
    token: str = "-"
    kind: str = "-"
    body: str = "-"

    def line(self) -> str:
        """As the load generator reads it."""
        return "\t".join((self.method, self.path, self.token, self.kind, self.body))


@dataclass(frozen=True)
class Sample:
    """What one measurement gave."""

    requests: int
    seconds: float
    cpu_seconds: float
    p50: float
    """Milliseconds; so is the other."""
    p99: float

    @property
    def cpu_per_request(self) -> float:
        """Microseconds."""
        return self.cpu_seconds / self.requests * 1e6


def write_calls(calls: Iterable[Call], path: Path) -> Path:
    """The file that the load generator reads."""
    path.write_text("".join(f"{call.line()}\n" for call in calls), encoding="utf-8")
    return path


def measure(
    server: Server,
    calls: Path,
    *,
    seconds: int,  # wrk knows whole ones alone
    connections: int = 8,
    headers: Sequence[str] = (),
    statuses: Sequence[int] = (200,),
) -> Sample:
    """Load the server and say what it cost.

    Raises:
        RuntimeError: an answer had another status than the workload expects, or none came.
    """
    before = server.cpu_seconds()
    command = wrk(
        calls, server.base, seconds=seconds, connections=connections, headers=headers,
        statuses=statuses,
    )  # fmt: skip
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    spent = server.cpu_seconds() - before
    result: dict[str, Any] = json.loads(out.rpartition("RESULT ")[2])
    if not result["requests"] and seconds < _LONGEST_SECONDS:
        return measure(
            server, calls, seconds=_LONGEST_SECONDS, connections=connections, headers=headers,
            statuses=statuses,
        )  # fmt: skip
    if result["unexpected"] or result["errors"] or not result["requests"]:
        raise RuntimeError(f"{server.kind.name}: {result}")
    return Sample(result["requests"], result["seconds"], spent, result["p50"], result["p99"])


def warm_up(server: Server, calls: Path, *, connections: int = 8) -> None:
    """Ask for everything in the file, so that what can be kept is kept.

    Each run begins at the first line: a longer one follows until one has come to the end.
    """
    wanted = len(calls.read_text("utf-8").splitlines())
    for seconds in _WARM_UPS:
        done = measure(server, calls, seconds=seconds, connections=connections, statuses=_ANY)
        if done.requests >= wanted:
            return


def wrk(
    calls: Path,
    base: str,
    *,
    seconds: int,
    connections: int,
    headers: Sequence[str] = (),
    statuses: Sequence[int] = (200,),
) -> list[str]:
    """The command that sends these requests from the core of the load."""
    return [
        "taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
        "--timeout", _PATIENCE,
        "-s", str(_SCRIPT), base, "--", str(calls),
        ",".join(map(str, statuses)), *headers,
    ]  # fmt: skip
