"""How much of a process hashing may take, so that a login storm leaves room for everything else.

A hash takes a core for about 20 ms. HASHING lets no more of them run at once than there are cores
for this process. Whoever waits for one holds a thread of the server, so LOGINS lets fewer sign in
at once than there are threads: the rest are told to come again, which takes no time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final

from django.conf import settings

from accounts.errors import BusyError

HASHING_WAIT: Final = 2.0
"""Seconds."""


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


HASHING: Final = Slots(settings.PASSWORD_HASHES_AT_ONCE, wait=HASHING_WAIT)
LOGINS: Final = Slots(settings.LOGINS_AT_ONCE, wait=0)
