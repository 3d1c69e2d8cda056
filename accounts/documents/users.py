"""Users."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import (
    BooleanField,
    DateTimeField,
    Document,
    EmbeddedDocumentField,
    EmbeddedDocumentListField,
    IntField,
    ObjectIdField,
    StringField,
)

from accounts.documents.sessions import (
    MAX_ENDED_SESSIONS,
    EndedSession,
    EndedSessionRow,
    KeptSession,
    KeptSessionRow,
)
from accounts.roles import Role
from ecommerce.core.mongo import utc_now


class UserRow(TypedDict):
    """A stored user, as MongoDB gives it."""

    _id: ObjectId
    username: str
    username_key: str
    email: str
    email_key: str
    verified_email_key: NotRequired[str]
    pending_email: NotRequired[str]
    pending_email_key: NotRequired[str]
    hashed_password: str
    role: NotRequired[str]
    is_staff: NotRequired[bool]
    is_active: bool
    token_version: int
    ended_sessions: NotRequired[list[EndedSessionRow]]
    kept_session: NotRequired[KeptSessionRow]
    erasing_at: NotRequired[datetime]
    erasing_by: NotRequired[ObjectId]
    erasing_event: NotRequired[ObjectId]
    version: int
    created_at: datetime
    updated_at: datetime


class User(Document):
    """A person who can sign in. `*_key` is the normalised name that is unique and searched."""

    username = StringField(required=True, max_length=150)
    username_key = StringField(required=True)
    email = StringField(required=True, max_length=254)
    email_key = StringField(required=True)
    verified_email_key = StringField()
    """The last address that a mailed link was followed from: read it by `email_is_verified`."""
    pending_email = StringField(max_length=254)
    """An address that replaces `email` once it is confirmed: read it by `pending_email`."""
    pending_email_key = StringField()
    hashed_password = StringField(required=True)
    role = StringField(required=True, choices=[role.value for role in Role], default="customer")
    is_staff = BooleanField()
    """Only in users stored before there were roles: read both through `accounts.roles`."""
    is_active = BooleanField(required=True, default=True)
    token_version = IntField(required=True, default=0)
    ended_sessions = EmbeddedDocumentListField(
        EndedSession, default=None, max_length=MAX_ENDED_SESSIONS
    )
    kept_session = EmbeddedDocumentField(KeptSession)
    erasing_at = DateTimeField()
    """The intent to erase the user: from then on nobody sees them, and this goes last."""
    erasing_by = ObjectIdField()
    """Who asked for it, where it was somebody else."""
    erasing_event = ObjectIdField()
    """The id of its entry in the audit log, so that it is recorded once whoever finishes it."""
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utc_now)
    updated_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "users",
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [
            {"name": "username_unique", "fields": ["username_key"], "unique": True},
            {"name": "email_unique", "fields": ["email_key"], "unique": True},
            {"name": "unfinished_erasures", "fields": ["erasing_at"], "sparse": True},
        ],
    }


def email_is_verified(user: Mapping[str, Any]) -> bool:
    """Whether somebody has answered a mail to the user's present address."""
    return bool(user.get("verified_email_key") == user["email_key"])


def pending_email(user: Mapping[str, Any]) -> str | None:
    """The address that waits to be confirmed; None where none does, or it is the present one."""
    key = user.get("pending_email_key")
    return None if key in {None, user["email_key"]} else str(user["pending_email"])
