"""The product as it is deployed: gunicorn with its workers, over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.datastructures import CaseInsensitiveMapping

ROOT: Final = Path(__file__).resolve().parents[2]
_FORM: Final = "application/x-www-form-urlencoded"
_START_SECONDS: Final = 90.0


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Reply:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    """By name, in any case."""
    body: bytes

    def json(self) -> Any:
        """The JSON answer."""
        return json.loads(self.body)


@dataclass
class LiveServer:
    """A running server; `token` is sent with every request."""

    base: str
    process: subprocess.Popen[bytes]
    token: str = ""

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        form: Any = None,
        raw: bytes | None = None,
        **headers: str,
    ) -> Reply:
        """One request on a connection of its own; `raw` goes out as it is."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = raw
        if form is not None:
            data, sent["Content-Type"] = urlencode(form).encode(), _FORM
        elif body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        request = urllib.request.Request(self.base + path, data=data, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Reply(
                    answer.status, CaseInsensitiveMapping(dict(answer.headers)), answer.read()
                )
        except urllib.error.HTTPError as refusal:
            return Reply(
                refusal.code, CaseInsensitiveMapping(dict(refusal.headers)), refusal.read()
            )

    def sign_in(self, username: str, password: str) -> "LiveServer":
        """The same server, as seen by this user."""
        form = {"username": username, "password": password}
        token = self.send("POST", "/token", form=form).json()["access_token"]
        return LiveServer(self.base, self.process, token)


@contextmanager
def serve(environment: Mapping[str, str], *, port: int = 0) -> Iterator[LiveServer]:
    """`manage.py serve` with these variables, until the context ends (SIGTERM, and exit code 0)."""
    port = port or free_port()
    variables = {
        **{name: value for name, value in os.environ.items() if name != "MONGODB_URI"},
        "DJANGO_SETTINGS_MODULE": "ecommerce.settings.dev",
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "RATE_LIMITS_ENABLED": "false",
        **environment,
    }
    command = [sys.executable, "manage.py", "serve"]
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL) as process:
        server = LiveServer(f"http://127.0.0.1:{port}", process)
        try:
            _wait_until_ready(server)
            yield server
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=30)


def _wait_until_ready(server: LiveServer) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"The server ended with code {server.process.returncode}.")
        try:
            if server.send("GET", "/readyz").status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("The server did not become ready.")
