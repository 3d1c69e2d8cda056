"""JSON and JSON Lines: our own export, or DummyJSON's product list."""

import re
from collections.abc import Iterator
from io import BufferedReader
from typing import Any, Final

import ijson
from rest_framework.exceptions import ParseError

from catalog.importing.rows import ImportRow, given, listed
from ecommerce.core.errors import FieldError
from ecommerce.core.parsers import MAX_DEPTH, check_values, loads

_OWN: Final = (
    "name", "description", "price", "currency", "quantity", "sku", "slug", "brand", "category",
    "tags", "images", "status", "compare_at_price", "attributes", "variants", "related_ids",
)  # fmt: skip
_RENAMED: Final = {"title": "name", "stock": "quantity"}
_MADE_BY_US: Final = {"id", "version", "created_at", "updated_at"}
_WRAPPED: Final = re.compile(rb'\s*\{\s*"products"\s*:\s*\[')
_MAX_LINE: Final = 1024 * 1024
"""Bytes of one line; as many as a body of the API may have."""
_KEPT_LEVELS: Final = MAX_DEPTH + 4
"""What is nested deeper is left out; what is left is deep enough for its product to be refused."""
_MAX_NAME: Final = 1000
"""Characters in the name of a member."""
_STARTS: Final = frozenset({"start_map", "start_array"})
_ENDS: Final = frozenset({"end_map", "end_array"})


def read_document(file: BufferedReader) -> Iterator[ImportRow]:
    """The products of one JSON text: a list, a list under `products`, one object, or several.

    Raises:
        ValueError, ArithmeticError, ijson.JSONError: it is not JSON, or holds no products.
    """
    for number, item in enumerate(_items(file), 1):
        if not isinstance(item, dict):
            raise ValueError(f"item {number} is no object")  # noqa: TRY004 - a fault of the file
        yield _product(ImportRow(number), item)


def read_lines(file: BufferedReader) -> Iterator[ImportRow]:
    """The products of JSON Lines; a line that is none is a row with a fault."""
    number = 0
    for place, line in enumerate(_lines(file), 1):
        if line.strip():
            number += 1
            yield _from_line(ImportRow(number, place), line)


def _lines(file: BufferedReader) -> Iterator[bytes]:
    """Lines, each cut a little behind the longest that is read."""
    while line := file.readline(_MAX_LINE + 1):
        yield line
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(_MAX_LINE)


def _from_line(row: ImportRow, line: bytes) -> ImportRow:
    if len(line) > _MAX_LINE:
        row.faults = [FieldError("", "line_too_long", f"A line has at most {_MAX_LINE} bytes.")]
        return row
    try:
        item = loads(line)
    except ParseError as fault:
        row.faults = [_fault(fault)]
        return row
    if isinstance(item, dict):
        return _product(row, item)
    row.faults = [FieldError("", "invalid", "The line is no JSON object.")]
    return row


def _items(file: BufferedReader) -> Iterator[Any]:
    start = file.peek()
    if start.lstrip()[:1] == b"[":
        return _values(file, "item")
    if _WRAPPED.match(start):
        return _values(file, "products.item")
    if start.lstrip()[:1] == b"{":
        return _objects(file)
    raise ValueError("it holds no list of products")


def _objects(file: BufferedReader) -> Iterator[Any]:
    """Whole objects, one behind the other."""
    for item in _values(file, "", multiple_values=True):
        wrapped = item.get("products") if isinstance(item, dict) else None
        yield from wrapped if isinstance(wrapped, list) else [item]


def _values(file: BufferedReader, path: str, **options: bool) -> Iterator[Any]:
    return iter(ijson.items(ijson.parse(_events(file, **options)), path))


def _events(file: BufferedReader, **options: bool) -> Iterator[tuple[str, Any]]:
    """The parts of a JSON text. ijson holds, at each level, the path that leads there: without
    these bounds 100 kB of brackets take 25 GB.

    Raises:
        ValueError: a name is too long.
    """
    depth = 0
    for event, value in ijson.basic_parse(file, **options):
        if event in _ENDS:
            depth -= 1
        elif event == "map_key" and len(value) > _MAX_NAME:
            raise ValueError(f"the name of a member has more than {_MAX_NAME} characters")
        if depth < _KEPT_LEVELS:
            yield event, value
        if event in _STARTS:
            depth += 1


def _product(row: ImportRow, item: dict[str, Any]) -> ImportRow:
    try:
        check_values(item)
    except ParseError as fault:
        row.faults = [_fault(fault)]
        return row
    renamed = {_RENAMED.get(name, name): value for name, value in item.items()}
    if isinstance(renamed.get("images"), list):
        renamed["images"] = [
            {"url": image} if isinstance(image, str) else image for image in renamed["images"]
        ]
    row.product_id = str(item.get("id", ""))
    row.values = given((name, renamed.get(name)) for name in _OWN)
    row.covers = frozenset(renamed) & frozenset(_OWN)
    row.not_kept = listed(sorted(renamed.keys() - {*_OWN, *_MADE_BY_US}))
    return row


def _fault(problem: ParseError) -> FieldError:
    return FieldError("", str(problem.get_codes()), str(problem.detail))
