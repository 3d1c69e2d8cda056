"""The answers that this process keeps: the most recently used ones, within a number of bytes."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final

from ecommerce.core.response_cache.answers import Provenance

MAX_BYTES: Final = 32 * 1024 * 1024
_OVERHEAD: Final = 1_000
"""Bytes that an entry takes beside its body, roughly."""

Headers = list[tuple[str, str]]


@dataclass(slots=True)
class Kept:
    """One answer as it went out."""

    headers: Headers
    body: bytes
    etag: str
    last_modified: str
    provenance: Provenance
    first_kept: float
    """`time.monotonic`, before the answer's data was read; so is the other."""
    known_right: float
    """When it was last known to be right."""

    @property
    def size(self) -> int:
        """Bytes, roughly."""
        return len(self.body) + _OVERHEAD


class KeptAnswers:
    """A dictionary that forgets what was not asked for longest; safe for threads."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._answers: OrderedDict[str, Kept] = OrderedDict()
        self._lock = Lock()
        self._bytes = 0
        self._max_bytes = max_bytes

    def get(self, key: str) -> Kept | None:
        """The answer, of whatever age."""
        with self._lock:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
            return found

    def put(self, key: str, answer: Kept) -> None:
        """Keep an answer; others may have to go for it."""
        with self._lock:
            self._drop(key)
            self._answers[key] = answer
            self._bytes += answer.size
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._answers)))

    def drop(self, key: str) -> None:
        """Forget an answer."""
        with self._lock:
            self._drop(key)

    @property
    def bytes(self) -> int:
        """How many are kept."""
        return self._bytes

    def _drop(self, key: str) -> None:
        old = self._answers.pop(key, None)
        if old is not None:
            self._bytes -= old.size
