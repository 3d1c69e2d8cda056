"""API keys: how machines sign in."""

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import DateTimeField, Document, IntField, ListField, ObjectIdField, StringField

from ecommerce.core.mongo import utc_now


class ApiKeyRow(TypedDict):
    """A stored key, as MongoDB gives it."""

    _id: ObjectId
    name: str
    prefix: str
    secret_hash: str
    scopes: list[str]
    created_by: NotRequired[ObjectId]
    expires_at: datetime
    last_used_at: NotRequired[datetime]
    revoked_at: NotRequired[datetime]
    version: int
    created_at: datetime
    updated_at: datetime


class ApiKey(Document):
    """What a machine may do until when; of its secret only a hash is kept."""

    name = StringField(required=True, max_length=100)
    prefix = StringField(required=True)
    """The part of a key that is no secret: it finds the key, and names it to people."""
    secret_hash = StringField(required=True)
    scopes = ListField(StringField(), required=True)
    created_by = ObjectIdField()
    expires_at = DateTimeField(required=True)
    last_used_at = DateTimeField()
    """To the minute: not every call writes."""
    revoked_at = DateTimeField()
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utc_now)
    updated_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "api_keys",
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [{"name": "api_key_prefix_unique", "fields": ["prefix"], "unique": True}],
    }
