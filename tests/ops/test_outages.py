"""MongoDB and Redis go away under load, in every way that networks know, and come back.

One server with three processes, as production has it; what it needs is behind links that a test
breaks. The limits are those of docs/architecture.md, "When something is down".
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

import pytest

from tests.ops.fleet import eventually
from tests.ops.linked_shop import LinkedShop
from tests.ops.production import HOST
from tests.ops.shoppers import Client, Crowd, Seen

pytestmark = [pytest.mark.ops, pytest.mark.wire, pytest.mark.redis, pytest.mark.timeout(240)]

DATABASE_SECONDS: Final = 2.0
"""No request takes longer while MongoDB does not answer."""
REDIS_SECONDS: Final = 0.25
"""No request loses more while Redis does not answer."""
BUSY: Final = 1.5
"""Seconds that a busy machine may add to a request; less than a second time-out would."""
OUTAGE: Final = 5.0
BACK_SECONDS: Final = 3.0
"""So long after the end of an outage everything works as before."""


Outage = Callable[[LinkedShop], AbstractContextManager[None]]
MONGODB: Final[dict[str, Outage]] = {
    "paused": lambda linked_shop: linked_shop.mongodb.paused(),
    "cut": lambda linked_shop: linked_shop.mongodb.cut(),
    "reset": lambda linked_shop: linked_shop.mongodb.reset(),
    "too slow": lambda linked_shop: linked_shop.mongodb.slow(3.0),
}


@contextmanager
def redis_killed(linked_shop: LinkedShop) -> Iterator[None]:
    """Redis is killed, and starts again, empty."""
    linked_shop.cache.stop()
    try:
        yield
    finally:
        linked_shop.cache.start()


REDIS: Final[dict[str, Outage]] = {
    "paused": lambda linked_shop: linked_shop.redis.paused(),
    "cut": lambda linked_shop: linked_shop.redis.cut(),
    "reset": lambda linked_shop: linked_shop.redis.reset(),
    "too slow": lambda linked_shop: linked_shop.redis.slow(0.5),
    "killed": redis_killed,
}


@dataclass
class Times:
    """When an outage began and ended, and when all was well again."""

    began: float
    ended: float
    well: float


def go_through(
    linked_shop: LinkedShop, crowd: Crowd, outage: AbstractContextManager[None]
) -> Times:
    """Load before, during and after an outage; what the probes said meanwhile is right."""
    workers = linked_shop.processes()
    with crowd.running():
        time.sleep(1)
        with outage:
            began = time.monotonic()
            time.sleep(OUTAGE)
            ended = time.monotonic()
            assert linked_shop.server.send("GET", "/livez", Host=HOST).status == 200
        eventually(linked_shop.server.ready, "ready again", BACK_SECONDS)
        well = ended + BACK_SECONDS
        time.sleep(max(0.0, well - time.monotonic()))
        time.sleep(1)
    assert linked_shop.processes() == workers, "no process died of it"
    return Times(began, ended, well)


def statuses(seen: list[Seen]) -> set[int]:
    return {one.status for one in seen}


def late(times: Times, seen: list[Seen], seconds: float) -> list[str]:
    """Who waited for longer, and when."""
    return [
        f"{one.kind} {one.status} at {one.started - times.began:.2f} took {one.seconds:.2f}"
        for one in seen if one.seconds > seconds + BUSY
    ]  # fmt: skip


def carts_hold_what_was_answered(crowd: Crowd) -> None:
    """Nothing that was answered is lost; an add without an answer may have been done, once."""
    for shopper in crowd.shoppers:
        assert shopper.added[True] > 5
        assert shopper.added[True] <= shopper.pieces() <= shopper.added.total()


@pytest.mark.parametrize("name", MONGODB)
def test_without_mongodb_every_answer_comes_in_time_and_says_when_to_come_back(
    linked_shop: LinkedShop, name: str
) -> None:
    crowd = linked_shop.crowd()
    times = go_through(linked_shop, crowd, MONGODB[name](linked_shop))
    assert late(times, crowd.seen, DATABASE_SECONDS) == []
    assert statuses(crowd.seen) <= {200, 201, 503}

    refused = [seen for seen in crowd.seen if seen.status == 503]
    assert {seen.body["code"] for seen in refused} == {"store_unavailable"}
    assert all(int(seen.headers["retry-after"]) > 0 for seen in refused)
    assert not [seen for seen in refused if seen.started < times.began - DATABASE_SECONDS]

    over = times.ended - DATABASE_SECONDS - BUSY  # who comes later may still wait when it ends
    needing = crowd.between(times.began, over, "search", "cart", "add")
    assert needing
    assert statuses(needing) == {503}
    assert statuses(crowd.between(times.well, times.well + 99)) <= {200, 201}
    carts_hold_what_was_answered(crowd)


def test_without_mongodb_the_server_is_not_ready_but_alive(linked_shop: LinkedShop) -> None:
    with linked_shop.mongodb.cut():
        time.sleep(1.1)  # for so long an answer about it is kept
        assert linked_shop.server.send("GET", "/readyz", Host=HOST).status == 503
        assert linked_shop.server.send("GET", "/livez", Host=HOST).status == 200
    eventually(linked_shop.server.ready, "ready again", BACK_SECONDS)


def test_without_mongodb_what_was_read_a_moment_ago_is_still_shown(linked_shop: LinkedShop) -> None:
    reader = Client(linked_shop.server)
    path = f"/products/{linked_shop.product}"
    assert reader.ask("product", "GET", path).status == 200
    with linked_shop.mongodb.cut():
        seen = [reader.ask("product", "GET", path) for _ in range(5)]
    assert statuses(seen) == {200}
    eventually(linked_shop.server.ready, "ready again", BACK_SECONDS)


@pytest.mark.parametrize("seconds", [0.05, 0.2])
def test_a_slow_mongodb_makes_answers_slow_and_nothing_else(
    linked_shop: LinkedShop, seconds: float
) -> None:
    crowd = linked_shop.crowd()
    times = go_through(linked_shop, crowd, linked_shop.mongodb.slow(seconds))
    assert statuses(crowd.seen) <= {200, 201}
    # Who came just before the end may have been answered after it.
    during = crowd.between(times.began, times.ended - 1, "cart", "add")
    assert min(seen.seconds for seen in during) >= seconds
    carts_hold_what_was_answered(crowd)


@pytest.mark.parametrize("name", REDIS)
def test_without_redis_everything_works_and_little_time_is_lost_once(
    linked_shop: LinkedShop, name: str
) -> None:
    crowd = linked_shop.crowd()
    times = go_through(linked_shop, crowd, REDIS[name](linked_shop))
    assert statuses(crowd.seen) <= {200, 201}
    assert late(times, crowd.seen, REDIS_SECONDS) == []
    # Who was under way when it happened, one a thread, waited; nobody after that.
    later = crowd.between(times.began + 2 * REDIS_SECONDS + BUSY, times.ended)
    assert len(later) > 50
    typical = sorted(seen.seconds for seen in later)[len(later) // 2]
    assert typical < REDIS_SECONDS
    carts_hold_what_was_answered(crowd)
