"""Sessions: a login and the refresh tokens that descend from it."""

from datetime import datetime
from typing import Any, Final, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import (
    DateTimeField,
    Document,
    EmbeddedDocument,
    IntField,
    ObjectIdField,
    StringField,
)

from ecommerce.core.mongo import utc_now

MAX_ENDED_SESSIONS: Final = 50
"""How many ended sessions with living access tokens or cookies a user holds; one more ends all."""


class EndedSessionRow(TypedDict):
    """As MongoDB gives it."""

    session_id: ObjectId
    until: datetime


class EndedSession(EmbeddedDocument):
    """A session that has ended while its access token or cookie lives; kept in its user."""

    session_id = ObjectIdField(required=True)
    until = DateTimeField(required=True)
    """When the last of its access tokens, or its cookie, has expired, and this can go."""


class KeptSessionRow(TypedDict):
    """As MongoDB gives it."""

    session_id: ObjectId
    token_version: int


class KeptSession(EmbeddedDocument):
    """The one session that stayed when all others were ended; kept in its user."""

    session_id = ObjectIdField(required=True)
    token_version = IntField(required=True)
    """It stays while the user's is still this one: whatever ends every session ends it too."""


class RefreshFamilyRow(TypedDict):
    """A stored refresh family, as MongoDB gives it."""

    _id: ObjectId
    user_id: ObjectId
    token_version: int
    current_hash: str
    previous_hash: NotRequired[str]
    address: str
    user_agent: str
    used_at: datetime
    expires_at: datetime
    idle_expires_at: datetime
    revoked_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class RefreshFamily(Document):
    """One login and all refresh tokens that descend from it; hashes of the last two are kept."""

    user_id = ObjectIdField(required=True)
    token_version = IntField(required=True)
    current_hash = StringField(required=True)
    previous_hash = StringField()
    """Of the token that the current one was exchanged for."""
    address = StringField(default="", max_length=45)
    user_agent = StringField(default="", max_length=200)
    """Of whoever holds the newest token: who signed in, or exchanged last."""
    used_at = DateTimeField(required=True, default=utc_now)
    """When the current token was given out."""
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
