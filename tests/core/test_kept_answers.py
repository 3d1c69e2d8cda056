"""What the layer around Django keeps: as much memory as it says, and not all of it ends at once."""

import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from catalog.documents import ProductRow
from ecommerce.core import conditional
from ecommerce.core.public_reads import PublicReads, layer
from ecommerce.core.public_reads.kept import Kept, KeptAnswers, unpack
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
    packed: list[tuple[bytes, float]],
) -> None:
    lives = [seconds for _, seconds in packed]

    assert len(set(lives)) == 20
    assert min(lives) >= 240
    assert max(lives) <= 300
    assert max(lives) - min(lives) > 15
