"""The image of docker/Dockerfile, built and run: what is in it, how it serves and how it ends."""

import json
import re
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Final

import pytest

from tests.live.conftest import RedisServer
from tests.live.server import LiveServer, Reply, free_port
from tests.ops.compose import as_run, services
from tests.ops.containers import Containers
from tests.ops.fleet import number_in
from tests.ops.production import HOST, production

pytestmark = [pytest.mark.ops, pytest.mark.timeout(600)]
IMAGE: Final = "shop:ops-test"
MEGABYTE: Final = 1_000_000
ADDED_AT_MOST: Final = 130 * MEGABYTE
"""What the image may add to its base."""
HARDENED: Final = (
    "--network=host", "--read-only", "--tmpfs=/tmp:size=64m", "--cap-drop=ALL",
    "--security-opt=no-new-privileges", "--pids-limit=200", "--memory=512m",
)  # fmt: skip
_AUTHORITIES: Final = Path("/etc/ssl/certs/ca-certificates.crt")


@pytest.fixture(scope="module")
def mark() -> str:
    """A text that the secrets of the build hold."""
    return secrets.token_hex(16)


@pytest.fixture(scope="module")
def image(containers: Containers, mark: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of the image, built as a company behind its own CA builds it."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "ca").write_text(f"# {mark}\n{_AUTHORITIES.read_text()}")
    (folder / "pip").write_text(f"# {mark}\n[global]\ntimeout = 180\n")
    given = [f"--secret=id={name},src={folder / name}" for name in ("ca", "pip")]
    build = ["build", "--network=host", "--file=docker/Dockerfile", f"--tag={IMAGE}", *given]
    containers.run(*build, *containers.base_image(), ".")
    return IMAGE


@pytest.fixture
def settings(wire_uri: str, redis: RedisServer) -> dict[str, str]:
    """What production asks for."""
    place = {"PORT": str(free_port()), "HOST": "127.0.0.1"}
    return production(mongodb=wire_uri, redis=redis.url, **place)


def variables(settings: dict[str, str]) -> list[str]:
    return [f"--env={name}={value}" for name, value in settings.items()]


def manage(containers: Containers, settings: dict[str, str], *command: str) -> str:
    """A command in a container of its own, as a job of a deployment."""
    job = ["run", "--rm", *HARDENED, *variables(settings), IMAGE]
    return containers.run(*job, "python", "manage.py", *command)


class Container(LiveServer):
    """The API in a hardened container."""

    def __init__(self, containers: Containers, settings: dict[str, str], *command: str) -> None:
        self._containers = containers
        self.port = int(settings["PORT"])
        self.base = f"http://127.0.0.1:{self.port}"
        start = ["run", "--detach", "--health-interval=1s", *HARDENED, *variables(settings)]
        self.name = containers.run(*start, IMAGE, *command)
        self._wait_until_ready()

    def get(self, path: str) -> Reply:
        """A GET as the balancer sends it."""
        return self.send("GET", path, Host=HOST)

    def state(self) -> Any:
        """What the daemon knows of it."""
        return json.loads(self._containers.run("inspect", "--format={{json .State}}", self.name))

    def logs(self) -> str:
        """What it wrote."""
        return self._containers.run("logs", self.name)

    def do(self, *command: str) -> int:
        """The exit code of a command inside."""
        return self._containers.code("exec", self.name, *command)

    def signal(self, name: str) -> None:
        """Send a signal to its first process."""
        self._containers.run("kill", f"--signal={name}", self.name)

    def exit_code(self) -> int:
        """Wait until it has ended."""
        return int(self._containers.run("wait", self.name))

    def remove(self) -> None:
        """End it, whatever it does."""
        self._containers.run("rm", "--force", self.name)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.state()["Running"]:
            try:
                if self.get("/readyz").status == 200:
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(self.logs())


@pytest.fixture
def container(image: str, containers: Containers, settings: dict[str, str]) -> Iterator[Container]:
    """The API on a MongoDB with the demo catalog, and on a Redis."""
    manage(containers, settings, "migrate")
    manage(containers, settings, "seed", "--products", "5")
    started = Container(containers, settings)
    yield started
    started.remove()


def described(containers: Containers, image: str) -> Any:
    return json.loads(containers.run("inspect", image))[0]


def files_of(containers: Containers, image: str) -> list[str]:
    find = ["run", "--rm", "--network=none", "--user=0", "--entrypoint=find", image]
    return containers.run(*find, "/", "-xdev", "-type", "f", "-not", "-path", "/proc/*").split("\n")


def test_it_runs_as_a_numeric_user_under_tini_with_a_health_check(
    containers: Containers, image: str
) -> None:
    config = described(containers, image)["Config"]
    assert (config["User"], config["StopSignal"]) == ("10001:10001", "SIGTERM")
    assert config["Entrypoint"] == ["tini", "--"]
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "healthcheck.py"]


def test_it_holds_what_is_needed_to_run_and_nothing_else(
    containers: Containers, image: str
) -> None:
    files = files_of(containers, image)
    ours = {name.split("/")[2] for name in files if name.startswith("/app/")}
    assert ours == {
        "accounts", "carts", "catalog", "demo", "ecommerce", "gunicorn.conf.py", "healthcheck.py",
        "manage.py",
    } | {name for name in ours if name == "__pycache__"}  # fmt: skip
    unwanted = re.compile(
        r"/opt/venv/.*/pip/|/app/.*/tests?/|/\.cache/|\.env$|/var/lib/apt/lists/."
    )
    assert [name for name in files if unwanted.search(name)] == []


def test_it_adds_little_to_its_base(containers: Containers, image: str) -> None:
    base = containers.base_image()
    if not base:
        pytest.skip("the base of this build is not known here")
    sizes = [described(containers, name)["Size"] for name in (base[1].split("=")[1], image)]
    assert sizes[1] - sizes[0] < ADDED_AT_MOST, sizes


def test_the_secrets_of_the_build_are_in_no_layer(
    containers: Containers, image: str, mark: str, tmp_path: Path
) -> None:
    containers.run("save", f"--output={tmp_path / 'image.tar'}", image)
    assert mark.encode() not in (tmp_path / "image.tar").read_bytes()
    assert mark not in containers.run("history", "--no-trunc", image)


def test_without_its_settings_it_says_what_is_missing(containers: Containers, image: str) -> None:
    name = containers.run("run", "--detach", *HARDENED, image)
    assert containers.run("wait", name) == "3"
    assert "Cannot start: SECRET_KEY is not set" in containers.run("logs", name)


def test_it_serves_without_capabilities_on_a_read_only_root(container: Container) -> None:
    assert [container.get(path).status for path in ("/livez", "/readyz")] == [200, 200]
    product = container.get("/products/?limit=1").json()["items"][0]
    assert container.get(f"/products/{product['id']}").json()["name"] == product["name"]
    assert container.get("/docs").status == 200
    assert container.do("touch", "/app/written") != 0
    assert container.do("sh", "-c", "grep -q '^CapEff:.*0000000000000000' /proc/1/status") == 0
    assert "Traceback" not in container.logs()


def test_its_metrics_count_what_all_of_its_processes_do(container: Container) -> None:
    def answered() -> float:
        line = 'django_http_responses_total_by_status_total{status="404"}'
        return number_in(container.get("/metrics").body.decode(), line)

    before = answered()
    missing = [container.get("/products/" + "f" * 24).status for _ in range(20)]
    assert set(missing) == {404}
    assert answered() - before == 20


def test_as_compose_starts_it_a_scraper_may_call_it_by_its_address(
    image: str, containers: Containers, settings: dict[str, str]
) -> None:
    command = [as_run(part) for part in services("")["api"]["command"]]
    started = Container(containers, {**settings, "HOST": "0.0.0.0"}, *command)
    try:
        address = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True)
        started.base = f"http://{address.stdout.split()[0]}:{started.port}"
        assert started.send("GET", "/metrics").status == 200
        assert started.get("/metrics").status == 200
        assert started.send("GET", "/metrics", Host="another.example").status == 400
    finally:
        started.remove()


def test_its_health_check_tells_a_server_that_answers_from_one_that_does_not(
    container: Container,
) -> None:
    assert container.do("python", "healthcheck.py") == 0
    assert container.do("env", "PORT=1", "python", "healthcheck.py") == 1
    deadline = time.monotonic() + 20
    while container.state()["Health"]["Status"] != "healthy" and time.monotonic() < deadline:
        time.sleep(0.5)
    assert container.state()["Health"]["Status"] == "healthy"


def test_on_sigterm_a_request_under_way_is_answered_and_the_exit_code_is_0(
    container: Container,
) -> None:
    body = b"username=nobody&password=a-wrong-password"
    head = (
        f"POST /token HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", container.port), timeout=30) as slow_client:
        slow_client.sendall(head.encode() + body[:10])
        time.sleep(1)
        container.signal("TERM")
        time.sleep(0.5)
        assert container.get("/readyz").status == 503  # so that the balancer sends nothing more
        time.sleep(3)
        slow_client.sendall(body[10:])
        answer = HTTPResponse(slow_client, method="POST")
        answer.begin()
        assert (answer.status, json.loads(answer.read())["error"]) == (400, "invalid_grant")
    assert container.exit_code() == 0
