"""The answers that this process keeps: the most recently used ones, within a number of bytes."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final

import orjson

from ecommerce.core.response_cache.answers import Provenance
from ecommerce.core.response_cache.stored import UNREADABLE, seconds_left

MAX_BYTES: Final = 32 * 1024 * 1024
_OVERHEAD: Final = 4_000
"""Bytes that an entry takes beside its body: its headers and what it is made of, each with strings
of its own as they come out of the shared layer. 3,900 were measured for a product."""

Headers = list[tuple[str, str]]
Key = tuple[str, ...]
"""What an answer, or a part of it, depends on."""


@dataclass(slots=True)
class Kept:
    """One answer as it went out."""

    headers: Headers
    body: bytes
    etag: str
    last_modified: str
    provenance: Provenance
    first_kept: float
    """In `time.monotonic`, before its data was read, or it was looked for in the shared layer."""
    epoch: bytes
    """The last one at which it was known to be right."""
    ends: float
    """In `time.monotonic`: it is not given later."""

    @property
    def size(self) -> int:
        """Bytes, roughly."""
        return len(self.body) + _OVERHEAD

    def pack(self) -> bytes:
        """For the shared layer."""
        made = self.provenance
        head = {
            "headers": self.headers,
            "etag": self.etag,
            "last_modified": self.last_modified,
            "topics": made.topics,
            "tokens": [token.hex() for token in made.tokens],
            "epoch": made.epoch.hex(),
            "view_name": made.view_name,
            "transport": made.transport,
            "ends_at": made.ends_at,
        }
        return orjson.dumps(head) + b"\n" + self.body


def unpack(packed: bytes, now: float) -> Kept | None:
    """What `pack` packed, and kept here from now on, for what is left of its life.

    None for what another version of the program packed.
    """
    try:
        return _unpacked(packed, now)
    except UNREADABLE:
        return None


def _unpacked(packed: bytes, now: float) -> Kept:
    head, _, body = packed.partition(b"\n")
    known = orjson.loads(head)
    provenance = Provenance(
        tuple(known["topics"]),
        tuple(bytes.fromhex(token) for token in known["tokens"]),
        bytes.fromhex(known["epoch"]),
        view_name=known["view_name"],
        transport=known["transport"],
        is_settled=True,
        ends_at=float(known["ends_at"]),
    )
    return Kept(
        headers=[(name, value) for name, value in known["headers"]],
        body=body,
        etag=known["etag"],
        last_modified=known["last_modified"],
        provenance=provenance,
        first_kept=now,
        epoch=provenance.epoch,
        ends=now + seconds_left(provenance.ends_at),
    )


class KeptAnswers:
    """A dictionary that forgets what was not asked for longest; safe for threads."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._answers: OrderedDict[Key, Kept] = OrderedDict()
        self._lock = Lock()
        self._bytes = 0
        self._max_bytes = max_bytes

    def get(self, key: Key) -> Kept | None:
        """The answer, of whatever age."""
        with self._lock:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
            return found

    def put(self, key: Key, answer: Kept) -> None:
        """Keep an answer; others may have to go for it."""
        with self._lock:
            self._drop(key)
            self._answers[key] = answer
            self._bytes += answer.size
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._answers)))

    @property
    def bytes(self) -> int:
        """How many are kept."""
        return self._bytes

    def _drop(self, key: Key) -> None:
        old = self._answers.pop(key, None)
        if old is not None:
            self._bytes -= old.size
