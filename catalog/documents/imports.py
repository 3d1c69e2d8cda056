"""Imports: the job, the file it reads in pieces, and what became of each row. Kept for a while."""

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
    ListField,
    LongField,
    ObjectIdField,
    StringField,
)

from ecommerce.core.mongo import utc_now

IMPORTS_KEPT_SECONDS: Final = 30 * 24 * 60 * 60
CHUNK_BYTES: Final = 256 * 1024
"""Bytes of a file in one document."""


class FileFormat(StrEnum):
    """How products stand in a file."""

    CSV = "csv"
    """Shopify's columns."""
    JSON = "json"
    JSONL = "jsonl"


class ImportState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    """Nobody works on it at this moment."""
    RUNNING = "running"
    DONE = "done"
    """Every row has been looked at; some may have failed."""
    FAILED = "failed"
    """The file cannot be read as products."""


class ImportOutcome(StrEnum):
    """What became of a row; in a dry run, what would have."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


class ImportJobRow(TypedDict):
    """A stored job, as MongoDB gives it."""

    _id: ObjectId
    state: str
    file_id: ObjectId
    format: str
    size: int
    sha256: NotRequired[str]
    dry_run: bool
    by: ObjectId
    total: NotRequired[int]
    done: int
    created: int
    updated: int
    unchanged: int
    failed: int
    not_kept: list[dict[str, Any]]
    fault: NotRequired[dict[str, str]]
    tries: NotRequired[int]
    lease_holder: NotRequired[str]
    lease_until: datetime
    started_at: NotRequired[datetime]
    finished_at: NotRequired[datetime]
    version: int
    created_at: datetime
    updated_at: datetime


class ImportJob(Document):
    """One file on its way into the catalog.

    Who works on it holds a lease: the others leave it alone until `lease_until`, and may take it
    over afterwards. The counts are those of the stored results (see ImportResult).
    """

    state = StringField(required=True, choices=[str(state) for state in ImportState])
    file_id = ObjectIdField(required=True)
    """Of its pieces. A retry of an upload stores a file of its own, and the job has one of them."""
    format = StringField(required=True, choices=[str(name) for name in FileFormat])
    size = LongField(required=True, min_value=1)
    """Bytes of the file."""
    sha256 = StringField()
    """Digest of the file in hex: a retry must bring the same one."""
    dry_run = BooleanField(required=True)
    by = ObjectIdField(required=True)
    total = LongField(min_value=0)
    """Rows in the file; unknown until they have been counted."""
    done = LongField(required=True, default=0)
    created = LongField(required=True, default=0)
    updated = LongField(required=True, default=0)
    unchanged = LongField(required=True, default=0)
    failed = LongField(required=True, default=0)
    not_kept = ListField(DictField())
    """Names of what the file says and a product cannot hold, each with its count."""
    fault = DictField(default=None)
    """Why it failed: code and detail."""
    tries = LongField(min_value=0)
    """How often it was taken since a row of it was done, or it was given back."""
    lease_holder = StringField()
    lease_until = DateTimeField(required=True)
    started_at = DateTimeField()
    finished_at = DateTimeField()
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utc_now)
    updated_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "import_jobs",
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [
            {"name": "import_jobs_by", "fields": ["by", "-id"]},
            {"name": "import_jobs_open", "fields": ["state", "id", "lease_until"]},
            {
                "name": "import_jobs_expiry",
                "fields": ["created_at"],
                "expireAfterSeconds": IMPORTS_KEPT_SECONDS,
            },
        ],
    }


class ImportChunkRow(TypedDict):
    """A stored piece of a file, as MongoDB gives it."""

    _id: ObjectId
    file_id: ObjectId
    number: int
    data: bytes
    created_at: datetime


class ImportChunk(Document):
    """A piece of a file, from 0 on. In the database, whoever takes a job over can read its file."""

    file_id = ObjectIdField(required=True)
    number = IntField(required=True, min_value=0)
    data = BinaryField(required=True, max_bytes=CHUNK_BYTES)
    created_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "import_chunks",
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [
            {"name": "import_chunks_in_order", "fields": ["file_id", "number"], "unique": True},
            {
                "name": "import_chunks_expiry",
                "fields": ["created_at"],
                "expireAfterSeconds": IMPORTS_KEPT_SECONDS,
            },
        ],
    }


class ImportResultRow(TypedDict):
    """A stored result, as MongoDB gives it."""

    _id: ObjectId
    job_id: ObjectId
    number: int
    line: NotRequired[int]
    outcome: str
    product_id: NotRequired[ObjectId]
    errors: list[dict[str, str]]
    warnings: list[str]
    not_kept: list[str]
    created_at: datetime


class ImportResult(Document):
    """What became of one row. Its id follows from job and number: a row has one result."""

    job_id = ObjectIdField(required=True)
    number = LongField(required=True, min_value=1)
    line = LongField(min_value=1)
    outcome = StringField(required=True, choices=[str(outcome) for outcome in ImportOutcome])
    product_id = ObjectIdField()
    errors = ListField(DictField())
    warnings = ListField(StringField())
    not_kept = ListField(StringField())
    created_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "import_results",
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [
            {"name": "import_results_in_order", "fields": ["job_id", "number", "id"]},
            {"name": "import_results_by_outcome", "fields": ["job_id", "outcome", "number", "id"]},
            {
                "name": "import_results_expiry",
                "fields": ["created_at"],
                "expireAfterSeconds": IMPORTS_KEPT_SECONDS,
            },
        ],
    }
