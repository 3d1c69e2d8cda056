"""The breaker before Redis closes again whatever the fault was, and no request fails for it."""

import logging
import threading
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any
from unittest.mock import Mock

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from ecommerce.core import shared_redis


@pytest.fixture(autouse=True)
def redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mock]:
    """Redis, which the breaker asks each hundredth of a second whether it is back."""
    client = Mock()
    settings.REDIS_URL = settings.REDIS_URL or "redis://127.0.0.1:1/0"
    monkeypatch.setattr(shared_redis, "redis", lambda *_: client)
    monkeypatch.setattr(shared_redis, "_ASKED_EVERY", 0.01)
    forget_outage()
    yield client
    forget_outage()


def forget_outage() -> None:
    """And wait for the threads that ask: one left over would take the next outage for its own."""
    shared_redis.forget_outage()
    for thread in threading.enumerate():
        if thread.name == "redis-breaker":
            thread.join(5)


def away() -> str:
    raise RedisConnectionError("connection refused")


def closes_again() -> bool:
    deadline = time.monotonic() + 5
    while shared_redis.is_away() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not shared_redis.is_away()


@pytest.mark.parametrize(
    "fault", [RedisConnectionError("refused"), OSError(113, "No route to host"), TimeoutError()]
)
def test_the_breaker_closes_when_redis_is_back_whatever_was_said_meanwhile(
    fault: Exception, redis: Mock
) -> None:
    redis.ping.side_effect = [fault, fault, True]
    shared_redis.ask(away, "otherwise")
    assert shared_redis.is_away()
    assert closes_again()
    assert shared_redis.ask(lambda: "asked", "otherwise") == "asked"


def test_who_looks_whether_redis_is_back_learns_of_no_fault(redis: Mock) -> None:
    redis.ping.side_effect = OSError(113, "No route to host")
    shared_redis.ask(away, "otherwise")
    shared_redis.look_again()
    assert shared_redis.is_away()


def test_where_no_thread_can_ask_whether_redis_is_back_the_next_request_does(
    redis: Mock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full, caplog.at_level(logging.WARNING):
        full.setattr(Thread, "start", refuse)
        assert shared_redis.ask(away, "otherwise") == "otherwise"
    assert not shared_redis.is_away()
    assert caplog.messages == [
        "Redis does not answer (connection refused): going on without it.",
        "No thread can ask whether Redis is back (can't start new thread): each request does.",
    ]
    assert shared_redis.ask(lambda: "asked", "otherwise") == "asked"
