"""Writes of the audit log."""

from collections.abc import Mapping

from bson import ObjectId

from accounts.documents import AuditEvent
from ecommerce.core.mongo import insert
from ecommerce.core.request_ids import current_request_id


class AuditService:
    """Adds entries; nothing changes or removes them before they expire."""

    @staticmethod
    def record(
        event: str,
        *,
        actor_id: ObjectId | None = None,
        subject_id: ObjectId | None = None,
        target: str | None = None,
        address: str | None = None,
        details: Mapping[str, str | int | bool] | None = None,
    ) -> None:
        """Add one entry. Record before the change that it tells of: then none goes unrecorded.

        Args:
            event: its stable name.
            actor_id: the user who does it; None where nobody is signed in.
            subject_id: the user whose account or data it concerns.
            target: what it is done to, as a path without its first slash.
            address: the client's address, as `ecommerce.core.client_address` gives it.
            details: small plain facts. Never a secret.
        """
        entry = AuditEvent(
            event=event,
            actor_id=actor_id,
            subject_id=subject_id,
            target=target,
            address=address,
            request_id=current_request_id(),
            details=dict(details) if details else None,
        )
        insert(entry)
