"""Reads of the audit log."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from bson import ObjectId

from accounts.documents import AuditEvent, AuditEventRow
from ecommerce.core.batches import one_by_one
from ecommerce.core.mongo import collection
from ecommerce.core.pagination import Page, PageRequest, fetch_page


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events; what is None does not count."""

    event: str | None = None
    actor: ObjectId | None = None
    subject: ObjectId | None = None
    since: datetime | None = None
    """From then on."""
    until: datetime | None = None
    """Before then."""

    def where(self) -> dict[str, Any]:
        """The filter of the query."""
        named = {"event": self.event, "actor_id": self.actor, "subject_id": self.subject}
        where: dict[str, Any] = {name: v for name, v in named.items() if v is not None}
        times: dict[str, Any] = {}
        ids: dict[str, Any] = {}
        # The list stands in the order of ids, which begin with their second: said of them too, a
        # span of time is a span of the index.
        if self.since is not None:
            times["$gte"], ids["$gte"] = self.since, ObjectId.from_datetime(self.since - _SECOND)
        if self.until is not None:
            times["$lt"], ids["$lt"] = self.until, ObjectId.from_datetime(self.until + _SECOND)
        return where | ({"created_at": times, "_id": ids} if times else {})


_SECOND = timedelta(seconds=1)
_BATCH = 500
"""Events of one read, where all are read."""


def audit_page(wanted: AuditFilter, request: PageRequest) -> Page:
    """Events, newest first."""
    return fetch_page(
        collection(AuditEvent), tiers=[wanted.where()], ordering=(("_id", -1),), request=request
    )


def audit_events(wanted: AuditFilter) -> Iterator[AuditEventRow]:
    """Events, oldest first, streamed. For operators."""
    rows = one_by_one(collection(AuditEvent), wanted.where(), size=_BATCH)
    return (cast(AuditEventRow, row) for row in rows)
