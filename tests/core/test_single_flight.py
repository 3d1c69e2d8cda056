"""Of many who want the same answer at once one makes it; who comes after a write does not wait for
what was begun before it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest

from catalog import selectors
from catalog.documents import ProductRow
from catalog.services import ProductService
from ecommerce.core.errors import StoreUnavailableError
from ecommerce.core.response_cache import answers, single_flight
from ecommerce.core.response_cache.single_flight import SingleFlight
from ecommerce.core.response_cache.stored import Stored
from tests.client import ApiClient
from tests.operations import recorded


@pytest.fixture(autouse=True)
def _caches_on(settings: Any) -> None:
    """What is kept is what these tests are about, whatever the run says."""
    settings.RESPONSE_CACHE = "full"


def test_50_threads_that_miss_at_once_make_one_read(lamp: ProductRow) -> None:
    barrier = Barrier(50)

    def read(_: int) -> int:
        client = ApiClient()
        barrier.wait()
        return client.get(f"/products/{lamp['_id']}").status

    with recorded() as seen, ThreadPoolExecutor(50) as pool:
        statuses = set(pool.map(read, range(50)))
    assert statuses == {200}
    assert [operation.kind for operation in seen] == ["find"]


def test_who_reads_after_a_write_does_not_wait_for_a_read_from_before_it(
    lamp: ProductRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first read has the old row, and hangs; what it will give is not for who comes now."""
    read, has_read, may_go_on = selectors.product_by_id_or_slug, Event(), Event()
    path = f"/products/{lamp['_id']}"

    def hang(*args: Any, **kwargs: Any) -> ProductRow:
        row = read(*args, **kwargs)
        has_read.set()
        assert may_go_on.wait(10)
        return row

    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(selectors, "product_by_id_or_slug", hang)
        first = pool.submit(lambda: ApiClient().get(path))
        assert has_read.wait(10)
        monkeypatch.setattr(selectors, "product_by_id_or_slug", read)
        ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Renamed"})
        try:
            assert ApiClient().get(path).json()["name"] == "Renamed"
            assert not first.done()
        finally:
            may_go_on.set()
        assert first.result(10).json()["name"] == "Lamp"
    assert ApiClient().get(path).json()["name"] == "Renamed"


def test_who_missed_an_answer_that_landed_before_its_own_flight_makes_it_no_second_time(
    lamp: ProductRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, flights, between = f"/products/{lamp['_id']}", SingleFlight[Stored](), list[bytes]()

    class Late(SingleFlight[Stored]):
        """Another thread's flight is over between the look at the cache and the start of this."""

        def do(self, key: str, make: Callable[[], Stored]) -> Stored:
            monkeypatch.setattr(answers, "_flights", flights)
            between.append(ApiClient().get(path).body)
            return flights.do(key, make)

    monkeypatch.setattr(answers, "_flights", Late())
    with recorded() as seen:
        answer = ApiClient().get(path)
    assert [one.kind for one in seen] == ["find"]
    assert between == [answer.body]


def test_a_flight_that_fails_fails_for_everybody_and_the_next_one_flies_again() -> None:
    flights: SingleFlight[int] = SingleFlight()

    def fail() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        flights.do("key", fail)
    assert flights.do("key", lambda: 7) == 7


def test_who_waits_for_a_flight_that_hangs_gets_503_and_asks_the_database_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(single_flight, "_WAIT_SECONDS", 0.05)
    flights: SingleFlight[int] = SingleFlight()
    started, may_land = Event(), Event()

    def hang() -> int:
        started.set()
        return 7 if may_land.wait(10) else 0

    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(flights.do, "key", hang)
        assert started.wait(10)
        with pytest.raises(StoreUnavailableError):
            flights.do("key", lambda: pytest.fail("asked once more"))
        may_land.set()
        assert leader.result(10) == 7
