"""What an update changes: its paths, with `items.$` as the number of the element it names.

mongomock asks one element after the other, each through its whole filter: for the last of 100 lines
that was a sixth of what an add to a cart took.
"""

from collections.abc import Mapping
from typing import Any, Final

from ecommerce.core.embedded.matching import element_check, holds_documents

Doc = Mapping[str, Any]
_OPERATORS: Final = ("$set", "$inc", "$unset", "$min", "$max")


def numbered(change: Doc, where: Doc, doc: Doc) -> Doc:
    """The change with `items.$.quantity` as `items.3.quantity`; other forms are mongomock's.

    Args:
        where: the filter, which the document meets.
    """
    fields = {operator: change[operator] for operator in _OPERATORS if operator in change}
    arrays = {
        path.partition(".$.")[0] for paths in fields.values() for path in paths if "$" in path
    }
    number = _first_that_meets(where, arrays.pop(), doc) if len(arrays) == 1 else None
    if number is None:
        return change
    return {**change, **{operator: _at(number, paths) for operator, paths in fields.items()}}


def paths_of(change: Doc) -> list[str]:
    """Every path that an update with operators changes; none for a whole new document."""
    changed = (paths for name, paths in change.items() if name.startswith("$"))
    return [path for paths in changed for path in paths]


def _at(number: int, paths: Doc) -> Doc:
    return {path.replace(".$.", f".{number}."): value for path, value in paths.items()}


def _first_that_meets(where: Doc, array: str, doc: Doc) -> int | None:
    named = [path for path in where if path.split(".")[0] == array]
    check = element_check(named[0], where[named[0]]) if len(named) == 1 else None
    if check is None or not holds_documents(doc, array):
        return None
    return next((number for number, one in enumerate(doc[array]) if check(one)), None)
