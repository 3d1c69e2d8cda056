"""Works on import jobs: takes one, reads its file row by row, says how far it is."""

import logging
import os
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BufferedReader
from itertools import islice
from threading import Event
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from bson import ObjectId
from pymongo.errors import PyMongoError

from catalog import selectors
from catalog.documents import ImportJobRow, ImportOutcome
from catalog.importing.formats import BUFFER, Source, inspected, read_rows
from catalog.importing.rows import ImportRow, RowResult, Tally, UnreadableFileError
from catalog.importing.run import RowImporter
from catalog.importing.stored_file import open_stored_file
from catalog.services.imports import LEASE, ImportJobService, LeaseLostError, row_id
from ecommerce.core import metrics
from ecommerce.core.idempotency import Operation
from ecommerce.core.mongo import utc_now

logger = logging.getLogger(__name__)

_CHECKPOINT_SECONDS: Final = 1.0
_CHECKPOINT_ROWS: Final = 50
_NOT_KEPT_NAMES: Final = 100
"""Names of what products cannot hold that a job lists: the most frequent ones."""
_MAX_FAULTS: Final = 100
"""Faults and warnings that the result of a row lists."""
_MAX_TEXT: Final = 1000
"""Characters of each: some repeat what stood in the file, which may be as long as the file is."""
_MAX_TRIES: Final = 5
"""Workers that may die over a file before a row of it is done: it may be what kills them."""
_RENEW_SECONDS: Final = LEASE.total_seconds() / 4

Stop = Callable[[], bool]
"""Whether this process is about to end."""


def run_next(*, stop: Stop, unless_taken_within: timedelta = timedelta(0)) -> bool:
    """Work on the oldest job that nobody works on; whether there was one.

    When `stop` says so, the row under way is finished and the job given back. A worker that dies
    keeps its lease until it runs out; the next one goes on behind the last stored result.

    Args:
        unless_taken_within: leaves those alone that became free a shorter time ago.

    Raises:
        PyMongoError: the database does not answer; the job is free again when the lease has run
            out.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    job = ImportJobService.claim(holder=holder, free_since=utc_now() - unless_taken_within)
    _measure_queue()
    if job is None:
        return False
    try:
        _Work(job, holder, stop).run()
    except LeaseLostError:
        logger.warning("Import %s was taken over by another process.", job["_id"])
    return True


def work_on_imports(stopping: Event, *, unless_taken_within: timedelta = timedelta(0)) -> None:
    """Work on jobs until none is free, or until this process has to stop.

    Raises:
        PyMongoError: the database does not answer.
    """
    while not stopping.is_set() and run_next(
        stop=stopping.is_set, unless_taken_within=unless_taken_within
    ):
        pass


def _measure_queue() -> None:
    waiting = selectors.waiting_imports()
    metrics.IMPORTS_WAITING.set(len(waiting))
    metrics.IMPORTS_OLDEST.set(waiting[0].generation_time.timestamp() if waiting else 0)


class _Work:
    """One worker's time with one job."""

    def __init__(self, job: ImportJobRow, holder: str, stop: Stop) -> None:
        self._job_id: ObjectId = job["_id"]
        self._importer = RowImporter(dry_run=job["dry_run"])
        self._holder = holder
        self._stop = stop
        self._renewed = monotonic()
        self._file_id = job["file_id"]
        self._source = Source(self._open, job["format"])
        self._tally = Tally()
        self._tries = job.get("tries", 1)

    def run(self) -> None:
        """To the end of the file, or until this process has to stop."""
        if self._tries > _MAX_TRIES:
            detail = f"{_MAX_TRIES} processes ended while they read it: send it in smaller files."
            self._finish({"code": "gave_up", "detail": detail})
            return
        try:
            complete = self._import_all()
        except UnreadableFileError as fault:
            self._finish({"code": "unreadable_file", "detail": str(fault)[:_MAX_TEXT]})
        except (LeaseLostError, PyMongoError):
            raise
        except Exception:
            logger.exception("Import %s failed.", self._job_id)
            detail = "A fault of ours, which is logged under the id of this import."
            self._finish({"code": "internal_error", "detail": detail})
        else:
            if complete:
                self._finish()
            else:
                ImportJobService.give_back(job_id=self._job_id, holder=self._holder)

    def _import_all(self) -> bool:
        for outcome, not_kept in selectors.import_outcomes(self._job_id):
            self._tally.note(outcome, not_kept)
        self._source, total = inspected(self._source)
        self._renew(total=total)
        rows = islice(read_rows(self._source), self._tally.done, None)
        while batch := list(self._batch(rows)):
            self._checkpoint(batch)
            if self._stop():
                return False
        return self._tally.done >= total

    def _batch(self, rows: Iterator[ImportRow]) -> Iterator[RowResult]:
        """Some rows, each imported when it is asked for: not for long, and none after a stop."""
        until = monotonic() + _CHECKPOINT_SECONDS
        for row in islice(rows, _CHECKPOINT_ROWS):
            operation = Operation(row_id(self._job_id, row.number), keyed=True)
            yield self._importer.bring_in(row, operation)
            if self._stop() or monotonic() > until:
                return

    def _checkpoint(self, batch: list[RowResult]) -> None:
        for result in batch:
            self._tally.note(result.outcome, result.row.not_kept)
        ImportJobService.checkpoint(
            job_id=self._job_id,
            holder=self._holder,
            results=[_stored(result) for result in batch],
            counts=_counts(self._tally),
        )
        self._renewed = monotonic()
        _measure_queue()

    def _open(self) -> BufferedReader:
        return open_stored_file(self._file_id, buffer=BUFFER, at_each=self._stay)

    def _stay(self) -> None:
        """Keep the lease while the file is read, however long no row comes to an end."""
        if monotonic() - self._renewed > _RENEW_SECONDS:
            self._renew()

    def _renew(self, **known: Any) -> None:
        ImportJobService.renew(job_id=self._job_id, holder=self._holder, **known)
        self._renewed = monotonic()

    def _finish(self, fault: dict[str, str] | None = None) -> None:
        ImportJobService.finish(
            job_id=self._job_id, holder=self._holder, file_id=self._file_id, fault=fault
        )


def _counts(tally: Tally) -> dict[str, Any]:
    names = tally.not_kept.most_common(_NOT_KEPT_NAMES)
    return {
        "done": tally.done,
        **{str(outcome): tally.outcomes[outcome] for outcome in ImportOutcome},
        "not_kept": [{"name": name, "count": count} for name, count in names],
    }


def _stored(result: RowResult) -> dict[str, Any]:
    """As ImportResult takes it; what is unknown is not stored."""
    row = result.row
    return {
        "number": row.number,
        "line": row.line,
        "outcome": str(result.outcome),
        "product_id": result.product_id,
        "errors": [
            {name: text[:_MAX_TEXT] for name, text in fault.as_dict().items()}
            for fault in result.faults[:_MAX_FAULTS]
        ],
        "warnings": [warning[:_MAX_TEXT] for warning in row.warnings[:_MAX_FAULTS]],
        "not_kept": row.not_kept,
    }
