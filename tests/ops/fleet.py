"""API servers as production runs them, each on an address of its own, found by DNS."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from tests.live.server import ROOT, LiveServer, Reply, free_port
from tests.ops.production import HOST

NAME: Final = "api.test"
_SECONDS: Final = 45.0


def eventually(condition: Callable[[], bool], what: str, seconds: float = _SECONDS) -> None:
    """Wait until it holds.

    Raises:
        AssertionError: it did not within the seconds.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"Not within {seconds:.0f} s: {what}")


def manage(environment: dict[str, str], *command: str) -> None:
    """A command of the product, before the servers start."""
    line = [sys.executable, "manage.py", *command]
    variables = {**os.environ, **environment}
    subprocess.run(line, cwd=ROOT, env=variables, check=True, stdout=subprocess.DEVNULL)


class ApiServer(LiveServer):
    """One gunicorn on an address of the loopback network."""

    def __init__(self, address: str, port: int, environment: dict[str, str]) -> None:
        self.address = address
        self.base = f"http://{address}:{port}"
        self._environment = {**os.environ, **environment, "HOST": address, "PORT": str(port)}
        self.start()

    def start(self) -> None:
        """Start it; it needs a moment to be ready."""
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, start_new_session=True
        )

    def ready(self) -> bool:
        """Whether it can serve."""
        try:
            return self.send("GET", "/readyz", Host=HOST).status == 200
        except OSError:
            return False

    def end(self) -> int:
        """SIGTERM, as a deployment does it; the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=40)

    def kill(self) -> None:
        """The machine is gone: every process of it, at once."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Names:
    """dnsmasq: one name with the addresses of all servers."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._hosts = folder / "hosts"
        self._hosts.write_text("")
        options = ["--no-daemon", "--no-resolv", "--no-hosts", "--local-ttl=1", "--user=root"]
        options += [f"--addn-hosts={self._hosts}", f"--port={self.port}", "--pid-file="]
        options += ["--listen-address=127.0.0.1", "--bind-interfaces"]
        self._process = subprocess.Popen(["dnsmasq", *options], stderr=subprocess.DEVNULL)
        eventually(self._listens, "dnsmasq listens")  # before that, SIGHUP would end it

    def answer(self, addresses: Sequence[str]) -> None:
        """What the name stands for from now on."""
        self._hosts.write_text("".join(f"{address} {NAME}\n" for address in addresses))
        self._process.send_signal(signal.SIGHUP)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self) -> None:
        """Stop answering."""
        self._process.kill()
        self._process.wait()


class Fleet:
    """Servers that come and go under one name."""

    def __init__(self, names: Names, environment: dict[str, str]) -> None:
        self.names = names
        self.port = free_port()
        self.servers: list[ApiServer] = []
        self.environment = environment

    def add(self) -> ApiServer:
        """One more server; the name answers with it when it is ready."""
        server = ApiServer(f"127.0.1.{len(self.servers) + 1}", self.port, self.environment)
        self.servers.append(server)
        return server

    def announce(self) -> None:
        """All of them are ready, and DNS says so."""
        for server in self.servers:
            eventually(server.ready, f"{server.base} is ready")
        self.names.answer([server.address for server in self.servers])

    def end(self) -> None:
        """Kill them all."""
        for server in self.servers:
            server.kill()

    def remove_last(self) -> None:
        """One server less."""
        server = self.servers.pop()
        self.names.answer([left.address for left in self.servers])
        server.end()


@contextmanager
def fleet(folder: Path, environment: dict[str, str], count: int) -> Iterator[Fleet]:
    """So many servers with these variables, ready and known to DNS, until the context ends."""
    with ExitStack() as ends:
        names = Names(folder)
        ends.callback(names.end)
        servers = Fleet(
            names,
            {"WEB_CONCURRENCY": "1", "TRUSTED_PROXIES": "1", "DRAIN_SECONDS": "3", **environment},
        )
        ends.callback(servers.end)
        for _ in range(count):
            servers.add()
        servers.announce()
        yield servers


class Edge(LiveServer):
    """A balancer before a fleet; what it writes is kept."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.port = port
        self.token = ""
        self.process = subprocess.Popen(command, env={**os.environ, **environment})

    def ask(self, method: str, path: str, body: object = None, **headers: Any) -> Reply:
        """A request to the shop's host."""
        return self.send(method, path, body, Host=HOST, **headers)

    def customer(self, username: str) -> "Signed":
        """A new user, signed in."""
        body = {"username": username, "email": f"{username}@shop.example", "password": PASSWORD}
        assert self.ask("POST", "/users/", body).status == 201
        form = {"username": username, "password": PASSWORD}
        answer = self.send("POST", "/token", form=form, Host=HOST)
        return Signed(self, answer.json()["access_token"])

    def end(self) -> None:
        """Stop it."""
        self.process.kill()
        self.process.wait()


PASSWORD: Final = "a-sound-passphrase-2026"


class Signed:
    """The edge as a signed-in user sees it."""

    def __init__(self, edge: Edge, token: str) -> None:
        self._edge = edge
        self.token = token

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """A request with the user's token."""
        return self._edge.ask(method, path, body, Authorization=f"Bearer {self.token}", **headers)


def number_in(metrics: str, series: str) -> float:
    """The value of one series in a page of metrics, 0 where it is missing."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else 0.0
