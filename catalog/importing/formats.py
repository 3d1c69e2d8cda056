"""Which reader a file needs, and how its bytes become text."""

from collections.abc import Iterator
from pathlib import Path

from catalog.importing import json_files, shopify
from catalog.importing.rows import ImportRow


class UnreadableFileError(Exception):
    """The file cannot be read as products; the message says why."""


def read_rows(path: Path, *, format_name: str = "") -> list[ImportRow]:
    """The products of a file; the format is told by its name and content unless given.

    Raises:
        UnreadableFileError: no such file, or not of a format we know.
    """
    try:
        text = _decode(path.read_bytes())
    except OSError as fault:
        raise UnreadableFileError(f"{path}: {fault.strerror}.") from None
    try:
        return list(_read(text, format_name or _guess(path, text)))
    except ValueError as fault:
        raise UnreadableFileError(f"{path} cannot be read: {fault}.") from None


def _read(text: str, format_name: str) -> Iterator[ImportRow]:
    if format_name == "json":
        return json_files.read(text)
    header = text.split("\n", 1)[0]
    if "Handle" not in header or "Variant Price" not in header:
        raise ValueError("its first line has no columns Handle and Variant Price")
    return shopify.read(text.splitlines(keepends=True))


def _guess(path: Path, text: str) -> str:
    looks_like_json = text.lstrip()[:1] in {"{", "["}
    return "json" if path.suffix in {".json", ".jsonl"} or looks_like_json else "shopify"


def _decode(content: bytes) -> str:
    """UTF-8, with or without its mark; else what old spreadsheets write."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
