"""Changes that could not be said when they were made: no read misses them once they can be."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, cast

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command
from redis.exceptions import ConnectionError as RedisConnectionError

from catalog.documents import ProductRow
from catalog.services import ProductService
from ecommerce.core import conditional, shared_redis
from ecommerce.core.commands import ShopCommand
from ecommerce.core.response_cache import changed, say_the_rest, topics
from tests.core.wsgi_calls import Calls, found, read_before_new_tokens


@pytest.fixture(autouse=True)
def _as_deployed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caches are on; what was just made has its last headers already."""
    settings.RESPONSE_CACHE = "full"
    monkeypatch.setattr(conditional, "_SETTLED", timedelta(0))


def test_a_read_while_a_late_change_is_said_keeps_no_old_answer(
    lamp: ProductRow, both: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write was answered while its change could not be said, so no read may miss it now."""
    path = f"/products/{lamp['_id']}"
    for _ in range(2):
        both(path)
    with monkeypatch.context() as refusing:
        refusing.setattr(topics, "_done", lambda _: False)
        ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Renamed"})
    between = read_before_new_tokens(lambda: both(path), monkeypatch)
    assert b'"name":"Renamed"' in both(path)[2]
    assert b'"name":"Renamed"' in between[0][2]
    assert found(lambda: both(path)) == {"shared": 1}, "and it is kept again"


class Away:
    """A Redis that does not answer until it is back; what is kept there is in `caches`."""

    def __init__(self) -> None:
        self.is_back = False

    def ping(self) -> None:
        if not self.is_back:
            raise RedisConnectionError("refused")


@pytest.fixture
def away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Away]:
    """Redis does not answer, this process knows it, and asks again in a second."""
    redis = Away()
    with monkeypatch.context() as patch:
        patch.setattr(shared_redis, "redis", lambda _: redis)
        patch.setattr(settings, "REDIS_URL", settings.REDIS_URL or "redis://127.0.0.1:1/0")
        shared_redis.ask(redis.ping, None)
        yield redis
        shared_redis.forget_outage()
        topics._unsent.clear()


def token(topic: str) -> bytes | None:
    """What every process would find."""
    return cast("bytes | None", caches[topics.CACHE].get(f"topic:{topic}"))


def eventually(is_so: Callable[[], bool]) -> bool:
    """Whether it becomes so within some seconds."""
    deadline = time.monotonic() + 5
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)
    return is_so()


def test_while_redis_is_away_what_is_unsaid_costs_reads_and_writes_nothing(
    away: Away, lamp: ProductRow, both: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much it is: an import may change every product meanwhile."""
    changed(*(f"product:{number}" for number in range(4096)))
    tokens, calls = list[bytes](), list[object]()
    make = topics._token

    def counted() -> bytes:
        tokens.append(make())
        return tokens[-1]

    monkeypatch.setattr(topics, "_token", counted)
    monkeypatch.setattr(topics, "_ask", calls.append)
    assert both(f"/products/{lamp['_id']}")[0] == "200 OK"
    ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Renamed"})
    assert (tokens, calls) == ([], [])
    assert len(topics._unsent) >= 4096


def test_once_redis_is_back_a_change_is_said_though_this_process_reads_and_writes_nothing(
    away: Away,
) -> None:
    changed("lamps")
    assert token("lamps") is None
    away.is_back = True
    assert eventually(lambda: token("lamps") is not None)
    assert eventually(lambda: not topics._unsent and not topics._late_sends)


def test_what_changed_at_the_moment_when_redis_came_back_is_said(
    away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was away when it was asked whether it is, and what was unsent had just been said."""
    answers = iter([True])
    monkeypatch.setattr(topics, "is_away", lambda: next(answers, False))
    monkeypatch.setattr(topics, "_ask", lambda work: work())
    changed("lamps")
    assert token("lamps") is not None


def test_a_process_says_before_its_end_what_it_could_not_say(
    away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    changed("lamps")
    away.is_back = True
    caplog.clear()
    say_the_rest()
    assert token("lamps") is not None
    assert [record.getMessage() for record in caplog.records] == ["Redis answers again."]


def test_what_it_cannot_say_then_either_is_logged_with_how_long_that_may_be_seen(
    away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    changed("lamps", "mugs")
    caplog.clear()
    say_the_rest()
    assert [record.getMessage() for record in caplog.records] == [
        "Redis does not answer: what was kept before may be shown for up to 5 minutes (2 topics)."
    ]
    assert token("lamps") is None


def test_a_process_that_has_said_everything_asks_nothing_at_its_end(
    away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    say_the_rest()
    assert caplog.records == []


def test_a_process_does_not_end_while_another_thread_of_it_is_saying_what_changed(
    away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, has_begun, may_go_on = topics._set, threading.Event(), threading.Event()

    def hang(values: dict[str, bytes], seconds: float) -> bool:
        has_begun.set()
        return may_go_on.wait(10) and store(values, seconds)

    monkeypatch.setattr(topics, "_set", hang)
    changed("lamps")
    away.is_back = True
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(shared_redis.look_again)
        assert has_begun.wait(10)
        last = pool.submit(say_the_rest)
        with pytest.raises(TimeoutError):
            last.result(0.1)
        may_go_on.set()
        first.result(10), last.result(10)
    assert token("lamps") is not None


@pytest.mark.parametrize("refused", [False, True])
def test_a_command_says_at_its_end_what_it_could_not_say(refused: bool, away: Away) -> None:
    class Command(ShopCommand):
        def run(self, **_: Any) -> None:
            changed("lamps")
            away.is_back = True
            if refused:
                raise CommandError("no")

    with pytest.raises(CommandError) if refused else nullcontext():
        call_command(Command())
    assert token("lamps") is not None


def test_a_redis_that_answers_nothing_but_pings_is_asked_by_one_thread(
    away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said when it is back opens the breaker again, whose thread that is then."""
    told: list[int] = []

    def say() -> None:
        told.append(1)
        shared_redis.ask(_refused, None)

    monkeypatch.setattr(shared_redis, "_ASKED_EVERY", 0.02)
    monkeypatch.setattr(shared_redis, "_when_back", [say])
    before = breaker_threads()
    away.is_back = True
    assert eventually(lambda: len(told) > 20)
    assert eventually(lambda: breaker_threads() <= before)  # the one that said it is ending


def _refused() -> None:
    raise RedisConnectionError("refused")


def breaker_threads() -> int:
    return sum(thread.name == "redis-breaker" for thread in threading.enumerate())


def test_who_made_everything_void_learns_whether_it_was_done(away: Away) -> None:
    assert not topics.everything_changed()
