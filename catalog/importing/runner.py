"""Who works on imports: a thread of each server process, and workers where there may be some.

The lease of a job decides who does it. A server takes a free job at once where there can be no
workers, else only one that no worker has taken for a while, so that an import never waits for a
worker that is not there.
"""

from collections.abc import Iterable
from datetime import timedelta
from threading import Event
from typing import Final

from bson import ObjectId

from catalog.documents import ImportJobRow
from catalog.importing import worker
from catalog.importing.jobs import work_on_imports
from catalog.services import ImportJobService
from ecommerce.core.idempotency import Operation
from ecommerce.core.periodic import Periodic

LOOK_SECONDS: Final = 5.0
"""How often a server looks for jobs that nobody works on."""
WORKER_GRACE: Final = timedelta(seconds=15)
"""How long servers leave a free job to the workers."""


def _look(stopping: Event) -> None:
    grace = WORKER_GRACE if worker.may_exist() else timedelta(0)
    work_on_imports(stopping, unless_taken_within=grace)


server_thread: Final = Periodic("imports", _look, seconds=LOOK_SECONDS)
"""At the end of the process the row under way is finished, and the job given back."""


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
