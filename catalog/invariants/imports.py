"""What must hold of imports, their files and their results."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from catalog.documents import ImportChunk, ImportJob, ImportOutcome, ImportResult, ImportState
from catalog.documents.imports import CHUNK_BYTES
from catalog.services.imports import LEASE, row_id
from ecommerce.core.invariants import Case, Checked, Delete, Reference, Rule, Update
from ecommerce.core.invariants.rules import Repair

_CLOCKS: Final = timedelta(minutes=1)
"""How far clocks of servers may be apart."""
_UPLOAD: Final = timedelta(hours=1)
"""A file whose job is not there after this long will have none."""
_OPEN: Final = (ImportState.QUEUED, ImportState.RUNNING)
PIECES: Final = Reference(
    ImportChunk, lambda row: [row["file_id"]], by="file_id", fields=("number",)
)
JOB: Final = Reference(ImportJob, lambda row: [row["file_id"]], by="file_id", fields=("state",))


def _lease(case: Case) -> str | None:
    if case.row["lease_until"] > case.now + LEASE + _CLOCKS:
        return "lease_until: further ahead than any lease"
    held = case.row["state"] != ImportState.RUNNING or "lease_holder" in case.row
    return None if held else "lease_holder: missing while it runs"


def _free_lease(case: Case) -> Repair | None:
    if case.row["lease_until"] <= case.now + LEASE:
        return None
    return Update("lease ended: the next worker goes on", {"lease_until": case.now})


def _counts(case: Case) -> str | None:
    row = case.row
    if row["done"] != sum(row[str(outcome)] for outcome in ImportOutcome):
        return "done: not the sum of what became of the rows"
    return "done: more than there are rows" if row["done"] > row.get("total", row["done"]) else None


def _end(case: Case) -> str | None:
    row = case.row
    if (row["state"] not in _OPEN) != ("finished_at" in row):
        return "finished_at: not what the state says"
    return None if (row["state"] == ImportState.FAILED) == ("fault" in row) else "fault: not so"


def _file_is_there(case: Case) -> str | None:
    if case.row["state"] not in _OPEN:
        return None
    numbers = sorted(piece["number"] for piece in case.all(PIECES, case.row["file_id"]))
    whole = numbers == list(range(-(-case.row["size"] // CHUNK_BYTES)))
    return None if whole else "file_id: pieces of the file are missing"


def _is_needed(case: Case) -> str | None:
    job = case.one(JOB, case.row["file_id"])
    needed = job is not None and job["state"] in _OPEN
    young = case.row["created_at"] > case.now - _UPLOAD
    return None if needed or young else "file_id: of no import that needs it"


def _not_needed(case: Case) -> Repair:  # noqa: ARG001
    return Delete("piece of the file deleted")


def _result_id(case: Case) -> str | None:
    right = case.row["_id"] == row_id(case.row["job_id"], case.row["number"])
    return None if right else "_id: not that of this row of the job"


def _outcome(case: Case) -> str | None:
    failed = case.row["outcome"] == ImportOutcome.FAILED
    return None if failed == bool(case.row["errors"]) else "errors: not what the outcome says"


def _job_rules() -> Iterator[Rule]:
    yield Rule(
        "lease",
        "Running imports have a worker, for no longer than a lease.",
        _lease,
        reads=("state", "lease_until"),
        repair=_free_lease,
    )
    yield Rule("counts", "The counts of an import agree.", _counts)
    yield Rule("end", "Imports that have ended say when, and why if they failed.", _end)
    yield Rule("file", "Open imports have their file.", _file_is_there, refers=(PIECES,))


CHECKED: Final = (
    Checked(ImportJob, tuple(_job_rules())),
    Checked(
        ImportChunk,
        (
            Rule(
                "needed",
                "Files go when their import has ended.",
                _is_needed,
                reads=("file_id",),
                refers=(JOB,),
                repair=_not_needed,
            ),
        ),
        batch=20,  # of 256 KiB each
    ),
    Checked(
        ImportResult,
        (
            Rule("row", "Each row of an import has one result.", _result_id),
            Rule("outcome", "What failed says why, and nothing else does.", _outcome),
        ),
    ),
)
