"""How often somebody may try to sign in, counted before a password is hashed.

Each attempt counts as a failure from its start, so that attempts in parallel count too; a success
takes it back. Failures are counted for the pair of account and address, for the account, and for
the address, and forgotten an hour after the last one. From its bound on a counter grants one
attempt at a time, by a lock that only one can add and that lasts longer after each: 30 s, 1 min …
15 min. The account's own lock does not bind an address that has signed in to it before: guessing
from elsewhere keeps nobody out for ever. Live sessions are never asked.

Counters live in the shared cache; while that is away, in this process.
"""

import contextlib
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.core.cache.backends.base import BaseCache

from accounts.errors import LoginLockedError
from accounts.names import name_key
from ecommerce.core.client_address import network_of
from ecommerce.core.shared_cache import SharedCache

FIRST_LOCK: Final = 30
"""Seconds; each further one lasts twice as long."""
LONGEST_LOCK: Final = 15 * 60
FORGOTTEN_AFTER: Final = 60 * 60
"""Seconds without an attempt after which a counter starts anew. Longer than any lock."""
KNOWN_FOR: Final = 30 * 24 * 60 * 60
"""Seconds that an address is known to an account after it has signed in."""
store: Final = SharedCache("login limits")


@dataclass(frozen=True, slots=True)
class Bound:
    """How many failures pass before attempts are granted one at a time."""

    name: str
    failures: int

    def lock_seconds(self, count: int) -> int:
        """How long the attempt with this number locks the counter; 0 below the bound."""
        if count < self.failures:
            return 0
        doublings = min(count - self.failures, 10)
        return min(FIRST_LOCK << doublings, LONGEST_LOCK)


PAIR: Final = Bound("pair", 10)
ACCOUNT: Final = Bound("account", 50)
ADDRESS: Final = Bound("address", 100)


@dataclass(frozen=True, slots=True)
class _Counter:
    bound: Bound
    subject: str

    @property
    def key(self) -> str:
        """In the cache. A digest: names and addresses are of any length and nobody's business."""
        digest = hashlib.sha256(self.subject.encode("utf-8", "replace")).hexdigest()
        return f"login:{self.bound.name}:{digest}"

    @property
    def lock(self) -> str:
        return f"{self.key}:lock"

    def raised(self, cache: BaseCache) -> int:
        """Count one attempt; its number."""
        cache.add(self.key, 0, FORGOTTEN_AFTER)
        try:
            count = cache.incr(self.key)
        except ValueError:  # it expired between the two
            cache.set(self.key, 1, FORGOTTEN_AFTER)
            return 1
        cache.touch(self.key, FORGOTTEN_AFTER)
        return count

    def lowered(self, cache: BaseCache) -> None:
        """Take one attempt back."""
        with contextlib.suppress(ValueError):
            cache.decr(self.key)


@dataclass(slots=True)
class Attempt:
    """One attempt that was let through."""

    address: str
    counters: list[_Counter] = field(default_factory=list)
    locked: list[_Counter] = field(default_factory=list)
    """Those that it has locked; it is the one attempt that they grant."""
    lock_seconds: int = 0
    """How long the longest of these locks lasts if the attempt fails."""

    def succeeded(self, names: Iterable[str]) -> None:
        """Clear the failures of the account, by each of its names, and know the address."""
        if self.counters:
            store.call(lambda cache: self._clear(cache, list(names)))

    def withdrawn(self) -> None:
        """It was not decided: as if it had not been made."""
        if self.counters:
            store.call(self._take_back)

    def _clear(self, cache: BaseCache, names: list[str]) -> None:
        self._take_back(cache)
        cleared = [c for name in names for c in (_pair(name, self.address), _account(name))]
        cache.delete_many([key for c in cleared for key in (c.key, c.lock)])
        known = {_known(name, self.address): 1 for name in names}
        cache.set_many(known, KNOWN_FOR)

    def _take_back(self, cache: BaseCache) -> None:
        for counter in self.counters:
            counter.lowered(cache)
        cache.delete_many([counter.lock for counter in self.locked])


def begin(*, login: str, address: str) -> Attempt:
    """Count an attempt, if it may be made.

    Args:
        login: the username or email address as typed.
        address: the client's.

    Raises:
        LoginLockedError: too many failed; it counts as no further one.
    """
    if not settings.RATE_LIMITS_ENABLED:
        return Attempt(address)
    name = name_key(login)
    return store.call(lambda cache: _begin(cache, name, address))


def _begin(cache: BaseCache, name: str, address: str) -> Attempt:
    pair, account, by_address = _pair(name, address), _account(name), _address(address)
    known = _known(name, address)
    found = cache.get_many([pair.lock, account.lock, by_address.lock, known])
    counters = [pair, by_address] if known in found else [pair, account, by_address]
    _refuse([found[counter.lock] for counter in counters if counter.lock in found])
    attempt = Attempt(address)
    for counter in counters:
        _count(cache, counter, attempt)
    return attempt


def _count(cache: BaseCache, counter: _Counter, attempt: Attempt) -> None:
    attempt.counters.append(counter)
    seconds = counter.bound.lock_seconds(counter.raised(cache))
    if not seconds:
        return
    if not cache.add(counter.lock, time.time() + seconds, seconds):  # another has the one attempt
        until = cache.get(counter.lock, time.time())
        attempt._take_back(cache)
        raise LoginLockedError(max(int(until - time.time()), 1))
    attempt.locked.append(counter)
    attempt.lock_seconds = max(attempt.lock_seconds, seconds)


def _refuse(until: list[float]) -> None:
    if until:
        raise LoginLockedError(max(int(max(until) - time.time()) + 1, 1))


def _pair(name: str, address: str) -> _Counter:
    return _Counter(PAIR, f"{name}\n{network_of(address)}")


def _account(name: str) -> _Counter:
    return _Counter(ACCOUNT, name)


def _address(address: str) -> _Counter:
    return _Counter(ADDRESS, network_of(address))


def _known(name: str, address: str) -> str:
    return f"{_pair(name, address).key}:known"
