"""What is remembered of a POST with an `Idempotency-Key`."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import (
    BinaryField,
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    IntField,
    ObjectIdField,
    StringField,
)

from ecommerce.core.mongo import utc_now

IDEMPOTENCY_KEPT_SECONDS: Final = 24 * 60 * 60


class IdempotencyState(StrEnum):
    """How far the work under a key has come."""

    CLAIMED = "claimed"
    """Somebody is at it until the lease ends, or was: the effect may be there already."""
    REFUSED = "refused"
    """The last try was refused and had no effect; the next one works again."""
    DONE = "done"
    """The answer is stored."""


class IdempotencyRecordRow(TypedDict):
    """A stored record, as MongoDB gives it."""

    _id: str
    fingerprint: str
    operation_id: ObjectId
    state: str
    lease_until: datetime
    answered: NotRequired[bool]
    status: NotRequired[int]
    headers: NotRequired[dict[str, str]]
    body: NotRequired[bytes]
    version: int
    created_at: datetime
    updated_at: datetime


class IdempotencyRecord(Document):
    """One key of one principal. Whoever raised `version` last holds the claim."""

    id = StringField(primary_key=True)
    """Digest of the principal and the key."""
    fingerprint = StringField(required=True)
    """Keyed digest of method, path, query and body: a body may hold a password."""
    operation_id = ObjectIdField(required=True)
    state = StringField(required=True, choices=[str(state) for state in IdempotencyState])
    lease_until = DateTimeField(required=True)
    answered = BooleanField()
    """The work was done, and its answer is not stored: it holds a secret, or is large."""
    status = IntField()
    headers = DictField(default=None)
    body = BinaryField()
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utc_now)
    updated_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "idempotency_records",
        "auto_create_index": False,
        "index_cls": False,
        "sharding": {"_id": "hashed"},  # docs/adr/0004: grows with traffic, every path is by id
        "indexes": [
            {
                "name": "idempotency_expiry",
                "fields": ["created_at"],
                "expireAfterSeconds": IDEMPOTENCY_KEPT_SECONDS,
            }
        ],
    }
