"""What is remembered of a data migration: that it ran, or how far it has come."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NotRequired, TypedDict

from mongoengine import DateTimeField, Document, DynamicField, IntField, StringField

from ecommerce.core.mongo import utc_now


class MigrationState(StrEnum):
    """How far a migration has come."""

    WAITING = "waiting"
    RUNNING = "running"
    """Somebody is at it until the lease ends, or was."""
    FAILED = "failed"
    """A row could not be changed; the next run begins behind the last batch that could."""
    DONE = "done"


class DataMigrationRow(TypedDict):
    """A stored record, as MongoDB gives it."""

    _id: int
    name: str
    state: str
    cursor: NotRequired[Any]
    seen: int
    changed: int
    lease_holder: NotRequired[str]
    lease_until: datetime
    fault: NotRequired[str]
    started_at: NotRequired[datetime]
    finished_at: NotRequired[datetime]
    version: int
    created_at: datetime
    updated_at: datetime


class DataMigrationRecord(Document):
    """One numbered migration. What its worker writes is guarded by the lease."""

    id = IntField(primary_key=True, min_value=1)
    name = StringField(required=True)
    state = StringField(required=True, choices=[str(state) for state in MigrationState])
    cursor = DynamicField()
    """`_id` of the last row that was looked at; nothing before the first batch is over."""
    seen = IntField(required=True, default=0, min_value=0)
    changed = IntField(required=True, default=0, min_value=0)
    """Rows. Of a batch that a kill cut short, what was changed before is not counted."""
    lease_holder = StringField()
    lease_until = DateTimeField(required=True)
    fault = StringField()
    started_at = DateTimeField()
    finished_at = DateTimeField()
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utc_now)
    updated_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "data_migrations",
        "auto_create_index": False,
        "index_cls": False,
    }
