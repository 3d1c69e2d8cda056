"""One answer as it is kept: the bytes of the body, and what its headers are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

_SEPARATOR: Final = b"\n"
UNREADABLE: Final = (AttributeError, LookupError, TypeError, ValueError)
"""What an entry raises that another version of the program has packed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A representation that is ready to go out."""

    body: bytes
    etag: str
    last_modified: datetime | None
    link: str
    """The `Link` header; empty for none."""

    def pack(self, tokens: Sequence[bytes]) -> bytes:
        """As bytes, with the generations of the topics that it is made of."""
        head = {
            "tokens": [token.hex() for token in tokens],
            "etag": self.etag,
            "last_modified": self.last_modified,
            "link": self.link,
        }
        return orjson.dumps(head) + _SEPARATOR + self.body


def unpack(packed: bytes | None, tokens: Sequence[bytes]) -> Stored | None:
    """The stored answer; None unless there is one that can be read, made at these generations."""
    if packed is None:
        return None
    try:
        return _unpacked(packed, tokens)
    except UNREADABLE:
        return None


def _unpacked(packed: bytes, tokens: Sequence[bytes]) -> Stored | None:
    head, _, body = packed.partition(_SEPARATOR)
    known = orjson.loads(head)
    if known["tokens"] != [token.hex() for token in tokens]:
        return None
    moment = known["last_modified"]
    last_modified = datetime.fromisoformat(moment) if moment else None
    return Stored(body, known["etag"], last_modified, known["link"])
