"""The audit log: who did what to whom, and when. Entries are only ever added."""

from datetime import datetime
from typing import Any, Final, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import DateTimeField, DictField, Document, ObjectIdField, StringField

from ecommerce.core.mongo import utc_now

AUDIT_KEPT_SECONDS: Final = 400 * 24 * 60 * 60
"""A little more than a year: long enough to look into what is noticed late."""


class AuditEventRow(TypedDict):
    """A stored event, as MongoDB gives it. Who is unknown is not stored."""

    _id: ObjectId
    event: str
    actor_id: NotRequired[ObjectId]
    subject_id: NotRequired[ObjectId]
    target: NotRequired[str]
    address: NotRequired[str]
    request_id: str
    details: NotRequired[dict[str, str | int | bool]]
    created_at: datetime


class AuditEvent(Document):
    """One thing that happened. Holds no secret: no password, token, hash or mail text."""

    event = StringField(required=True, max_length=60)
    """Its stable name: `login_failed`, `cart_changed_for_customer` …"""
    actor_id = ObjectIdField()
    """The user who did it."""
    subject_id = ObjectIdField()
    """The user whose account or data it concerns."""
    target = StringField(max_length=200)
    """What it was done to, as a path: `shopping-carts/<id>`."""
    address = StringField(max_length=45)
    request_id = StringField(required=True, max_length=128)
    details = DictField(default=None)
    created_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "audit_events",
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [
            {"name": "audit_of_subject", "fields": ["subject_id", "-id"]},
            {"name": "audit_by_actor", "fields": ["actor_id", "-id"]},
            {"name": "audit_by_event", "fields": ["event", "-id"]},
            {
                "name": "audit_expiry",
                "fields": ["created_at"],
                "expireAfterSeconds": AUDIT_KEPT_SECONDS,
            },
        ],
    }
