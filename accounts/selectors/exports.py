"""What accounts holds of a user: all that is stored, but for what would let others in."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bson import ObjectId
from mongoengine import Document

from accounts import lifecycle
from accounts.documents import ApiKey, AuditEvent, MailToken, RefreshFamily, User
from accounts.errors import UserNotFoundError
from ecommerce.core.batches import one_by_one
from ecommerce.core.mongo import collection

WITHHELD: Final[Mapping[type[Document], frozenset[str]]] = {
    User: frozenset({"hashed_password"}),
    RefreshFamily: frozenset({"current_hash", "previous_hash"}),
    MailToken: frozenset({"_id"}),  # the hash of the token
    ApiKey: frozenset({"secret_hash"}),
    AuditEvent: frozenset(),
}
"""Fields that no export holds. Their secrets are hashed, and still nobody needs them."""

_BATCH: Final = 500
"""Rows of one read: a client may take any time over them."""

Section = tuple[str, Iterable[Mapping[str, Any]]]


def stored_account(user_id: ObjectId) -> Mapping[str, Any]:
    """The user's own document.

    Raises:
        UserNotFoundError: there is none.
    """
    for row in _rows(User, {"_id": user_id}):
        return row
    raise UserNotFoundError


def stored_sections(user_id: ObjectId) -> Iterator[Section]:
    """Everything else, by name, as rows that are read when they are asked for."""
    own = {"user_id": user_id}
    yield "sessions", _rows(RefreshFamily, own)
    yield "mails_under_way", _rows(MailToken, own)
    yield "api_keys", _rows(ApiKey, {"created_by": user_id})
    yield "audit_events", _audit_events(user_id)
    yield from lifecycle.exported(user_id)


def _audit_events(user_id: ObjectId) -> Iterator[Mapping[str, Any]]:
    """By the user, or about them; of what somebody else did not from where, which is theirs."""
    about = [{"subject_id": user_id}, {"actor_id": user_id}]
    for row in _rows(AuditEvent, {"$or": about}):
        own = row.get("actor_id", user_id) == user_id
        yield row if own else {name: row[name] for name in row if name != "address"}


def _rows(document: type[Document], where: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    withheld = WITHHELD[document]
    left_out = dict.fromkeys(withheld - {"_id"}, 0)  # the batches go by the id
    for row in one_by_one(collection(document), where, size=_BATCH, fields=left_out or None):
        yield {name: value for name, value in row.items() if name not in withheld}
