"""The Redis that all processes share, behind a breaker: what needs it goes on without it.

A Redis that is paused, or whose network drops packets, costs each request that asks it its whole
time-out. So the first time-out opens the breaker of this process: nobody waits for Redis any more,
and a thread asks once a second whether it is back.
"""

import logging
import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import Final, TypeVar

from django.conf import settings
from django_redis import get_redis_connection
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ecommerce.core import metrics

logger = logging.getLogger(__name__)
T = TypeVar("T")

_ASKED_EVERY: Final = 1.0
"""Seconds between two questions whether Redis is back."""
_AWAY: Final = (RedisConnectionError, RedisTimeoutError, OSError)


class _Breaker:
    def __init__(self) -> None:
        self.is_open = False
        self._lock = Lock()

    def open(self, fault: Exception) -> None:
        with self._lock:
            if self.is_open:
                return
            self.is_open = True
        metrics.REDIS_AWAY.set(1)
        logger.warning("Redis does not answer (%s): going on without it.", fault)
        Thread(target=self._close_when_back, name="redis-breaker", daemon=True).start()

    def _close_when_back(self) -> None:
        while True:
            time.sleep(_ASKED_EVERY)
            if not self.is_open:
                return
            try:
                redis().ping()
            except RedisError:
                continue
            self.is_open = False
            metrics.REDIS_AWAY.set(0)
            logger.warning("Redis answers again.")


_breaker = _Breaker()


def redis() -> Redis:
    """A client of the shared Redis; REDIS_URL is set."""
    client: Redis = get_redis_connection("default")
    return client


def ask(work: Callable[[], T], otherwise: T) -> T:
    """What `work` gets from Redis; `otherwise` at once while Redis is not set up or is away.

    A Redis that is full refuses writes: that is `otherwise` too, but it still answers reads.
    """
    if not settings.REDIS_URL or _breaker.is_open:
        return otherwise
    began = time.perf_counter()
    try:
        return work()
    except _AWAY as fault:
        metrics.REDIS_FAILURES["away"].inc()
        _breaker.open(fault)
    except RedisError as fault:
        metrics.REDIS_FAILURES["refused"].inc()
        logger.warning("Redis refuses: %s", fault)
    finally:
        metrics.REDIS_CALLS.observe(time.perf_counter() - began)
    return otherwise


def forget_outage() -> None:
    """Ask Redis again at once (tests)."""
    _breaker.is_open = False
    metrics.REDIS_AWAY.set(0)
