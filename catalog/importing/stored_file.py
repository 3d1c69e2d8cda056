"""The file of a job as a stream: its pieces are read from the database one at a time."""

from collections.abc import Callable
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING

from bson import ObjectId

from catalog.selectors import import_chunk

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class _Pieces(RawIOBase):
    def __init__(self, file_id: ObjectId, at_each: Callable[[], None]) -> None:
        self._file_id = file_id
        self._at_each = at_each
        self._number = 0
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if not self._left:
            self._at_each()
            self._left = import_chunk(self._file_id, self._number)
            self._number += 1
        target = memoryview(buffer).cast("B")
        taken = self._left[: len(target)]
        target[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


def open_stored_file(
    file_id: ObjectId, *, buffer: int, at_each: Callable[[], None]
) -> BufferedReader:
    """The file from its start.

    Args:
        buffer: bytes that are read ahead.
        at_each: called before each piece is read.
    """
    return BufferedReader(_Pieces(file_id, at_each), buffer)
