"""An alert reaches whom it is for: our rules, a real Prometheus and a real Alertmanager.

Times of rules and routes pass SCALE times faster here. Mail goes without a password: Go sends none
to a server without TLS.
"""

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import orjson
import pytest
import yaml
from aiosmtpd.controller import Controller

from tests.live.server import ROOT, free_port
from tests.ops.conftest import needs
from tests.ops.exporters import redis_exporter
from tests.ops.fleet import eventually
from tests.ops.prometheus import Target, prometheus
from tests.ops.test_prometheus import checked, rules

pytestmark = [pytest.mark.ops, pytest.mark.timeout(120)]

CONFIG: Final = ROOT / "docker" / "alertmanager" / "alertmanager.yml"
SCALE: Final = 30.0
_TIME: Final = re.compile(r"(_wait: |_interval: )(\d+)([smh])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


def test_alertmanager_sends_pages_and_tickets_to_different_people() -> None:
    needs("amtool", package="prometheus-alertmanager")
    checked("amtool", "check-config", str(CONFIG))
    route = ["amtool", "config", "routes", "test", "--config.file", str(CONFIG)]
    assert checked(*route, "severity=page", "alertname=ApiDown").split() == ["on-call"]
    assert checked(*route, "severity=ticket", "alertname=ImportsWait").split() == ["tickets"]


def test_what_alertmanager_keeps_back_are_alerts_that_exist() -> None:
    text = CONFIG.read_text("utf-8")
    names = [rule["alert"] for rule in rules("alert")]
    patterns = re.findall(r'alertname=~?"(.*?)"', text)
    assert len(patterns) == 4
    for pattern in patterns:
        assert [name for name in names if re.fullmatch(pattern, name)], pattern


@dataclass
class Receivers:
    """Who is on call, and the mailbox of the team."""

    pages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What came to the pager, each with the credentials that it came with."""
    mails: list[str] = field(default_factory=list)

    def paged(self) -> set[str]:
        """The alerts that somebody was woken for."""
        return {alert["labels"]["alertname"] for _, page in self.pages for alert in page["alerts"]}

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """A mail has come."""
        self.mails.append(envelope.content.decode())
        return "250 OK"


@contextmanager
def pager(receivers: Receivers) -> Iterator[int]:
    """An HTTP server that takes pages; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receivers.pages.append((self.headers["Authorization"], orjson.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@contextmanager
def alertmanager(folder: Path, receivers: Receivers) -> Iterator[str]:
    """One with our routes, whose receivers are on this machine; its address."""
    address, mail = f"127.0.0.1:{free_port()}", free_port()
    mailbox = Controller(receivers, hostname="127.0.0.1", port=mail)
    mailbox.start()
    with pager(receivers) as page, (folder / "alertmanager.log").open("wb") as log:
        config = folder / "alertmanager.yml"
        config.write_text(yaml.safe_dump(_configuration(folder, mail=mail, page=page)), "utf-8")
        command = ["prometheus-alertmanager", f"--config.file={config}"]
        command += [f"--storage.path={folder / 'alerts'}", f"--web.listen-address={address}"]
        with subprocess.Popen([*command, "--cluster.listen-address="], stderr=log) as process:
            yield address
            process.kill()
    mailbox.stop()


def _configuration(folder: Path, *, mail: int, page: int) -> Any:
    def shorter(time: re.Match[str]) -> str:
        return f"{time[1]}{round(int(time[2]) * _SECONDS[time[3]] * 1000 / SCALE)}ms"

    token = folder / "pager_token"
    token.write_text("a-token-of-tests", "ascii")
    text = _TIME.sub(shorter, CONFIG.read_text("utf-8"))
    config = yaml.safe_load(
        text.replace("smtp.shop.example:587", f"127.0.0.1:{mail}")
        .replace("https://pager.shop.example", f"http://127.0.0.1:{page}")
        .replace("/run/secrets/pager_token", str(token))
    )
    for name in ("smtp_auth_username", "smtp_auth_password_file"):
        del config["global"][name]
    config["global"]["smtp_require_tls"] = False
    return config


@pytest.fixture
def receivers(tmp_path: Path, redis: Any) -> Iterator[Receivers]:
    """Of a shop whose API is away and whose Redis is, too."""
    needs("prometheus", package="prometheus")
    needs("prometheus-alertmanager", package="prometheus-alertmanager")
    needs("prometheus-redis-exporter", package="prometheus-redis-exporter")
    found = Receivers()
    with ExitStack() as ends:
        manager = ends.enter_context(alertmanager(tmp_path, found))
        exporter = ends.enter_context(redis_exporter(redis))
        redis.stop()
        watching = ends.enter_context(
            prometheus(
                tmp_path, interval=0.5, scale=SCALE, redis=[exporter], alertmanager=[manager]
            )
        )
        watching.scrape([Target(f"127.0.0.1:{free_port()}", {}) for _ in range(2)])
        yield found


def test_a_page_wakes_who_is_on_call_and_a_ticket_is_mailed(receivers: Receivers) -> None:
    eventually(lambda: "ApiDown" in receivers.paged(), "the page has come")
    credentials, page = receivers.pages[0]
    assert credentials == "Bearer a-token-of-tests"
    (alert,) = page["alerts"]
    assert alert["annotations"]["summary"] == "No API server answers the scraper"
    assert alert["annotations"]["runbook_url"].endswith("/docs/operations.md#apidown")
    eventually(lambda: bool(receivers.mails), "the mail has come")
    assert any("RedisDown" in mail for mail in receivers.mails)
    assert all("ApiDown" not in mail for mail in receivers.mails)
    assert receivers.paged() == {"ApiDown"}
