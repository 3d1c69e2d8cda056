"""Who works on imports: a thread of each server process, and workers where there may be some.

The lease of a job decides who does it. A server takes a free job at once where there can be no
workers, else only one that no worker has taken for a while, so that an import never waits for a
worker that is not there.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta
from threading import Event, Thread
from typing import Final

from bson import ObjectId
from pymongo.errors import PyMongoError

from catalog.documents import ImportJobRow
from catalog.importing import worker
from catalog.importing.jobs import work_on_imports
from catalog.services import ImportJobService
from ecommerce.core.idempotency import Operation

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
"""How often a server looks for jobs that nobody works on."""
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
        grace = WORKER_GRACE if worker.may_exist() else timedelta(0)
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                work_on_imports(self._stopping, unless_taken_within=grace)
            except PyMongoError as fault:
                logger.warning("Imports wait for the database: %s", fault)
            except Exception:  # the next look may fare better; without the thread nothing does
                logger.exception("Work on imports was interrupted.")
            self._woken.wait(LOOK_SECONDS)


server_thread: Final = ImportThread()


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
    if worker.may_exist():
        worker.wake()
    server_thread.wake()
    return job
