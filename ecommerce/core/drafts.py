"""A file is replaced by a whole one or not at all: its draft is written beside it, then moved."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

OWNER_ONLY: Final = 0o600
_AS_ANY_FILE: Final = 0o666
"""Less what the process's umask takes away."""


@contextmanager
def written_whole(path: Path) -> Iterator[TextIO]:
    """The file to write in UTF-8: what was there before stays until all of the new one is written.

    Raises:
        OSError: it cannot be written; it names this file, not its draft.
    """
    if path.exists() and not path.is_file():  # a pipe or a terminal holds nothing to be lost
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    place = path.resolve()  # behind a link
    with draft_of(place, mode=_AS_ANY_FILE) as draft:
        with draft.open("w", encoding="utf-8", newline="") as file:
            yield file
        if place.exists():
            shutil.copymode(place, draft)
        put_in_place(draft, place)


@contextmanager
def draft_of(path: Path, *, mode: int = OWNER_ONLY) -> Iterator[Path]:
    """A new, empty file beside the path, gone at the end unless it was put in its place.

    Its name holds this process's id. In a container that is always the same one: what a killed
    process of that id has left is removed, with what SQLite had beside it.

    Raises:
        OSError: it cannot be made; it names `path`.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    with _named(path):
        _remove(draft)
        os.close(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode))
    try:
        yield draft
    finally:
        _remove(draft)


def put_in_place(draft: Path, path: Path) -> None:
    """From now on the path is this file, also after a power cut; before, it was the old one.

    Raises:
        OSError: it cannot be done; it names `path`.
    """
    with _named(path):
        _sync(draft, os.O_RDONLY)
        draft.replace(path)
        _sync(path.parent, os.O_DIRECTORY)


def _sync(place: Path, flags: int) -> None:
    handle = os.open(place, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(draft: Path) -> None:
    for beside in ("", "-wal", "-shm", "-journal"):
        draft.with_name(draft.name + beside).unlink(missing_ok=True)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Nobody who reads of a fault knows the draft."""
    try:
        yield
    except OSError as fault:
        raise OSError(fault.errno, fault.strerror, str(path)) from None
