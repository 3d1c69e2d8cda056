"""What answers are made of, each with a generation: a new one makes every answer of it void.

The generation of a topic is a random token in the shared cache. An answer is kept with the tokens
that were read before its data was: whatever is written meanwhile makes it void before it is used.
A flushed or evicted token is one that nobody knows: the answer is made anew.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from threading import Condition, Lock
from typing import Any, Final, TypeVar

from django.conf import settings
from django.core.cache import caches

from ecommerce.core.mongo import uses_embedded_store
from ecommerce.core.response_cache.stored import LIFE_SECONDS
from ecommerce.core.shared_redis import ask, is_away, look_again, when_back

logger = logging.getLogger(__name__)
T = TypeVar("T")

CACHE: Final = "answers"
UNTOLD: Final = (
    "Redis does not answer: what was kept before may be shown for up to "
    f"{LIFE_SECONDS / 60:.0f} minutes"
)
"""What follows from a change that could not be said: each answer ends by itself."""
EPOCH: Final = "epoch"
"""Changes with every other topic: who knows that it is the same need not ask for any of them."""
_KEPT_SECONDS: Final = 24 * 60 * 60
_PREFIX: Final = "topic:"
_REMEMBERED_SECONDS: Final = 2.0
"""How long this process remembers what it changed: its own layer asks again within one second."""

_lock = Lock()
_changed_here: dict[str, float] = {}
_unsent: set[str] = set()
"""Topics that changed while Redis was away, a few thousand at most: said as soon as it is back."""
_late_sends = 0
"""How many threads are at saying what had been unsent: until they are done, it is not true yet."""
_late_is_said = Condition(_lock)
_WAIT_SECONDS: Final = 1.0
"""At the end of a process, for a thread that is at it: each call ends in a quarter of that."""


def changed(*topics: str) -> None:
    """Make every answer of these topics void. Call it after the write; never raises."""
    _remember(topics)
    if not is_away():
        _send(topics)
        return
    with _lock:
        _unsent.update(topics)
    _say_late()  # if it came back a moment ago: what was unsent then has been said


def _remember(topics: Iterable[str]) -> None:
    now = time.monotonic()
    with _lock:
        for topic in [t for t, at in _changed_here.items() if now - at > _REMEMBERED_SECONDS]:
            del _changed_here[topic]
        _changed_here.update(dict.fromkeys(topics, now))


def everything_changed() -> bool:
    """Make every answer void, in every process: what is stored was replaced as a whole.

    Returns:
        Whether that was done; else `UNTOLD` says what follows.
    """
    if not settings.REDIS_URL:
        return True
    cache: Any = caches[CACHE]  # django-redis's, which has more than Django's
    return ask(lambda: (cache.delete_pattern(f"{_PREFIX}*"),), None) is not None


def say_the_rest() -> None:
    """Say what could not be said, once more before this process ends."""
    with _lock:
        _late_is_said.wait_for(lambda: not _late_sends, _WAIT_SECONDS)
    if not _unsent:
        return
    look_again()
    _say_late()
    if _unsent:
        logger.warning("%s (%d topics).", UNTOLD, len(_unsent))


def _say_late() -> None:
    if _unsent and not is_away():
        _send(())


when_back(_say_late)


def changed_since(topics: Sequence[str], moment: float) -> bool:
    """Whether this process changed any of the topics after a moment of `time.monotonic`."""
    return any(_changed_here.get(topic, float("-inf")) >= moment for topic in topics)


def generations(
    topics: Sequence[str], *further: str
) -> tuple[tuple[bytes, ...], list[bytes | None]] | None:
    """The tokens of the topics, and the values of further keys, in one call.

    Returns:
        None where the shared cache is away, or has not heard of every change yet. A topic without a
        token gets one.
    """
    _say_late()
    with _lock:
        is_true = not _unsent and not _late_sends
    if not is_true:
        return None
    names = [_PREFIX + topic for topic in topics]
    found = _ask(lambda: _read([*names, *further]))
    if found is not None and not found.keys() >= set(names):
        found = _ask(lambda: _begin(names, further))
    if found is None or not found.keys() >= set(names):
        return None
    return tuple(found[name] for name in names), [found.get(key) for key in further]


def value_of(key: str) -> bytes | None:
    """One value of the shared layer."""
    return (_ask(lambda: _read([key])) or {}).get(key)


def _read(keys: Sequence[str]) -> dict[str, bytes]:
    return dict(caches[CACHE].get_many(keys))


def _begin(names: Sequence[str], further: Sequence[str]) -> dict[str, bytes]:
    """Give topics that have none a token: of many who come at once, the first one's stays."""
    for name in names:
        caches[CACHE].add(name, _token(), _KEPT_SECONDS)
    return _read([*names, *further])


def keep(key: str, value: bytes, seconds: float) -> None:
    """Keep a value in the shared layer; nothing happens where that is away."""
    _set({key: value}, seconds)


def _send(topics: Iterable[str]) -> None:
    """Say that these changed, and whatever could not be said before.

    Whoever changed what is late has been answered: no read may believe the old tokens meanwhile.
    """
    global _late_sends
    with _lock:
        late = frozenset(_unsent)
        _unsent.clear()
        _late_sends += bool(late)
    due = late.union(topics)
    try:
        if due and not _said(due):
            with _lock:
                _unsent.update(due)
    finally:
        with _lock:
            _late_sends -= bool(late)
            _late_is_said.notify_all()
    # Once more: a read that came meanwhile saw the old tokens, and kept the old answer with them.
    _remember(due)


def _said(due: Iterable[str]) -> bool:
    """Give topics new tokens. A Redis that is full refuses them, and gives the old ones: it can
    delete."""
    tokens = {_PREFIX + topic: _token() for topic in {*due, EPOCH}}
    return _set(tokens, _KEPT_SECONDS) or _forget(tokens)


def _token() -> bytes:
    return secrets.token_bytes(8)


def _set(values: dict[str, bytes], seconds: float) -> bool:
    return _done(lambda: caches[CACHE].set_many(values, seconds))


def _forget(keys: Iterable[str]) -> bool:
    return _done(lambda: caches[CACHE].delete_many(list(keys)))


def _done(work: Callable[[], object]) -> bool:
    """Whether the cache was there, and did not refuse it."""
    return _ask(lambda: (work(),)) is not None


def _ask(work: Callable[[], T]) -> T | None:
    """Ask Redis behind its breaker, or the memory of the one process there is."""
    if settings.REDIS_URL:
        return ask(work, None)
    return work() if uses_embedded_store() else None
