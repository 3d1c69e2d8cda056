"""How much of a process hashing may take, so that a login storm leaves room for everything else.

A hash takes a core for about 20 ms. HASHING lets no more of them run at once than there are cores
for this process, and gives way to requests that compute. Whoever waits for one holds a thread of
the server, so LOGINS lets fewer sign in at once than there are threads: the rest are told to come
again, which takes no time.
"""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore
from typing import Final, TypeVar

from django.conf import settings

from accounts.errors import BusyError

Result = TypeVar("Result")

HASHING_WAIT: Final = 2.0
"""Seconds."""
_NICENESS: Final = 10
"""Of threads that hash. Linux gives such a one a tenth of the core while others want it: a read
runs at once, and a login goes on even on a core that reads keep busy. 19 would be a sixtieth."""


class Slots:
    """So many may be inside at once.

    Args:
        count: how many.
        wait: seconds that one more waits for its turn.
    """

    def __init__(self, count: int, *, wait: float) -> None:
        self._semaphore = BoundedSemaphore(count)
        self._wait = wait

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Be inside while the context lasts.

        Raises:
            BusyError: no slot became free in time.
        """
        if not self._semaphore.acquire(timeout=self._wait):
            raise BusyError
        try:
            yield
        finally:
            self._semaphore.release()


class GivingWay(Slots):
    """Slots for work that computes: it runs in threads of its own, which give way to all others."""

    def __init__(self, count: int, *, wait: float) -> None:
        super().__init__(count, wait=wait)
        self._threads = ThreadPoolExecutor(count, "giving-way", initializer=_give_way)

    def run(self, work: Callable[[], Result]) -> Result:
        """What the work gives, or raises.

        Raises:
            BusyError: no slot became free in time; the work was not begun.
        """
        with self.taken():
            return self._threads.submit(work).result()


def _give_way() -> None:
    """Have the kernel prefer every other thread; on others than Linux it is a process's."""
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid it: then they are as all others
            os.nice(_NICENESS)


HASHING: Final = GivingWay(settings.PASSWORD_HASHES_AT_ONCE, wait=HASHING_WAIT)
LOGINS: Final = Slots(settings.LOGINS_AT_ONCE, wait=0)
