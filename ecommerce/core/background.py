"""Work that no answer waits for, such as mail: a few threads of this process, started when needed.

For what may be lost with the process and asked for again. What must not be lost belongs into the
database, as a recorded intent.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from threading import Lock
from typing import Final

logger = logging.getLogger(__name__)

THREADS: Final = 8
"""Most of them wait for a mail server, or for a pause to be over."""
_MAX_WAITING: Final = 1000
"""Pieces of work that may wait in one process; what comes beyond is dropped, and logged."""

# Threads start with the first piece of work, so after a fork; the interpreter's end waits for them.
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="background")
_lock = Lock()
_unfinished: set[Future[None]] = set()


def run_later(name: str, work: Callable[[], None]) -> None:
    """Have `work` done soon, under the id of the present request. Never raises.

    Nor waits, but where no thread can take it: the process ends, or the system has no thread left.
    Then it is done before this returns.

    Args:
        name: what the log calls it.
        work: may raise: that is logged, and nobody else learns of it.
    """
    context = copy_context()
    piece = _once(lambda: context.run(_done, name, work))
    with _lock:
        if len(_unfinished) >= _MAX_WAITING:
            logger.error("%s is dropped: %d pieces of work are waiting", name, _MAX_WAITING)
            return
        future = _submitted(piece)
        if future is not None:
            _unfinished.add(future)
    if future is None:
        piece()
    else:
        future.add_done_callback(_forget)


def _submitted(work: Callable[[], None]) -> Future[None] | None:
    try:
        return _pool.submit(work)
    except RuntimeError:  # the interpreter ends and takes no further work, or no thread starts
        return None


def _once(work: Callable[[], None]) -> Callable[[], None]:
    """The work for whoever comes first: the pool queues a piece before it finds that no thread
    starts, and does it when one does."""
    taken = Lock()

    def first() -> None:
        if taken.acquire(blocking=False):
            work()

    return first


def wait_until_idle(seconds: float) -> bool:
    """Wait until everything is done, also what that work hands over; False if it takes longer."""
    end = time.monotonic() + seconds
    while True:
        with _lock:
            unfinished = set(_unfinished)
        if not unfinished:
            return True
        wait(unfinished, timeout=end - time.monotonic())
        if time.monotonic() > end:
            return False


def _done(name: str, work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        logger.exception("%s failed", name)


def _forget(future: Future[None]) -> None:
    with _lock:
        _unfinished.discard(future)
