"""All that is stored about a user, as one JSON text that is never whole in memory."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bson import ObjectId

from accounts import selectors
from accounts.services.audit import AuditService
from ecommerce.core.json_output import to_json
from ecommerce.core.mongo import utc_now


class ExportService:
    """Reads; it is a service because an export is recorded."""

    @staticmethod
    def export(
        *, user_id: ObjectId, actor_id: ObjectId | None = None, address: str | None = None
    ) -> Iterator[bytes]:
        """The JSON text, in pieces: an object with a member for each kind of thing that is stored.

        Args:
            user_id: whose data it is.
            actor_id: the user who asks; None for the operator.
            address: the client's, for the audit log.

        Raises:
            UserNotFoundError: there is no such user; before anything is given out.
        """
        account = selectors.stored_account(user_id)
        AuditService.record("user_exported", actor_id=actor_id, subject_id=user_id, address=address)
        head = {"exported_at": utc_now(), "account": _shown(account)}
        return _pieces(head, selectors.stored_sections(user_id))


def _pieces(head: Mapping[str, Any], sections: Iterable[selectors.Section]) -> Iterator[bytes]:
    yield _json(head)[:-1]
    for name, rows in sections:
        yield b',"%s":[' % name.encode()
        for number, row in enumerate(rows):
            yield (b"," if number else b"") + _json(_shown(row))
        yield b"]"
    yield b"}"


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"id" if name == "_id" else name: value for name, value in row.items()}


def _json(value: Any) -> bytes:
    return to_json(value, otherwise=str)  # ids are text
