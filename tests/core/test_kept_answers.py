"""What the layers keep: as much memory as they say, for as long as they say, and not all of it ends
at once."""

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from catalog.documents import Product, ProductRow
from ecommerce.core import conditional
from ecommerce.core.mongo import collection
from ecommerce.core.public_reads import PublicReads, layer
from ecommerce.core.public_reads.kept import Kept, KeptAnswers, unpack
from ecommerce.core.response_cache import answers, stored
from tests.core.wsgi_calls import Calls


@pytest.fixture
def packed(
    make_product: Callable[..., ProductRow],
    django: Calls,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> list[tuple[bytes, float]]:
    """Twenty answers as they were put into the shared layer, each with its seconds there."""
    settings.RESPONSE_CACHE = "full"
    monkeypatch.setattr(conditional, "_SETTLED", timedelta(0))
    put: list[tuple[bytes, float]] = []
    monkeypatch.setattr(layer, "keep", lambda _, value, seconds: put.append((value, seconds)))
    ask = Calls(PublicReads(django.application))
    for number in range(20):
        ask(f"/products/{make_product(name=f'Lamp {number}')['_id']}")
    assert len(put) == 20
    return put


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that bodies are to stay in the shared layer."""
    put: list[float] = []
    monkeypatch.setattr(answers, "keep", lambda _key, _value, seconds: put.append(seconds))
    return put


def test_what_a_process_keeps_takes_the_memory_that_it_counts(
    packed: list[tuple[bytes, float]],
) -> None:
    tracemalloc.start()
    try:
        kept, before = KeptAnswers(), tracemalloc.get_traced_memory()[0]
        for number in range(1_000):
            answer = unpack(packed[number % 20][0], now=0.0)
            assert isinstance(answer, Kept)
            kept.put(("http", "", "example.com", f"/products/{number:024x}", ""), answer)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert 0.8 <= held / kept.bytes <= 1.2


def test_what_was_put_into_the_shared_layer_together_does_not_end_together(
    lives: list[float], packed: list[tuple[bytes, float]]
) -> None:
    """Neither the bodies nor the whole answers, which end with them."""
    whole = [seconds for _, seconds in packed]
    for seconds in (lives, whole):
        assert len(set(seconds)) == 20
        assert min(seconds) >= 239  # of 240, less what the answer took to make
        assert max(seconds) <= 300
        assert max(seconds) - min(seconds) > 15
    assert whole == pytest.approx(lives, abs=1)


@pytest.fixture
def written_past_the_services(
    lamp: ProductRow, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ProductRow]:
    settings.RESPONSE_CACHE = "full"
    monkeypatch.setattr(conditional, "_SETTLED", timedelta(0))
    yield lamp
    collection(Product).update_one({"_id": lamp["_id"]}, {"$set": {"name": "Lamp"}})


@pytest.mark.parametrize("directly", [False, True])
def test_through_all_layers_an_answer_grows_no_older_than_one_life(
    directly: bool, written_past_the_services: ProductRow, django: Calls,
    make_product: Callable[..., ProductRow], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Each layer takes it from the one before at the last moment: with what is left of its life."""
    monkeypatch.setattr(stored, "LIFE_SECONDS", 1.0)
    path = f"/products/{written_past_the_services['_id']}"

    def process() -> Calls:
        return Calls(PublicReads(django.application))

    first, last_old = process(), 0.0
    if directly:  # it learns of another answer how Django's look
        first(f"/products/{make_product(name='Mug')['_id']}")
    django(path)  # keeps the body in the shared layer, and nothing else
    made = time.monotonic()
    collection(Product).update_one(
        {"_id": written_past_the_services["_id"]}, {"$set": {"name": "Other"}}
    )
    time.sleep(0.7)
    assert b'"Lamp"' in first(path)[2]  # keeps the whole answer there, and in the process
    processes = [first]
    while (asked := time.monotonic() - made) < 2.0:
        processes.append(process())
        seen = [json.loads(one(path)[2])["name"] for one in processes]
        if "Lamp" in seen:
            last_old = asked
        time.sleep(0.05)
    assert 0.7 <= last_old <= 1.0
