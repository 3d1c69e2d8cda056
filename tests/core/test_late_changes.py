"""Changes that could not be said when they were made: no read misses them once they can be."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from catalog.documents import ProductRow
from catalog.services import ProductService
from ecommerce.core import conditional, shared_redis
from ecommerce.core.response_cache import changed, topics
from tests.core.wsgi_calls import Calls, Sent, found


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
    store, between = topics._set, list[Sent]()

    def store_after_a_read(values: dict[str, bytes], seconds: float) -> bool:
        if not between:
            between.append(both(path))
        return store(values, seconds)

    for _ in range(2):
        both(path)
    with monkeypatch.context() as refusing:
        refusing.setattr(topics, "_done", lambda _: False)
        ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Renamed"})
    monkeypatch.setattr(topics, "_set", store_after_a_read)
    assert b'"name":"Renamed"' in both(path)[2]
    assert b'"name":"Renamed"' in between[0][2]
    assert found(lambda: both(path)) == {"shared": 1}, "and it is kept again"


@pytest.fixture
def away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """REDIS_URL is set, nobody listens there, and this process knows it."""
    with monkeypatch.context() as patch:
        patch.setattr(shared_redis, "redis", lambda _: Redis(port=1, socket_connect_timeout=0.1))
        before, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
        shared_redis.ask(_refused, None)
        yield
        settings.REDIS_URL = before
        shared_redis.forget_outage()
        topics._unsent.clear()


def _refused() -> None:
    raise RedisConnectionError("refused")


def test_while_redis_is_away_what_is_unsaid_costs_reads_and_writes_nothing(
    away: None, lamp: ProductRow, both: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much it is: an import may change every product meanwhile."""
    changed(*(f"product:{number}" for number in range(4096)))
    tokens, calls = list[bytes](), list[object]()
    make = topics._token

    def token() -> bytes:
        tokens.append(make())
        return tokens[-1]

    monkeypatch.setattr(topics, "_token", token)
    monkeypatch.setattr(topics, "_ask", calls.append)
    assert both(f"/products/{lamp['_id']}")[0] == "200 OK"
    ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Renamed"})
    assert (tokens, calls) == ([], [])
    assert len(topics._unsent) >= 4096
