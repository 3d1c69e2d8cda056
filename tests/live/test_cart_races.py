"""Races over carts between separate server processes: exact results each time, 50 rounds.

What is compared is what a read finds afterwards, and the status of each answer. The bodies of
parallel answers are compared with the whole history on a real MongoDB (LIVE_MONGODB_URI) only:
mongo-java-server encodes what find-and-modify gives back after it has let go of its lock, so a
later write shows in it, sometimes by half.
"""

import os
import uuid
from collections import Counter
from collections.abc import Iterator
from functools import partial
from threading import local
from typing import Any, Final

import pytest

from tests.live.connections import Client, Crowd, Task, crowd
from tests.live.server import LiveServer, Reply, serve

pytestmark = pytest.mark.wire
ROUNDS: Final = 50
CROWD: Final = 64


@pytest.fixture(scope="module")
def shop(wire_uri: str) -> Iterator[LiveServer]:
    """Three workers with eight threads each."""
    with serve({"MONGODB_URI": wire_uri, "WEB_CONCURRENCY": "3", "WEB_THREADS": "8"}) as server:
        yield server


@pytest.fixture(scope="module")
def shoppers(shop: LiveServer) -> Iterator[Crowd]:
    with crowd(CROWD) as people:
        yield people


@pytest.fixture(scope="module")
def anyone(shop: LiveServer) -> Client:
    return Client(shop, local())


@pytest.fixture(scope="module")
def user(shop: LiveServer, anyone: Client) -> Client:
    token = shop.sign_in("demo", "demo-shop-2026").token
    return anyone.with_headers(Authorization=f"Bearer {token}")


@pytest.fixture(scope="module")
def product(shop: LiveServer) -> str:
    staff = shop.sign_in("staff", "staff-shop-2026")
    body = {"name": "Racing lamp", "price": 5, "quantity": 100_000}
    made: str = staff.send("POST", "/products/", body).json()["id"]
    return made


class Cart:
    """A cart and who may change it."""

    def __init__(self, owner: Client, product: str, quantity: int = 0) -> None:
        items = [{"product_id": product, "quantity": quantity}] if quantity else []
        made = owner.send("POST", "/shopping-carts/", {"items": items})
        assert made.status == 201, made.body
        self.id: str = made.json()["id"]
        self.path = f"/shopping-carts/{self.id}"
        self.secret: str = made.json().get("cart_token", "")
        self.owner = owner.with_headers(X_Cart_Token=self.secret) if self.secret else owner
        self._product = product

    def add(self, quantity: int = 1, **headers: str) -> Reply:
        body = {"product_id": self._product, "quantity": quantity}
        return self.owner.send("POST", f"{self.path}/items", body, **headers)

    def clear(self) -> Reply:
        return self.owner.send("DELETE", f"{self.path}/clear")

    def merge(self, user: Client, into: "Cart") -> Reply:
        return user.send("POST", f"{self.path}/merge", {"into": into.id}, X_Cart_Token=self.secret)

    def now(self) -> Any:
        return self.owner.send("GET", self.path).json()

    def delete(self) -> None:
        assert self.owner.send("DELETE", self.path).status == 204


def statuses(replies: list[Reply]) -> Counter[int]:
    return Counter(reply.status for reply in replies)


def bodies(replies: list[Reply]) -> list[dict[str, Any]]:
    """What the answers say, where the server gives back whole documents."""
    return [reply.json() for reply in replies] if "LIVE_MONGODB_URI" in os.environ else []


def test_64_adders_of_one_cart_lose_no_add(anyone: Client, shoppers: Crowd, product: str) -> None:
    for _ in range(ROUNDS):
        cart = Cart(anyone, product)
        replies = shoppers.at_once([partial(cart.add, 3)] * 64)
        assert statuses(replies) == {200: 63, 201: 1}
        now = cart.now()
        assert (now["total_quantity"], len(now["items"]), now["version"]) == (192, 1, 65)
        for told in bodies(replies):
            assert told["total_quantity"] == 3 * (told["version"] - 1)


def test_a_clear_takes_what_was_added_before_and_nothing_after(
    anyone: Client, shoppers: Crowd, product: str
) -> None:
    for _ in range(ROUNDS):
        cart = Cart(anyone, product, 5)
        replies = shoppers.at_once([*([cart.add] * 8), cart.clear, *([cart.add] * 8)])
        now = cart.now()
        assert (now["version"], len(now["items"])) == (18, bool(now["items"]))
        assert 0 <= now["total_quantity"] <= 16, "of those before the clear nothing is left"
        # The first add after the clear, if there is one, starts the line anew.
        started = bool(now["items"])
        assert statuses(replies) == Counter({200: 17 - started, 201: started})
        cleared_at = 18 - now["total_quantity"]
        for told in bodies(replies):
            since = told["version"] - cleared_at
            assert told["total_quantity"] == (since if since >= 0 else 4 + told["version"])


def test_adds_against_a_merge_are_in_the_target_or_refused(
    anyone: Client, user: Client, shoppers: Crowd, product: str
) -> None:
    for _ in range(ROUNDS):
        mine, guests = Cart(user, product, 2), Cart(anyone, product, 3)
        merge: Task[Reply] = partial(guests.merge, user, mine)
        merged, *adds = shoppers.at_once([merge, *([mine.add] * 6), *([guests.add] * 6)])
        assert merged.status == 200
        assert statuses(adds[:6]) == {200: 6}
        to_guest = statuses(adds[6:])
        assert to_guest.keys() <= {200, 409}
        assert {r.json()["code"] for r in adds[6:] if r.status == 409} <= {"cart_merged"}
        now = mine.now()
        assert now["total_quantity"] == 2 + 3 + 6 + to_guest[200]
        assert (len(now["items"]), now["version"]) == (1, 1 + 6 + 1)
        left = guests.now()
        assert (left["status"], left["total_quantity"]) == ("merged", 3 + to_guest[200])
        mine.delete()


def test_merges_of_two_carts_sent_twice_each_merge_each_once(
    anyone: Client, user: Client, shoppers: Crowd, product: str
) -> None:
    for _ in range(ROUNDS):
        mine = Cart(user, product, 2)
        one, two = Cart(anyone, product, 10), Cart(anyone, product, 100)
        replies = shoppers.at_once([partial(cart.merge, user, mine) for cart in (one, two) * 2])
        assert statuses(replies) == {200: 4}
        now = mine.now()
        assert (now["total_quantity"], now["version"]) == (112, 3)
        assert [cart.now()["status"] for cart in (one, two)] == ["merged"] * 2
        mine.delete()


def test_of_merges_into_two_carts_one_wins(
    anyone: Client, user: Client, shoppers: Crowd, product: str
) -> None:
    for _ in range(ROUNDS):
        first, second, guests = Cart(user, product), Cart(user, product), Cart(anyone, product, 7)
        targets = (first, second) * 2
        replies = shoppers.at_once([partial(guests.merge, user, into) for into in targets])
        assert statuses(replies) == {200: 2, 409: 2}
        won = {into.id for into, reply in zip(targets, replies, strict=True) if reply.status == 200}
        assert len(won) == 1
        assert {r.json()["merged_into"] for r in replies if r.status == 409} == won
        held = {cart.id: cart.now()["total_quantity"] for cart in (first, second)}
        assert held == {cart.id: 7 if cart.id in won else 0 for cart in (first, second)}
        first.delete()
        second.delete()


def test_the_same_key_32_times_at_once_adds_once(
    anyone: Client, shoppers: Crowd, product: str
) -> None:
    for _ in range(ROUNDS):
        cart, key = Cart(anyone, product), str(uuid.uuid4())
        send = partial(cart.add, 3, Idempotency_Key=key)
        replies = shoppers.at_once([send] * 32)
        codes = statuses(replies)
        assert codes[201] >= 1
        assert codes.keys() <= {201, 409}
        refused = [reply for reply in replies if reply.status == 409]
        assert {reply.json()["code"] for reply in refused} <= {"operation_in_progress"}
        assert all("Retry-After" in reply.headers for reply in refused)
        assert len({reply.body for reply in replies if reply.status == 201}) == 1
        again = send()
        assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
        assert (cart.now()["total_quantity"], cart.now()["version"]) == (3, 2)
