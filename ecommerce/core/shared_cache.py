"""The cache that all processes share, and what takes its place in this one while it is away."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

from ecommerce.core.shared_redis import LIMITS, ask, forget_outage

T = TypeVar("T")

_MAX_ENTRIES: Final = 100_000


class SharedCache:
    """For counts that must go on when the shared cache is away: each process then counts alone.

    Args:
        name: what is counted, apart from others.
    """

    def __init__(self, name: str) -> None:
        self._own = LocMemCache(name, {"OPTIONS": {"MAX_ENTRIES": _MAX_ENTRIES}})

    def call(self, work: Callable[[BaseCache], T]) -> T:
        """What the work answers, done in the shared cache or else in this process's own."""
        if not settings.REDIS_URL:
            return work(caches[LIMITS])
        answered = ask(lambda: (work(caches[LIMITS]),), None, LIMITS)
        return answered[0] if answered else work(self._own)

    def forget_own(self) -> None:
        """Empty this process's own, and try the shared one again at once."""
        self._own.clear()
        forget_outage()
