"""Claims on keys: made before the work, taken over from the dead, ended with the answer.

Each write is one guarded atomic update; `version` tells who holds the claim. The operation's id
stays the same as long as the record lives, whoever holds it and however a try ended: only so is a
slow holder, or a database that answered too late, kept from a second effect.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from bson import ObjectId
from django.conf import settings
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, PyMongoError

from ecommerce.core.documents import (
    IDEMPOTENCY_KEPT_SECONDS,
    IdempotencyRecord,
    IdempotencyRecordRow,
    IdempotencyState,
)
from ecommerce.core.idempotency.errors import KeyReusedError, OperationInProgressError
from ecommerce.core.idempotency.operations import Operation
from ecommerce.core.ids import new_id
from ecommerce.core.mongo import collection, insert, utc_now

logger = logging.getLogger(__name__)

MAX_STORED_BODY: Final = 64 * 1024
"""Bytes of an answer; of a larger one the retry gets the present state."""
_ATTEMPTS: Final = 5
"""How often a claim is tried when the record changes between two of its steps."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the work answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The work was done and answered."""

    operation: Operation
    answer: StoredAnswer


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work under a key until the lease ends."""

    record_id: str
    operation: Operation
    version: int
    replays: bool
    """A try before this one may have had its effect, so the answer is marked as a replay."""


def claim(record_id: str, *, fingerprint: str) -> Claim | Done:
    """Claim a key before the work, or find the answer that is there already.

    Raises:
        KeyReusedError: the key came with another request.
        OperationInProgressError: somebody is at work under it.
    """
    for _ in range(_ATTEMPTS):
        record = _new_or_present(record_id, fingerprint)
        if isinstance(record, Claim):
            return record
        if record is None:
            continue
        if record["fingerprint"] != fingerprint:
            raise KeyReusedError
        if record["state"] == IdempotencyState.DONE:
            answer = StoredAnswer(record["status"], record["headers"], record["body"])
            operation = Operation(record["operation_id"], keyed=True, retried=True, answered=True)
            return Done(operation, answer)
        taken = _taken_over(record)
        if taken is not None:
            return taken
    raise OperationInProgressError(retry_after=1)


def finish(claimed: Claim, answer: StoredAnswer) -> None:
    """Store the answer, unless another has taken the claim over."""
    stored = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    _end(claimed, {"state": IdempotencyState.DONE, **stored})


def finish_unstored(claimed: Claim) -> None:
    """Remember that the work was done and answered, so that a retry makes the answer anew."""
    ended = {"state": IdempotencyState.CLAIMED, "lease_until": utc_now()}
    _end(claimed, {**ended, "answered": True})


def release(claimed: Claim, *, refused: bool) -> None:
    """End the lease without an answer, so that a retry works again at once.

    Args:
        refused: the try surely had no effect.
    """
    state = IdempotencyState.REFUSED if refused else IdempotencyState.CLAIMED
    _end(claimed, {"state": state, "lease_until": utc_now()})


def _new_or_present(record_id: str, fingerprint: str) -> Claim | IdempotencyRecordRow | None:
    """A claim on a key that is free, else its record; None if that went away meanwhile."""
    try:
        record = insert(
            IdempotencyRecord,
            id=record_id,
            fingerprint=fingerprint,
            operation_id=new_id(),
            state=IdempotencyState.CLAIMED,
            lease_until=utc_now() + settings.IDEMPOTENCY_LEASE,
        )
    except DuplicateKeyError:
        return _present(record_id)
    operation = Operation(record["operation_id"], keyed=True)
    return Claim(record_id, operation, record["version"], replays=False)


def _present(record_id: str) -> IdempotencyRecordRow | None:
    """The record, if it is not past its time: MongoDB takes those away with some delay."""
    row = collection(IdempotencyRecord).find_one({"_id": record_id})
    oldest = utc_now() - timedelta(seconds=IDEMPOTENCY_KEPT_SECONDS)
    if row is not None and row["created_at"] <= oldest:
        collection(IdempotencyRecord).delete_one(
            {"_id": record_id, "created_at": row["created_at"]}
        )
        return None
    return cast(IdempotencyRecordRow | None, row)


def _taken_over(record: IdempotencyRecordRow) -> Claim | None:
    """The claim on a key whose last holder is gone; None if another was faster.

    Raises:
        OperationInProgressError: its holder still has time.
    """
    now, was_claimed = utc_now(), record["state"] == IdempotencyState.CLAIMED
    if was_claimed and record["lease_until"] > now:
        raise OperationInProgressError(_wait(record, now))
    lease = {"state": IdempotencyState.CLAIMED, "lease_until": now + settings.IDEMPOTENCY_LEASE}
    row = _write(record["_id"], record["operation_id"], record["version"], lease)
    if row is None:
        return None
    answered = row.get("answered", False)
    operation = Operation(row["operation_id"], keyed=True, retried=True, answered=answered)
    return Claim(row["_id"], operation, row["version"], replays=was_claimed)


def _wait(record: IdempotencyRecordRow, now: datetime) -> int:
    """Seconds: as long again as it has taken so far, at most until the lease ends."""
    taken, left = now - record["updated_at"], record["lease_until"] - now
    return max(1, min(int(taken.total_seconds()), int(left.total_seconds()) + 1))


def _end(claimed: Claim, values: Mapping[str, Any]) -> None:
    try:
        _write(claimed.record_id, claimed.operation.id, claimed.version, values)
    except PyMongoError as fault:  # the effect is there: a retry finds it when the lease is over
        logger.warning("The answer under an Idempotency-Key could not be stored: %s", fault)


def _write(
    record_id: str, operation_id: ObjectId, version: int, values: Mapping[str, Any]
) -> IdempotencyRecordRow | None:
    row = collection(IdempotencyRecord).find_one_and_update(
        {"_id": record_id, "operation_id": operation_id, "version": version},
        {"$set": {**values, "updated_at": utc_now()}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    return cast(IdempotencyRecordRow | None, row)
