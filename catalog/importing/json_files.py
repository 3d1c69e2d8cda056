"""JSON and JSON Lines: our own export, or DummyJSON's product list."""

import re
from collections.abc import Iterator
from io import BufferedReader
from typing import Any, Final

import ijson
from rest_framework.exceptions import ParseError

from catalog.importing.rows import ImportRow, UnreadableFileError, given, listed
from ecommerce.core.errors import FieldError
from ecommerce.core.parsers import MAX_DEPTH, UnfitValueError, check_values, duplicate_key, loads

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
_LONG_NAME: Final = f"It cannot be read: the name of a member has more than {_MAX_NAME} characters."
_TWO_LISTS: Final = 'It cannot be read: the outermost object has the member "products" twice.'
_END: Final = object()
_PLAIN: Final = {
    "premature EOF": "is not complete: the file ends too early",
    "invalid bytes in UTF8": "is not UTF-8",
    "trailing garbage": "stands behind the end of the JSON text",
}
"""What yajl says, and what that means of an item."""
_STARTS: Final = frozenset({"start_map", "start_array"})
_ENDS: Final = frozenset({"end_map", "end_array"})


def read_document(file: BufferedReader) -> Iterator[ImportRow]:
    """The products of one JSON text: a list, a list under `products`, one object, or several.

    Raises:
        UnreadableFileError: it is not JSON, or holds no products.
    """
    items, number = _items(file), 1
    while (item := _next(items, number)) is not _END:
        if not isinstance(item, dict):
            raise UnreadableFileError(f"It cannot be read: item {number} is no object.")
        yield _product(ImportRow(number), item)
        number += 1


def _next(items: Iterator[Any], number: int) -> Any:
    """The next item; what the parser says against it is said in a sentence, without its drawing."""
    try:
        return next(items, _END)
    except ijson.JSONError as fault:
        said = str(fault)
        what = next((plain for sign, plain in _PLAIN.items() if sign in said), "is not valid JSON")
    except ArithmeticError:
        what = "has a number with too large an exponent"
    except ValueError:  # Python reads no integer of thousands of digits
        what = "has an integer that does not fit in 64 bits"
    raise UnreadableFileError(f"It cannot be read: item {number} {what}.") from None


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
    raise UnreadableFileError("It cannot be read: it holds no list of products.")


def _objects(file: BufferedReader) -> Iterator[Any]:
    """Whole objects, one behind the other."""
    for item in _values(file, "", multiple_values=True):
        wrapped = item.get("products") if isinstance(item, dict) else None
        yield from wrapped if isinstance(wrapped, list) else [item]


def _values(file: BufferedReader, path: str, **options: bool) -> Iterator[Any]:
    level = len(path.split(".")) if path else 0
    return iter(ijson.items(ijson.parse(_events(file, level, **options)), path))


class _Repeated(str):
    """The name of a member that the object has already: a dict would keep only the last."""

    __slots__ = ()


def _events(file: BufferedReader, level: int, **options: bool) -> Iterator[tuple[str, Any]]:
    """The parts of a JSON text. ijson holds, at each level, the path that leads there: without
    these bounds 100 kB of brackets take 25 GB.

    Args:
        file: the JSON text.
        level: how deep the products stand in it; from there on no name may be repeated.
        options: of ijson.

    Raises:
        UnreadableFileError: a name is too long, or the outermost object has two `products`.
    """
    depth = 0
    names: list[set[str]] = []
    for event, value in ijson.basic_parse(file, **options):
        if event in _ENDS:
            depth -= 1
            del names[depth:]
        elif event == "map_key":
            value = _name(value, names, level)
        if depth < _KEPT_LEVELS:
            yield event, value
        if event in _STARTS:
            depth += 1
            names.append(set())


def _name(name: str, names: list[set[str]], level: int) -> str:
    """A member's name, marked where its object has it already.

    Args:
        name: as it stands in the file.
        names: those so far of each object around it, the outermost first.
        level: as for `_events`.

    Raises:
        UnreadableFileError: as `_events` says.
    """
    if len(name) > _MAX_NAME:
        raise UnreadableFileError(_LONG_NAME)
    depth = len(names)
    wraps = depth == 1 and name == "products"
    if not wraps and not level < depth < _KEPT_LEVELS:
        return name
    if name not in names[-1]:
        names[-1].add(name)
        return name
    if wraps:
        raise UnreadableFileError(_TWO_LISTS)
    return _Repeated(f"{name}\x00")


def _repeated_in(value: Any) -> _Repeated | None:
    """The name of a member that some object in it has twice."""
    if isinstance(value, dict):
        twice = (name for name in value if isinstance(name, _Repeated))
        return next(twice, None) or _repeated_in(list(value.values()))
    found = map(_repeated_in, value) if isinstance(value, list) else ()
    return next(filter(None, found), None)


def _product(row: ImportRow, item: dict[str, Any]) -> ImportRow:
    try:
        check_values(item)
    except ParseError as fault:  # the NUL in the name of a repeated member is one
        twice = _repeated_in(item)
        row.faults = [_fault(fault if twice is None else duplicate_key(twice.rstrip("\x00")))]
        return row
    own_names = {theirs: ours for theirs, ours in _RENAMED.items() if ours not in item}
    renamed = {own_names.get(name, name): value for name, value in item.items()}
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
    pointer = problem.pointer if isinstance(problem, UnfitValueError) else ""
    return FieldError(pointer, str(problem.get_codes()), str(problem.detail))
