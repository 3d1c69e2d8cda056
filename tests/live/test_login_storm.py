"""A storm of logins against a running server: the catalog goes on; limits hold without Redis."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median
from threading import Event

import pytest

from tests.live.conftest import RedisServer
from tests.live.server import LiveServer, serve

pytestmark = pytest.mark.wire
WRONG = {"username": "demo", "password": "wrong-password"}


@contextmanager
def storm(server: LiveServer, clients: int) -> Iterator[Counter[int]]:
    """So many clients that sign in as fast as they are answered."""
    over, statuses = Event(), Counter[int]()

    def sign_in(_: int) -> None:
        while not over.is_set():
            statuses[server.send("POST", "/token", form=WRONG).status] += 1

    with ThreadPoolExecutor(clients) as pool:
        signing_in = [pool.submit(sign_in, number) for number in range(clients)]
        try:
            yield statuses
        finally:
            over.set()
        for one in signing_in:
            one.result()


def seconds_of(server: LiveServer, path: str) -> float:
    started = time.perf_counter()
    assert server.send("GET", path).status == 200
    return time.perf_counter() - started


def test_the_catalog_answers_during_a_storm(embedded: LiveServer) -> None:
    with storm(embedded, 24) as statuses:
        taken = [seconds_of(embedded, "/products/?limit=5") for _ in range(60)]
    assert statuses.keys() == {400, 503}
    assert median(taken) < 0.5, (sorted(taken), statuses)


@pytest.mark.redis
def test_without_redis_each_process_still_limits(wire_uri: str, redis: RedisServer) -> None:
    environment = {
        "MONGODB_URI": wire_uri, "REDIS_URL": redis.url, "RATE_LIMITS_ENABLED": "true",
        "WEB_CONCURRENCY": "1",
    }  # fmt: skip
    with serve(environment) as server:
        shopper = server.sign_in("demo", "demo-shop-2026")
        redis.stop()
        form = {"username": "staff", "password": "wrong-password"}
        statuses = [server.send("POST", "/token", form=form).status for _ in range(13)]
        assert statuses == [400] * 10 + [429] * 3
        assert shopper.send("GET", "/users/me").status == 200
