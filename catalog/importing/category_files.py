"""Categories in files: our own JSON Lines, or a list in which each carries its whole path."""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import orjson

from catalog.documents import CategoryRow
from catalog.importing import UnreadableFileError

_OWN: Final = ("slug", "name", "parent", "position")
_GZIP: Final = b"\x1f\x8b"


def write_categories(categories: Iterable[CategoryRow], file: TextIO) -> int:
    """One JSON object a line; how many."""
    count = 0
    for row in categories:
        file.write(orjson.dumps({name: row.get(name) for name in _OWN}).decode() + "\n")
        count += 1
    return count


@dataclass(slots=True)
class CategoryEntry:
    """One category of a file: input for `CategoryInput`."""

    place: str
    """Where it stands, for people: `item 3`."""
    values: dict[str, Any]
    warning: str = ""


def read_categories(path: Path) -> list[CategoryEntry]:
    """The categories of a JSON or JSON Lines file, which may be packed by gzip.

    Raises:
        UnreadableFileError: no such file, or not of a format we know.
    """
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if content[:2] == _GZIP else content).decode("utf-8-sig")
        return list(_entries(_items(text)))
    except OSError as fault:  # gzip's faults among them
        raise UnreadableFileError(f"{fault.strerror or fault}.") from None
    except (ValueError, EOFError) as fault:
        raise UnreadableFileError(f"It cannot be read: {fault}.") from None


def _items(text: str) -> list[dict[str, Any]]:
    try:
        content = json.loads(text)
    except ValueError:
        # Not splitlines: names may hold characters that it takes for the end of a line.
        content = [json.loads(line) for line in text.split("\n") if line.strip()]
    if isinstance(content, dict):
        content = content.get("items", [content])
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise ValueError("it holds no list of categories")
    return content


def _entries(items: list[dict[str, Any]]) -> Iterator[CategoryEntry]:
    if all("slug" in item for item in items):
        for number, item in enumerate(items, 1):
            values: dict[str, Any] = {name: item[name] for name in _OWN if name in item}
            yield CategoryEntry(f"item {number}", values)
    elif all(_has_a_path(item) for item in items):
        yield from _with_paths(items)
    else:
        raise ValueError("its categories have neither a slug nor an id and a path")


def _has_a_path(item: dict[str, Any]) -> bool:
    path = item.get("path")
    steps = path if isinstance(path, list) else []
    ids = [step.get("id") for step in steps if isinstance(step, dict)]
    return len(ids) == len(steps) and ids[-1:] == [item.get("id")] and all(map(_is_name, ids))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _with_paths(items: list[dict[str, Any]]) -> Iterator[CategoryEntry]:
    """Each category, and those that stand nowhere but in the paths of others.

    Their ids become slugs: names repeat in other branches, ids do not.
    """
    positions = dict(_positions(items))
    own = {item["id"] for item in items}
    for number, item in enumerate(items, 1):
        for depth, step in enumerate(item["path"]):
            if step["id"] in own and step is not item["path"][-1]:
                continue  # it has an entry of its own
            own.add(step["id"])
            above = item["path"][depth - 1]["id"] if depth else None
            yield _entry(f"item {number}", step, above, positions.get((above, step["id"]), 0))


def _entry(place: str, step: dict[str, Any], above: str | None, position: int) -> CategoryEntry:
    slug, name = step["id"].lower(), step.get("name")
    values = {"slug": slug, "name": name or slug, "parent": above and above.lower()}
    warning = "" if name else f"a category without a name is called {slug}"
    return CategoryEntry(place, {**values, "position": position}, warning)


def _positions(items: Iterable[dict[str, Any]]) -> Iterator[tuple[tuple[Any, Any], int]]:
    """Where each stands among those right below the same category."""
    for item in items:
        for position, below in enumerate(item.get("subCategories") or ()):
            yield (item["id"], below.get("id")), position
