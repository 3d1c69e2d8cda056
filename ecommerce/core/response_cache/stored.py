"""One answer as it is kept: the bytes of the body, and what its headers are made of."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

LIFE_SECONDS: Final = 300.0
"""How old an answer whose topics nobody changed becomes at most, wherever it is kept."""
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
    ends_at: float
    """In Unix time: whoever keeps it, in Redis or in a process, keeps it no longer."""

    def pack(self, tokens: Sequence[bytes]) -> bytes:
        """As bytes, with the generations of the topics that it is made of."""
        head = {
            "tokens": [token.hex() for token in tokens],
            "etag": self.etag,
            "last_modified": self.last_modified,
            "link": self.link,
            "ends_at": self.ends_at,
        }
        return orjson.dumps(head) + _SEPARATOR + self.body


def end_of(read_at: float) -> float:
    """When an answer ends whose data was read at that Unix time.

    Not all at once: what was made together would otherwise be made again together.
    """
    return read_at + LIFE_SECONDS * random.uniform(0.8, 1.0)  # noqa: S311


def seconds_left(ends_at: float) -> float:
    """Until an answer ends; not more than a life, though clocks of machines differ."""
    return min(ends_at - time.time(), LIFE_SECONDS)


def unpack(packed: bytes | None, tokens: Sequence[bytes]) -> Stored | None:
    """The stored answer; None unless there is one that can be read, made at these generations, and
    it has not ended."""
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
    ends_at = float(known["ends_at"])
    if seconds_left(ends_at) <= 0:
        return None
    moment = known["last_modified"]
    last_modified = datetime.fromisoformat(moment) if moment else None
    return Stored(body, known["etag"], last_modified, known["link"], ends_at)
