"""The servers of a run: each on core 0 alone, one worker; load and database on the other core."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.live.server import free_port

ROOT: Final = Path(__file__).resolve().parents[1]
SERVER_CORE: Final = "0"
LOAD_CORE: Final = "1" if (os.cpu_count() or 1) > 1 else "0"
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_WSGI: Final = ("-m", "gunicorn", "--worker-class", "gthread", "--workers", "1", "--threads", "8")
_WSGI_QUIET: Final = ("--keep-alive", "75", "--log-level", "error", "--worker-tmp-dir", "/dev/shm")
_ASGI: Final = ("-m", "uvicorn", "--workers", "1", "--no-access-log", "--log-level", "error")


@dataclass(frozen=True)
class Kind:
    """How one server is started, and what it is in the tables."""

    letter: str
    name: str
    target: str
    """Module and application."""
    asgi: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    is_ours: bool = False
    probe: str = "/products/"
    database: str = ""
    """Of ours."""
    shares_metrics: bool = False
    """Of ours: whether it counts in files, as several processes must."""

    def command(self, port: int) -> list[str]:
        """The command line on this port."""
        if self.is_ours:
            return [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
        if self.asgi:
            return [sys.executable, *_ASGI, "--port", str(port), self.target]
        bind = ("--bind", f"127.0.0.1:{port}")
        return [sys.executable, *_WSGI, *_WSGI_QUIET, *bind, self.target]


@dataclass
class Server:
    """A running server."""

    kind: Kind
    base: str
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """User and system time of the process and all below it, from /proc."""
        return sum(_ticks(pid) for pid in family(self.process.pid)) / _TICKS

    def resident_kib(self) -> int:
        """Memory that the process and all below it hold, what they share counted in each."""
        return sum(_resident_kib(pid) for pid in family(self.process.pid))


@contextmanager
def running(kind: Kind, environment: Mapping[str, str]) -> Iterator[Server]:
    """The server, ready, until the context ends."""
    port = free_port()
    variables = {
        **os.environ, "PYTHONPATH": str(ROOT), "PORT": str(port), "HOST": "127.0.0.1",
        "WEB_CONCURRENCY": "1", "WEB_THREADS": "8", **environment, **kind.environment,
    }  # fmt: skip
    command = ["taskset", "-c", SERVER_CORE, *kind.command(port)]
    # gunicorn reads a gunicorn.conf.py where it starts: ours is for our server alone.
    folder = ROOT if kind.is_ours else ROOT / "benchmarks"
    with subprocess.Popen(
        command, cwd=folder, env=variables, start_new_session=True, stdout=subprocess.DEVNULL
    ) as process:  # an access log is on stdout
        server = Server(kind, f"http://127.0.0.1:{port}", process)
        try:
            _wait(server)
            yield server
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)


def _wait(server: Server) -> None:
    for _ in range(300):
        if server.process.poll() is not None:
            raise RuntimeError(f"{server.kind.name} ended with {server.process.returncode}")
        try:
            with urllib.request.urlopen(server.base + server.kind.probe, timeout=5) as answer:
                answer.read()
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{server.kind.name} did not start")


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        below = [int(child) for child in children.read_text().split()]
    except OSError:
        below = []
    return [pid, *(one for child in below for one in family(child))]


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _resident_kib(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]
