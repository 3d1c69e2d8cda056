"""The cache that all processes share, and what takes its place in this one while it is away."""

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_AFTER: Final = 5.0
"""Seconds until the shared cache is tried again: a paused one costs its time-out once in these."""
_MAX_ENTRIES: Final = 100_000


class SharedCache:
    """For counts that must go on when the shared cache is away: each process then counts alone.

    Args:
        name: what is counted, for the log and apart from others.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._own = LocMemCache(name, {"OPTIONS": {"MAX_ENTRIES": _MAX_ENTRIES}})
        self._away_until = float("-inf")

    def call(self, work: Callable[[BaseCache], T]) -> T:
        """What the work answers, done in the shared cache or else in this process's own."""
        if time.monotonic() >= self._away_until:
            try:
                return work(caches["default"])
            except (RedisError, OSError) as fault:
                self._away_until = time.monotonic() + RETRY_AFTER
                logger.warning("This process keeps its own %s: %s", self._name, fault)
        return work(self._own)

    def forget_own(self) -> None:
        """Empty this process's own, and try the shared one again at once."""
        self._own.clear()
        self._away_until = float("-inf")
