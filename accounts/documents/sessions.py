"""Sessions: a login and the refresh tokens that descend from it."""

from datetime import datetime
from typing import Any, TypedDict

from bson import ObjectId
from mongoengine import DateTimeField, Document, IntField, ObjectIdField, StringField

from ecommerce.core.mongo import utc_now


class RefreshFamilyRow(TypedDict):
    """A stored refresh family, as MongoDB gives it."""

    _id: ObjectId
    user_id: ObjectId
    token_version: int
    current_hash: str
    expires_at: datetime
    idle_expires_at: datetime
    revoked_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class RefreshFamily(Document):
    """One login and all refresh tokens that descend from it; only a hash of the newest is kept."""

    user_id = ObjectIdField(required=True)
    token_version = IntField(required=True)
    current_hash = StringField(required=True)
    expires_at = DateTimeField(required=True)
    idle_expires_at = DateTimeField(required=True)
    revoked_at = DateTimeField(null=True)
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utc_now)
    updated_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "refresh_families",
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [
            {"name": "user", "fields": ["user_id"]},
            {"name": "expiry", "fields": ["expires_at"], "expireAfterSeconds": 0},
        ],
    }
