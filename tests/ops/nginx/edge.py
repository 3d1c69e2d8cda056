"""nginx before the API: started as the image does it, asked, and its cache read."""

import http.client
import json
from pathlib import Path
from string import Template
from typing import Any, Final

from tests.live.server import ROOT, Reply, free_port
from tests.ops.fleet import NAME, PASSWORD, Edge, Fleet, Signed, eventually, manage
from tests.ops.origins import Origin
from tests.ops.production import HOST

TEMPLATE: Final = ROOT / "docker" / "nginx" / "nginx.conf.template"
PUBLIC: Final = "public, max-age=0, s-maxage=30, stale-while-revalidate=60"


class Nginx(Edge):
    """nginx as the image starts it; its log in a file."""

    def __init__(self, folder: Path, *, dns_port: int, api_port: int) -> None:
        port, self.status_port = free_port(), free_port()
        self._log = folder / "nginx.log"
        variables = {
            "API_HOST": NAME, "API_PORT": str(api_port), "DNS_SERVER": f"127.0.0.1:{dns_port}",
            "HTTP_LISTEN": f"127.0.0.1:{port}", "STATUS_LISTEN": f"127.0.0.1:{self.status_port}",
            "STATE_FOLDER": str(folder), "CACHE_SIZE": "100m",
        }  # fmt: skip
        config = folder / "nginx.conf"
        config.write_text(Template(TEMPLATE.read_text()).safe_substitute(variables))
        self.start = f"exec nginx -c {config} -g 'daemon off; user root;'"
        super().__init__(["sh", "-c", f"{self.start} >> {self._log} 2>&1"], {}, port)
        eventually(self._serves, "nginx serves")

    def _serves(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.status_port, timeout=5)
        try:
            connection.request("GET", "/livez")
        except OSError:
            return False
        return connection.getresponse().status == 200

    def end(self) -> None:
        """Stop it, its workers with it."""
        self.process.terminate()
        self.process.wait()

    def log(self) -> list[dict[str, Any]]:
        """One entry for each request."""
        lines = self._log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


Told = tuple[Nginx, list[Origin]]


def kept_for(found: list[Origin], control: str, **headers: str) -> None:
    """What the servers say of their answers."""
    for origin in found:
        origin.headers = {"Cache-Control": control, **headers}


def asked(found: list[Origin], path: str) -> int:
    """How often the servers were asked for a path."""
    return sum(origin.seen[path] for origin in found)


def came(reply: Reply) -> str | None:
    """How the cache says that the answer came about."""
    return reply.headers.get("cache-status")


def promote(servers: Fleet, shop: Nginx, name: str) -> Signed:
    """A new user with the rights of staff."""
    shop.customer(name)
    manage(servers.environment, "users", "promote", name)
    form = {"username": name, "password": PASSWORD}
    return Signed(shop, shop.send("POST", "/token", form=form, Host=HOST).json()["access_token"])
