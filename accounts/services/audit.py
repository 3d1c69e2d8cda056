"""Writes of the audit log."""

from collections.abc import Mapping
from contextlib import suppress

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from accounts.documents import AuditEvent
from ecommerce.core.ids import new_id
from ecommerce.core.mongo import collection, insert, utc_now
from ecommerce.core.request_ids import current_request_id


class AuditService:
    """Adds entries; nothing removes them before they expire, and only erasures change them."""

    @staticmethod
    def record(
        event: str,
        *,
        actor_id: ObjectId | None = None,
        subject_id: ObjectId | None = None,
        target: str | None = None,
        address: str | None = None,
        details: Mapping[str, str | int | bool] | None = None,
        entry_id: ObjectId | None = None,
    ) -> None:
        """Add one entry. Record before the change that it tells of: then none goes unrecorded.

        Args:
            event: its stable name.
            actor_id: the user who does it; None where nobody is signed in.
            subject_id: the user whose account or data it concerns.
            target: what it is done to, as a path without its first slash.
            address: the client's address, as `ecommerce.core.client_address` gives it.
            details: small plain facts. Never a secret.
            entry_id: chosen before, where the step may be repeated: it is added once, under the
                time of that choice, which is the time that the log looks for.
        """
        with suppress(DuplicateKeyError):
            insert(
                AuditEvent,
                id=entry_id or new_id(),
                event=event,
                actor_id=actor_id,
                subject_id=subject_id,
                target=target,
                address=address,
                request_id=current_request_id(),
                details=dict(details) if details else None,
                created_at=entry_id.generation_time if entry_id else utc_now(),
            )

    @staticmethod
    def forget_person(user_id: ObjectId) -> None:
        """Take a user who is erased out of every entry; the events stay. Safe to repeat.

        The address of an entry is that of whoever did it: of the user, or, where nobody was signed
        in, of somebody who dealt with the account.
        """
        entries = collection(AuditEvent)
        own: list[dict[str, ObjectId | None]] = [
            {"actor_id": user_id},
            {"actor_id": None, "subject_id": user_id},
        ]
        entries.update_many({"$or": own}, {"$unset": {"actor_id": "", "address": ""}})
        about = {"subject_id": "", "target": "", "details": ""}
        entries.update_many({"subject_id": user_id}, {"$unset": about})
