"""nginx before real API servers, and before servers that do as they are told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.conftest import needs
from tests.ops.fleet import Fleet
from tests.ops.nginx.edge import Nginx, Told
from tests.ops.origins import origins


@pytest.fixture
def shop(servers: Fleet, tmp_path: Path) -> Iterator[Nginx]:
    """nginx before three real API servers, with an empty cache."""
    needs("nginx", package="nginx-light")
    edge = Nginx(tmp_path, dns_port=servers.names.port, api_port=servers.port)
    yield edge
    edge.end()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """nginx before three servers that do as they are told."""
    needs("nginx", package="nginx-light")
    needs("dnsmasq", package="dnsmasq-base")
    with origins(tmp_path, 3) as (names, found):
        edge = Nginx(tmp_path, dns_port=names.port, api_port=found[0].port)
        yield edge, found
        edge.end()


@pytest.fixture
def product(shop: Nginx) -> str:
    """The path of a product."""
    items = shop.ask("GET", "/products/?limit=100").json()["items"]
    return f"/products/{max(items, key=lambda item: item['quantity'])['id']}"
