"""The product with a real Redis, and when that Redis goes away."""

import signal
import time

import pytest

from tests.live.conftest import RedisServer
from tests.live.server import LiveServer, serve

pytestmark = [pytest.mark.wire, pytest.mark.redis]


def wrong_logins(server: LiveServer, count: int) -> list[int]:
    form = {"username": "demo", "password": "wrong-password"}
    return [server.send("POST", "/token", form=form).status for _ in range(count)]


def test_limits_are_shared_by_all_processes(wire_uri: str, redis: RedisServer) -> None:
    environment = {
        "MONGODB_URI": wire_uri, "REDIS_URL": redis.url, "RATE_LIMITS_ENABLED": "true",
        "WEB_CONCURRENCY": "3",
    }  # fmt: skip
    with serve(environment) as server:
        assert wrong_logins(server, 13) == [400] * 10 + [429] * 3


def test_the_shop_goes_on_without_redis(wire_uri: str, redis: RedisServer) -> None:
    environment = {
        "MONGODB_URI": wire_uri, "REDIS_URL": redis.url, "RATE_LIMITS_ENABLED": "true",
        "WEB_CONCURRENCY": "1",
    }  # fmt: skip
    with serve(environment) as server:
        shopper = server.sign_in("demo", "demo-shop-2026")
        redis.stop()
        assert shopper.send("POST", "/shopping-carts/", {}).status == 201
        assert shopper.send("GET", "/products/").status == 200
        redis.start()
        redis.process.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        assert shopper.send("POST", "/shopping-carts/", {}).status == 201
        assert time.monotonic() - started < 2
        redis.process.send_signal(signal.SIGCONT)
        assert shopper.send("POST", "/shopping-carts/", {}).headers["RateLimit"]
