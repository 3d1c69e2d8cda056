"""A Docker daemon for tests, and a base image where no registry can be reached.

A daemon that runs already is used as it is. Else one is started with a folder and a socket of its
own, and without networks: containers share the network of the machine.
"""

import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.live.server import ROOT

BASE: Final = "shop-base:bookworm"
_BASE_FILE: Final = ROOT / ".cache" / "ops" / "bookworm-base.tar"
_MIRROR: Final = "http://deb.debian.org/debian"
_START_SECONDS: Final = 30
_END_SECONDS: Final = 20
_COMMAND_SECONDS: Final = 300
_CLIENTS: Final = ("docker", "/usr/bin/docker")


class ContainersUnavailableError(Exception):
    """No daemon can run here; the message says why."""


@dataclass
class Containers:
    """A client of the daemon."""

    client: str
    host: str
    own: bool
    """Whether the daemon is ours: then no registry is asked, and images are made here."""

    def run(self, *arguments: str, check: bool = True) -> str:
        """One command of the client; its output, errors included."""
        done = subprocess.run(
            [self.client, *arguments],
            cwd=ROOT,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stdout[-4000:]
        return done.stdout.strip()

    def code(self, *arguments: str) -> int:
        """The exit code of one command of the client."""
        command = [self.client, *arguments]
        return subprocess.run(
            command, env=self._environment(), capture_output=True, check=False
        ).returncode

    def base_image(self) -> list[str]:
        """Arguments of a build: BASE_IMAGE, or what Debian's packages give, or the usual base."""
        if given := os.environ.get("BASE_IMAGE"):
            return ["--build-arg", f"BASE_IMAGE={given}"]
        if not self.own:
            return []
        if BASE not in self.run("images", "--format", "{{.Repository}}:{{.Tag}}"):
            _make_base_file()
            self.run("import", str(_BASE_FILE), BASE)
        return ["--build-arg", f"BASE_IMAGE={BASE}"]

    def _environment(self) -> dict[str, str]:
        given = {"DOCKER_BUILDKIT": "1", "DOCKER_HOST": self.host}
        return {**os.environ, **{name: value for name, value in given.items() if value}}


@contextmanager
def running_containers(folder: Path) -> Iterator[Containers]:
    """A daemon until the context ends.

    Raises:
        ContainersUnavailableError: there is none, and none can be started.
    """
    client = _client_that_builds()
    if subprocess.run([client, "info"], capture_output=True, check=False).returncode == 0:
        yield Containers(client, os.environ.get("DOCKER_HOST", ""), own=False)
        return
    if shutil.which("dockerd") is None or shutil.which("debootstrap") is None:
        raise ContainersUnavailableError("no daemon: apt-get install docker.io debootstrap")
    if os.geteuid() != 0:
        raise ContainersUnavailableError("no daemon runs, and only root can start one")
    with _daemon(folder) as host:
        yield Containers(client, host, own=True)


def _client_that_builds() -> str:
    """A client with BuildKit: before 23 it is in the client, since then in a plugin."""
    for client in _CLIENTS:
        if shutil.which(client) is None:
            continue
        plugin = subprocess.run([client, "buildx", "version"], capture_output=True, check=False)
        version = subprocess.run([client, "--version"], capture_output=True, text=True, check=True)
        if plugin.returncode == 0 or int(version.stdout.split()[2].split(".")[0]) < 23:
            return client
    raise ContainersUnavailableError("no docker client with BuildKit: apt-get install docker.io")


@contextmanager
def _daemon(folder: Path) -> Iterator[str]:
    host = f"unix://{folder}/docker.sock"
    command = ["dockerd", "--host", host, "--data-root", f"{folder}/data"]
    command += ["--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    command += ["--iptables=false", "--bridge=none", "--shutdown-timeout=5"]
    log = folder / "log"
    with log.open("wb") as sink:
        daemon = subprocess.Popen(command, stdout=sink, stderr=sink, start_new_session=True)
    try:
        _wait_until_it_answers(daemon, folder / "docker.sock", log)
        yield host
    finally:
        _end(daemon)
        # What a daemon leaves behind, and what keeps its folder from being removed.
        subprocess.run(["umount", f"{folder}/exec/netns/default"], capture_output=True, check=False)
        # Tens of thousands of files: a slow disk takes a minute and more, and nobody waits for it.
        subprocess.Popen(["rm", "-rf", "--one-file-system", str(folder)], start_new_session=True)


def _end(daemon: subprocess.Popen[bytes]) -> None:
    """Ask it to end, which takes a second; else end it and what it started."""
    daemon.terminate()
    try:
        daemon.wait(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()


def _wait_until_it_answers(daemon: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and daemon.poll() is None:
        if socket.exists() and "API listen on" in log.read_text():
            return
        time.sleep(0.1)
    raise ContainersUnavailableError(f"dockerd does not start: {log.read_text()[-500:]}")


def _make_base_file() -> None:
    """Debian with Python, as an archive that is kept: it takes a minute."""
    if _BASE_FILE.exists():
        return
    _BASE_FILE.parent.mkdir(parents=True, exist_ok=True)
    root = _BASE_FILE.with_suffix(".root")
    shutil.rmtree(root, ignore_errors=True)
    packages = "python3,python3-venv,ca-certificates"
    options = ["--variant=minbase", f"--include={packages}"]
    command: Sequence[str] = ["debootstrap", *options, "bookworm", str(root), _MIRROR]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    shutil.rmtree(root / "var" / "cache" / "apt")
    draft = _BASE_FILE.with_suffix(".draft")
    with tarfile.open(draft, "w") as archive:
        archive.add(root, arcname=".")
    shutil.rmtree(root)
    draft.rename(_BASE_FILE)
