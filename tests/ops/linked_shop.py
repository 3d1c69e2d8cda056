"""One server of production with three processes; what it needs is behind links that tests break."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pymongo.uri_parser import parse_uri

from tests.live.conftest import RedisServer
from tests.live.server import free_port
from tests.ops.fleet import ApiServer, eventually, manage
from tests.ops.link import Link
from tests.ops.production import HOST, production
from tests.ops.shoppers import Client, Crowd, Shopper, sign_up

PROCESSES = 3
DRAIN_SECONDS = 3
QUOTAS = "reads=1000000,writes=1000000,registration=1000,login-address=1000"


@dataclass
class LinkedShop:
    """The server, its links, and a product with plenty of stock."""

    server: ApiServer
    mongodb: Link
    redis: Link
    cache: RedisServer
    product: str

    def crowd(self) -> Crowd:
        """People with carts of their own."""
        return Crowd(self.server, self.product, [self._shopper(number) for number in range(4)])

    def _shopper(self, number: int) -> Shopper:
        token = sign_up(self.server, f"buyer{number}-{secrets.token_hex(4)}")
        client = Client(self.server, token)
        cart = client.ask("cart", "POST", "/shopping-carts/", {}).body["id"]
        return Shopper(client, f"/shopping-carts/{cart}", self.product)

    def processes(self) -> set[str]:
        """The ids of its workers."""
        pid = self.server.process.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


@contextmanager
def running_shop(mongodb_uri: str, cache: RedisServer) -> Iterator[LinkedShop]:
    """Open, with products, until the context ends."""
    mongodb = Link(parse_uri(mongodb_uri)["nodelist"][0][1])
    redis = Link(cache.port)
    environment = production(
        mongodb=f"mongodb://127.0.0.1:{mongodb.port}/outages",
        redis=f"redis://127.0.0.1:{redis.port}/0",
        RATE_LIMITS=QUOTAS, WEB_CONCURRENCY=str(PROCESSES), DRAIN_SECONDS=str(DRAIN_SECONDS),
        ACCESS_LOG="false", ACCESS_TOKEN_EXPIRE_MINUTES="1440",  # for a soak
    )  # fmt: skip
    manage(environment, "migrate")
    manage(environment, "seed", "--products", "20")
    server = ApiServer("127.0.0.1", free_port(), environment)
    try:
        eventually(server.ready, "the shop is open")
        items = server.send("GET", "/products/?limit=100", Host=HOST).json()["items"]
        product = max(items, key=lambda item: item["quantity"])["id"]
        yield LinkedShop(server, mongodb, redis, cache, product)
    finally:
        server.kill()
        mongodb.close()
        redis.close()
