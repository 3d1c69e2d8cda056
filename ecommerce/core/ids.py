"""Document ids: 24 hex digits on the wire, ObjectId inside."""

import re
from typing import Final

from bson import ObjectId

from ecommerce.core.errors import DomainError, NotFoundError

_ID: Final = re.compile(r"[0-9a-f]{24}", re.ASCII | re.IGNORECASE)
ID_PATTERN: Final = "^[0-9a-fA-F]{24}$"
"""The shape of an id for OpenAPI and for validation."""


def is_id(text: str) -> bool:
    """Whether the text has the form of an id; it need not name anything that exists."""
    return _ID.fullmatch(text) is not None


def parse_id(text: str, missing: type[DomainError] = NotFoundError) -> ObjectId:
    """The id a path or a body names.

    Raises:
        missing: the text cannot be an id, so nothing is there.
    """
    if not is_id(text):
        raise missing
    return ObjectId(text)


def new_id() -> ObjectId:
    """An id for a document that is about to be made."""
    return ObjectId()
