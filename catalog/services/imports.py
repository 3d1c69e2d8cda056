"""Writes of import jobs: their file, who works on them, how far they are.

One process works on a job at a time: the one that holds its lease. A lease that is not renewed runs
out, and whoever comes next goes on behind the last stored result. What a worker writes to the job
is guarded by its lease, so that one that was away too long changes nothing.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from catalog import selectors
from catalog.documents import (
    ImportChunk,
    ImportJob,
    ImportJobRow,
    ImportResult,
    ImportState,
)
from catalog.documents.imports import CHUNK_BYTES
from catalog.errors import EmptyFileError
from ecommerce.core import metrics
from ecommerce.core.idempotency import KeyReusedError, Operation
from ecommerce.core.ids import new_id
from ecommerce.core.mongo import collection, insert, new_row, utc_now

LEASE: Final = timedelta(seconds=20)
"""How long a worker may be silent before another takes its job over."""
_OPEN: Final = [ImportState.QUEUED, ImportState.RUNNING]


class LeaseLostError(Exception):
    """Another worker has taken the job over: stop at once."""


class ImportJobService:
    """From the upload of a file to its end."""

    @staticmethod
    def create(
        *,
        blocks: Iterable[bytes],
        format_name: str,
        dry_run: bool,
        by: ObjectId,
        operation: Operation | None = None,
    ) -> ImportJobRow:
        """Store the file as it comes, then the job: one that is seen has its whole file.

        The job's id is the operation's, so that a retry makes no second one.

        Args:
            blocks: the bytes of the file, in pieces of any size.
            format_name: csv, json or jsonl.
            by: who sent it.

        Raises:
            EmptyFileError: there is no byte in it.
            KeyReusedError: another try of the operation brought another file.
        """
        operation, file_id = operation or Operation.unkeyed(), new_id()
        made = selectors.import_with_id(operation.id) if operation.retried else None
        if made is not None:
            _refuse_another(made, format_name, _digest(blocks))
            return made
        try:
            size, sha256 = _store_file(file_id, blocks)
        except BaseException:  # the client went away, or the database
            _remove_file(file_id)
            raise
        job = {
            "id": operation.id, "state": ImportState.QUEUED, "file_id": file_id,
            "format": format_name, "size": size, "sha256": sha256, "dry_run": dry_run, "by": by,
            "lease_until": utc_now(),
        }  # fmt: skip
        return _inserted(job)

    @staticmethod
    def refuse_other_file(
        *, operation: Operation, blocks: Iterable[bytes], format_name: str
    ) -> None:
        """Read the file of a repeated upload, and compare it with the job's.

        Raises:
            KeyReusedError: it is another one.
        """
        digest = _digest(blocks)
        job = selectors.import_with_id(operation.id)
        if job is not None:
            _refuse_another(job, format_name, digest)

    @staticmethod
    def claim(*, holder: str, free_since: datetime) -> ImportJobRow | None:
        """Take the oldest job that nobody has worked on since this moment; None if there is none.

        Args:
            holder: names the worker, and no other.
        """
        now = utc_now()
        change = _change(
            {
                "state": ImportState.RUNNING,
                "lease_holder": holder,
                "lease_until": now + LEASE,
                "started_at": now,
            }
        )
        change["$inc"]["tries"] = 1
        return cast(
            ImportJobRow | None,
            collection(ImportJob).find_one_and_update(
                {"state": {"$in": _OPEN}, "lease_until": {"$lte": free_since}},
                change,
                sort=[("_id", 1)],
                return_document=ReturnDocument.AFTER,
            ),
        )

    @staticmethod
    def renew(*, job_id: ObjectId, holder: str, **known: Any) -> None:
        """Hold the lease for longer; `known` are fields of the job that are known by now.

        Raises:
            LeaseLostError: another has it.
        """
        _write(job_id, holder, {**known, "lease_until": utc_now() + LEASE})

    @staticmethod
    def checkpoint(
        *,
        job_id: ObjectId,
        holder: str,
        results: Sequence[Mapping[str, Any]],
        counts: Mapping[str, Any],
    ) -> None:
        """Store what became of the next rows, in their order, then the counts with them.

        Raises:
            LeaseLostError: another has the lease.
        """
        if results:
            rows = [
                new_row(ImportResult, id=row_id(job_id, result["number"]), job_id=job_id, **result)
                for result in results
            ]
            try:
                collection(ImportResult).insert_many(rows)
            except BulkWriteError:  # another stored them: it holds the job, or will find them
                raise LeaseLostError from None
        ImportJobService.renew(job_id=job_id, holder=holder, tries=0, **counts)

    @staticmethod
    def finish(
        *,
        job_id: ObjectId,
        holder: str,
        file_id: ObjectId,
        fault: Mapping[str, str] | None = None,
    ) -> None:
        """The end of a job: done, or failed for a reason. Its file is not needed any more.

        Raises:
            LeaseLostError: another has the lease.
        """
        state = ImportState.FAILED if fault else ImportState.DONE
        now = utc_now()
        ended = {"state": state, "finished_at": now, "lease_until": now}
        _write(job_id, holder, {**ended, **({"fault": dict(fault)} if fault else {})})
        metrics.IMPORTS[state].inc()
        _remove_file(file_id)

    @staticmethod
    def give_back(*, job_id: ObjectId, holder: str) -> None:
        """Let another go on at once.

        Raises:
            LeaseLostError: another does already.
        """
        waiting = {"state": ImportState.QUEUED, "lease_until": utc_now(), "tries": 0}
        _write(job_id, holder, waiting)


def row_id(job_id: ObjectId, number: int) -> ObjectId:
    """The id of a row's result, and of the product that it creates: the same however often it runs.

    It begins with the job's second, so that imported products are as new as their import, and ends
    with the row's number, so that they keep the order of the file.
    """
    digest = hashlib.blake2b(job_id.binary, digest_size=4).digest()
    return ObjectId(job_id.binary[:4] + digest + number.to_bytes(4, "big"))


def _inserted(job: Mapping[str, Any]) -> ImportJobRow:
    try:
        return cast(ImportJobRow, insert(ImportJob, **job))
    except DuplicateKeyError:  # by another try of the operation, with a file of its own
        _remove_file(job["file_id"])
        present = selectors.import_job(str(job["id"]))
        _refuse_another(present, job["format"], job["sha256"])
        return present


def _refuse_another(job: ImportJobRow, format_name: str, sha256: str) -> None:
    """Jobs that were made before files had digests are not compared."""
    if (format_name, sha256) != (job["format"], job.get("sha256", sha256)):
        raise KeyReusedError


def _store_file(file_id: ObjectId, blocks: Iterable[bytes]) -> tuple[int, str]:
    """Its size in bytes, and its SHA-256."""
    size, digest = 0, hashlib.sha256()
    for number, data in enumerate(_pieces(blocks)):
        insert(ImportChunk, file_id=file_id, number=number, data=data)
        size += len(data)
        digest.update(data)
    if not size:
        raise EmptyFileError
    return size, digest.hexdigest()


def _digest(blocks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of CHUNK_BYTES."""
    waiting = bytearray()
    for block in blocks:
        waiting += block
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    if waiting:
        yield bytes(waiting)


def _remove_file(file_id: ObjectId) -> None:
    collection(ImportChunk).delete_many({"file_id": file_id})


def _change(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"$set": {**values, "updated_at": utc_now()}, "$inc": {"version": 1}}


def _write(job_id: ObjectId, holder: str, values: Mapping[str, Any]) -> None:
    guard = {"_id": job_id, "state": ImportState.RUNNING, "lease_holder": holder}
    if not collection(ImportJob).update_one(guard, _change(values)).matched_count:
        raise LeaseLostError
