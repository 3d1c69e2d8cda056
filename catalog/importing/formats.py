"""Which reader a file needs, and how its bytes become rows, one at a time.

A JSON document is right or wrong as a whole. CSV and JSON Lines are right or wrong line by line.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BufferedReader, FileIO, TextIOWrapper
from pathlib import Path
from typing import Final

from catalog.importing import json_files, shopify
from catalog.importing.rows import ImportRow, UnreadableFileError

_SUFFIXES: Final = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_MARK: Final = b"\xef\xbb\xbf"
"""What some programs write before UTF-8."""
_OLD_SPREADSHEETS: Final = "cp1252"
BUFFER: Final = 64 * 1024
"""Bytes read at once."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read from its start any number of times."""

    open: Callable[[], BufferedReader]
    format: str
    encoding: str = "utf-8"
    """Of a CSV; JSON is always UTF-8."""


def file_source(path: Path, *, format_name: str = "") -> Source:
    """A file on disk; the format is told by its name, else by how it begins, unless given.

    Raises:
        UnreadableFileError: no such file.
    """
    try:
        with path.open("rb") as file:
            start = file.read(BUFFER)
    except OSError as fault:
        raise UnreadableFileError(f"{fault.strerror}.") from None
    looks = "json" if start.removeprefix(_MARK).lstrip()[:1] in {b"{", b"["} else "csv"
    name = format_name or format_of(path.name) or looks
    return Source(lambda: BufferedReader(FileIO(path), BUFFER), name)


def format_of(file_name: str) -> str:
    """The format that a file's name ends with; empty for one that we do not know."""
    return _SUFFIXES.get(Path(file_name).suffix.lower(), "")


def inspected(source: Source) -> tuple[Source, int]:
    """The source with its encoding, and how many rows it has: read to its end once.

    Raises:
        UnreadableFileError: it cannot be read as products.
    """
    try:
        return source, _count(source)
    except UnicodeDecodeError:  # of a CSV; JSON that is not UTF-8 is refused
        old = replace(source, encoding=_OLD_SPREADSHEETS)
    try:
        return old, _count(old)
    except UnicodeDecodeError:
        raise UnreadableFileError(
            f"Line {_unreadable_line(old)} is neither UTF-8 nor Windows-1252: save it as UTF-8."
        ) from None


def read_rows(source: Source) -> Iterator[ImportRow]:
    """The rows of an inspected source.

    Raises:
        UnreadableFileError: it cannot be read as products.
    """
    with source.open() as file:
        if file.peek(len(_MARK)).startswith(_MARK):
            file.read(len(_MARK))
        yield from _read(file, source)


def _unreadable_line(source: Source) -> int:
    """The first line with a byte that its encoding, of one byte a character, does not have."""
    number = 1
    with source.open() as file:
        while block := file.readline(BUFFER):
            try:
                block.decode(source.encoding)
            except UnicodeDecodeError:
                break
            number += block.endswith(b"\n")
    return number


def _count(source: Source) -> int:
    return sum(1 for _ in read_rows(source))


def _read(file: BufferedReader, source: Source) -> Iterator[ImportRow]:
    if source.format == "json":
        return json_files.read_document(file)
    if source.format == "jsonl":
        return json_files.read_lines(file)
    return _read_csv(file, source.encoding)


def _read_csv(file: BufferedReader, encoding: str) -> Iterator[ImportRow]:
    try:
        yield from shopify.read(TextIOWrapper(file, encoding, newline=""))
    except UnicodeDecodeError:
        raise
    except ValueError as fault:
        raise UnreadableFileError(f"It cannot be read: {fault}.") from None
