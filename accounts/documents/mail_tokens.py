"""One-time tokens that were sent by mail."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import DateTimeField, Document, IntField, ObjectIdField, StringField

from ecommerce.core.mongo import utc_now


class Purpose(StrEnum):
    """What a token may be used for."""

    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a purpose
    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"


class MailTokenRow(TypedDict):
    """A stored token, as MongoDB gives it."""

    _id: str
    user_id: ObjectId
    purpose: str
    email: str
    email_key: str
    token_version: int
    used_event: NotRequired[ObjectId]
    expires_at: datetime
    created_at: datetime


class MailToken(Document):
    """One mail that waits for its answer. Used, it is deleted."""

    digest = StringField(primary_key=True)
    """SHA-256 of the token. The token itself stands in the mail alone."""
    user_id = ObjectIdField(required=True)
    purpose = StringField(required=True, choices=[purpose.value for purpose in Purpose])
    email = StringField(required=True, max_length=254)
    """Where the mail went: what its answer proves."""
    email_key = StringField(required=True)
    token_version = IntField(required=True)
    """That of the user then: a password changed since makes a reset void."""
    used_event = ObjectIdField()
    """The id of the entry in the audit log that tells of its use; the first try chooses it."""
    expires_at = DateTimeField(required=True)
    created_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "mail_tokens",
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [
            {"name": "mail_tokens_of_user", "fields": ["user_id"]},
            {"name": "mail_tokens_expiry", "fields": ["expires_at"], "expireAfterSeconds": 0},
        ],
    }
