"""What an add costs as a cart grows: at 100 lines at most twice what it costs at one."""

from typing import Final

import pytest

from benchmarks.carts.adds import KINDS, adder, costs

pytestmark = pytest.mark.cpu  # a second process beside it makes what is large look larger
_SAMPLES: Final = 60
_ROUNDS: Final = 5
_LIMIT: Final = 2


def growth(kind: str) -> float:
    """CPU time at 100 lines over that at one line."""
    found = costs({lines: adder(lines) for lines in (1, 100)}, kind, _SAMPLES)
    return found[100].cpu.median / found[1].cpu.median


@pytest.mark.parametrize("kind", KINDS)
def test_an_add_to_100_lines_takes_little_more_than_an_add_to_one(kind: str) -> None:
    """Other work on the machine only blurs it: one of a few rounds must show it."""
    measured: list[float] = []
    while len(measured) < _ROUNDS and (not measured or min(measured) > _LIMIT):
        measured.append(growth(kind))
    assert min(measured) <= _LIMIT, measured
