"""The Redis that all processes share, behind a breaker: what needs it goes on without it.

It may be two servers, one for what may be forgotten and one for counts (RATE_LIMIT_REDIS_URL): each
server has its own breaker.

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
_SAID_EVERY: Final = 1.0
"""Seconds between two lines about refusals of one server."""
_AWAY: Final = (RedisConnectionError, RedisTimeoutError, OSError)


CACHE: Final = "default"
"""What is kept to be fast, and may be forgotten at any time."""
LIMITS: Final = "limits"
"""Counts under limits, and of failed logins: what is forgotten there is allowed again."""


class _Breaker:
    def __init__(self, alias: str) -> None:
        self.is_open = False
        self._alias = alias
        self._lock = Lock()
        self._refusal_said = float("-inf")

    def open(self, fault: Exception) -> None:
        with self._lock:
            if self.is_open:
                return
            self.is_open = True
        _say_whether_away()
        logger.warning("Redis does not answer (%s): going on without it.", fault)
        try:
            Thread(target=self._close_when_back, name="redis-breaker", daemon=True).start()
        except RuntimeError as none_left:  # an open breaker that nobody closes stays open
            self.is_open = False
            _say_whether_away()
            logger.warning(
                "No thread can ask whether Redis is back (%s): each request does.", none_left
            )

    def say_refusal(self, fault: Exception) -> None:
        """Log it, at most once a second: a Redis that is full refuses something in each request."""
        now = time.monotonic()
        with self._lock:
            if now - self._refusal_said < _SAID_EVERY:
                return
            self._refusal_said = now
        logger.warning("Redis refuses: %s", fault)

    def close_if_back(self) -> bool:
        """Ask now, and say whether it is; who waits for Redis is told, in this thread."""
        try:
            redis(self._alias).ping()
        except (*_AWAY, RedisError):
            return False
        with self._lock:
            if not self.is_open:
                return True
            self.is_open = False
        _say_whether_away()
        logger.warning("Redis answers again.")
        for work in _when_back:
            work()
        return True

    def _close_when_back(self) -> None:
        while True:
            time.sleep(_ASKED_EVERY)
            if not self.is_open or self.close_if_back():
                return  # if it was opened again meanwhile, that thread asks


_when_back: Final[list[Callable[[], None]]] = []
_breakers: Final[dict[str, _Breaker]] = {}
"""By the address of the server: one that serves both is waited for once."""


def _breaker(alias: str) -> _Breaker:
    address = settings.CACHES[alias]["LOCATION"]
    found = _breakers.get(address)
    return found or _breakers.setdefault(address, _Breaker(alias))


def _say_whether_away() -> None:
    metrics.REDIS_AWAY.set(any(breaker.is_open for breaker in [*_breakers.values()]))


def redis(alias: str = CACHE) -> Redis:
    """A client of the shared Redis; REDIS_URL is set."""
    client: Redis = get_redis_connection(alias)
    return client


def ask(work: Callable[[], T], otherwise: T, alias: str = CACHE) -> T:
    """What `work` gets from Redis; `otherwise` at once while Redis is not set up or is away.

    A Redis that is full refuses writes: that is `otherwise` too, but it still answers reads.
    """
    if not settings.REDIS_URL or (breaker := _breaker(alias)).is_open:
        return otherwise
    began = time.perf_counter()
    try:
        return work()
    except _AWAY as fault:
        metrics.REDIS_FAILURES["away"].inc()
        breaker.open(fault)
    except RedisError as fault:
        metrics.REDIS_FAILURES["refused"].inc()
        breaker.say_refusal(fault)
    finally:
        metrics.REDIS_CALLS.observe(time.perf_counter() - began)
    return otherwise


def is_away(alias: str = CACHE) -> bool:
    """Whether asking it now would give what is otherwise; False where Redis is not set up."""
    return bool(settings.REDIS_URL) and _breaker(alias).is_open


def when_back(work: Callable[[], None]) -> None:
    """Have this done each time that a Redis which was away answers again.

    Args:
        work: may ask Redis at once, is safe for threads, and raises nothing.
    """
    _when_back.append(work)


def look_again(alias: str = CACHE) -> None:
    """Ask a Redis that is away now whether it is back, for who cannot wait for that."""
    if is_away(alias):
        _breaker(alias).close_if_back()


def forget_outage() -> None:
    """Ask Redis again at once (tests)."""
    for breaker in _breakers.values():
        breaker.is_open = False
    _say_whether_away()
