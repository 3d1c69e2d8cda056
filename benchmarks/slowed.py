"""Our server with a fault of the kind that the guard is there to find: whatever shows a price
computes something that nobody needs. `tests/performance` shows by it that the guard fails."""

from benchmarks.settings import *  # noqa: F403
from ecommerce.core import money

_STEPS = 70_000
"""About as much as reading a product costs, on any machine."""
_to_major = money.to_major


def needless_work(minor: int, currency: str) -> int | float:
    """In place of `to_major`: presenters are imported later than settings."""
    sum(range(_STEPS))
    return _to_major(minor, currency)


money.to_major = needless_work
