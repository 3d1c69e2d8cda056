"""Reads of imports."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from bson import ObjectId

from catalog.documents import ImportChunk, ImportJob, ImportJobRow, ImportResult, ImportState
from catalog.errors import ImportNotFoundError
from ecommerce.core.ids import parse_id
from ecommerce.core.mongo import collection
from ecommerce.core.pagination import Page, PageRequest, fetch_page


def import_job(job_id: str) -> ImportJobRow:
    """One job.

    Raises:
        ImportNotFoundError: malformed, unknown or no longer kept.
    """
    row = import_with_id(parse_id(job_id, ImportNotFoundError))
    if row is None:
        raise ImportNotFoundError
    return row


def import_with_id(job_id: ObjectId) -> ImportJobRow | None:
    """The job with this id."""
    return cast(ImportJobRow | None, collection(ImportJob).find_one({"_id": job_id}))


def import_job_page(request: PageRequest) -> Page:
    """Jobs, newest first."""
    return fetch_page(collection(ImportJob), tiers=[{}], ordering=(("_id", -1),), request=request)


def waiting_imports() -> list[ObjectId]:
    """The imports that nobody works on yet, the oldest first; at most 1000."""
    rows = collection(ImportJob).find({"state": ImportState.QUEUED}, {"_id": 1})
    return [row["_id"] for row in rows.sort([("_id", 1)]).limit(1000)]


def import_result_page(job_id: ObjectId, request: PageRequest, *, outcome: str | None) -> Page:
    """What became of the rows of a job, in the order of its file."""
    where = {"job_id": job_id} if outcome is None else {"job_id": job_id, "outcome": outcome}
    return fetch_page(
        collection(ImportResult),
        tiers=[where],
        ordering=(("number", 1), ("_id", 1)),
        request=request,
    )


def import_outcomes(job_id: ObjectId) -> Iterator[tuple[str, list[str]]]:
    """Outcome of each row that is done, and the names of what was not kept of it."""
    rows = collection(ImportResult).find({"job_id": job_id}, {"outcome": 1, "not_kept": 1})
    return ((row["outcome"], row["not_kept"]) for row in rows)


def import_chunk(file_id: ObjectId, number: int) -> bytes:
    """A piece of a file; empty behind the last one."""
    row = collection(ImportChunk).find_one({"file_id": file_id, "number": number}, {"data": 1})
    return bytes(row["data"]) if row else b""


def stored_imports_by(user_id: ObjectId) -> Iterable[Mapping[str, Any]]:
    """Every import that the user started, for their export; there is a month of them."""
    return collection(ImportJob).find({"by": user_id}).sort([("_id", -1)])
