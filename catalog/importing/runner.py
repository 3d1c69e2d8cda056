"""Wakes somebody up to work on imports. Who does the work is decided by the lease of each job.

With REDIS_URL, a worker (`manage.py worker`) is told through huey. A thread of each server process
looks for jobs too: without Redis at once, with Redis only for those that no worker has taken for a
while, so that an import never waits for a worker that is not there.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta
from threading import Event, Thread
from typing import Final

from bson import ObjectId
from django.conf import settings
from pymongo.errors import PyMongoError

from catalog.documents import ImportJobRow
from catalog.importing.jobs import run_next
from catalog.services import ImportJobService
from ecommerce.core.idempotency import Operation

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
"""How often a thread looks for jobs whose worker died, or that nobody was told of."""
WORKER_GRACE: Final = timedelta(seconds=15)
"""How long servers leave a free job to the workers."""


class ImportThread:
    """A thread of the server that works on imports."""

    def __init__(self) -> None:
        self._thread: Thread | None = None
        self._woken = Event()
        self._stopping = Event()

    def start(self) -> None:
        """Begin with what was left unfinished."""
        self._stopping.clear()
        self._thread = Thread(target=self._work, name="imports", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    def stop(self, *, seconds: float = 10.0) -> None:
        """Finish the row under way and give the job back."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(seconds)
            self._thread = None

    def _work(self) -> None:
        grace = WORKER_GRACE if settings.REDIS_URL else timedelta(0)
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                work_on_imports(self._stopping, unless_taken_within=grace)
            except PyMongoError as fault:
                logger.warning("Imports wait for the database: %s", fault)
            self._woken.wait(LOOK_SECONDS)


server_thread: Final = ImportThread()


def work_on_imports(stopping: Event, *, unless_taken_within: timedelta = timedelta(0)) -> None:
    """Work on jobs until none is free, or until this process has to stop.

    Raises:
        PyMongoError: the database does not answer.
    """
    while not stopping.is_set() and run_next(
        stop=stopping.is_set, unless_taken_within=unless_taken_within
    ):
        pass


def submit(
    *,
    blocks: Iterable[bytes],
    format_name: str,
    dry_run: bool,
    by: ObjectId,
    operation: Operation,
) -> ImportJobRow:
    """Take a file in, and tell whoever works on imports (arguments as ImportJobService.create).

    Raises:
        EmptyFileError: there is no byte in it.
    """
    job = ImportJobService.create(
        blocks=blocks, format_name=format_name, dry_run=dry_run, by=by, operation=operation
    )
    server_thread.wake()
    return job
