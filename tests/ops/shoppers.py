"""Load of one server: people who read the catalog and fill carts, and what each of them saw."""

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tests.live.server import LiveServer
from tests.ops.production import HOST

PASSWORD: Final = "a-sound-passphrase-2026"
PATIENCE: Final = 15.0
"""Seconds after which a client calls it a hang."""
_PRICES: Final = itertools.count(1)
"""No two searches ask for the same: a repeated one may be answered from the cache."""


@dataclass(frozen=True)
class Seen:
    """One request, as its client saw it."""

    kind: str
    started: float
    seconds: float
    status: int
    """0: no answer."""
    headers: Mapping[str, str]
    body: Any
    """What the answer says; without one, what happened."""


class Client:
    """One connection that is kept, as a balancer keeps it; a closed one is opened again."""

    def __init__(self, server: LiveServer, token: str = "") -> None:
        address = server.base.removeprefix("http://")
        self._connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        self._headers = {"Host": HOST, "Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def ask(self, kind: str, method: str, path: str, body: Any = None) -> Seen:
        """One request, sent once."""
        started = time.monotonic()
        data = None if body is None else json.dumps(body)
        status: int = 0
        headers: dict[str, str] = {}
        try:
            self._connection.request(method, path, data, self._headers)
            answer = self._connection.getresponse()
            text = answer.read()
            status = answer.status
            headers = {name.lower(): value for name, value in answer.getheaders()}
            content = json.loads(text)
        except ValueError:
            content = text
        except (OSError, http.client.HTTPException) as fault:
            content = repr(fault)
        if not status or headers.get("connection") == "close":
            self._connection.close()
        return Seen(kind, started, time.monotonic() - started, status, headers, content)

    def close(self) -> None:
        """The next request opens a new connection."""
        self._connection.close()


@dataclass
class Shopper:
    """Somebody with a cart."""

    client: Client
    cart: str
    product: str
    added: Counter[bool] = field(default_factory=Counter)
    """How many adds were answered as done (True) and how many not."""

    def add(self) -> Seen:
        """One piece more."""
        body = {"product_id": self.product, "quantity": 1}
        seen = self.client.ask("add", "POST", f"{self.cart}/items", body)
        self.added[seen.status in {200, 201}] += 1
        return seen

    def look(self) -> Seen:
        """Read the cart."""
        return self.client.ask("cart", "GET", self.cart)

    def empty(self) -> Seen:
        """The cart is full, or the stock is: begin anew."""
        return self.client.ask("empty", "DELETE", f"{self.cart}/clear")

    def pieces(self) -> int:
        """What the cart holds."""
        self.client.close()
        total: int = self.look().body["total_quantity"]
        return total


def sign_up(server: LiveServer, name: str) -> str:
    """A new user's token."""
    body = {"username": name, "email": f"{name}@shop.example", "password": PASSWORD}
    assert server.send("POST", "/users/", body, Host=HOST).status == 201
    form = {"username": name, "password": PASSWORD}
    token: str = server.send("POST", "/token", form=form, Host=HOST).json()["access_token"]
    return token


class Crowd:
    """Two who read one product, two who search, four who fill carts, all without a pause."""

    def __init__(self, server: LiveServer, product: str, shoppers: list[Shopper]) -> None:
        self.seen: list[Seen] = []
        self.shoppers = shoppers
        self._server = server
        self._product = product
        self._stopped = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until the context ends; then every request has had its answer."""
        works = [self._reads, self._reads, self._searches, self._searches]
        works += [self._shops(shopper) for shopper in self.shoppers]
        threads = [threading.Thread(target=self._until_stopped, args=[work]) for work in works]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join(2 * PATIENCE)
                assert not thread.is_alive()

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped.set()

    def between(self, start: float, end: float, *kinds: str) -> list[Seen]:
        """The requests of some kinds, or of all, that began in a time."""
        return [
            seen for seen in self.seen
            if start <= seen.started <= end and (not kinds or seen.kind in kinds)
        ]  # fmt: skip

    def _until_stopped(self, work: Callable[[], Iterator[Seen]]) -> None:
        for seen in work():
            self.seen.append(
                seen
                if not seen.status or seen.status >= 400
                else replace(seen, headers={}, body=None)
            )
            if self._stopped.wait(0.02):
                return

    def _reads(self) -> Iterator[Seen]:
        client = Client(self._server)
        while True:
            yield client.ask("product", "GET", f"/products/{self._product}")

    def _searches(self) -> Iterator[Seen]:
        client = Client(self._server)
        for price in _PRICES:
            yield client.ask("search", "GET", f"/products/?limit=1&max_price={price}")

    def _shops(self, shopper: Shopper) -> Callable[[], Iterator[Seen]]:
        def shops() -> Iterator[Seen]:
            while True:
                added = shopper.add()
                yield added
                yield shopper.empty() if added.status == 409 else shopper.look()

        return shops
