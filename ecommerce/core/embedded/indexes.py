"""By which values of a field documents are listed, as MongoDB's indexes list them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from bson import Int64, ObjectId
from mongomock.helpers import get_value_by_dot

from ecommerce.core.embedded.copying import Doc
from ecommerce.core.embedded.matching import holds_documents

_SCALARS: Final = frozenset({str, int, Int64, ObjectId, datetime, type(None)})


class EqualityIndex:
    """From the values of one field to the keys of the documents that have them.

    A document whose field is an array stands under each element, as in MongoDB.
    """

    def __init__(self, field: str) -> None:
        self._field = field
        self._keys: dict[Any, dict[Any, None]] = {}
        self._values: dict[Any, list[Any]] = {}  # of each key, as they were listed
        self.odd: dict[Any, None] = {}
        """Keys of documents that hold a float, a boolean, a document or an array in an array."""

    def add(self, key: Any, doc: Doc) -> None:
        """List a document by what it has now; most writes leave the listed values as they are."""
        values = _values(doc, self._field)
        plain = are_scalars(values)
        if plain and self._values.get(key) == values:
            self._values[key] = list(values)  # the same objects as its own: next time quick
            return
        self.remove(key)
        if plain:
            self._values[key] = list(values)
            for value in dict.fromkeys(values):
                self._keys.setdefault(value, {})[key] = None
        else:
            self.odd[key] = None

    def remove(self, key: Any) -> None:
        """Take a document off the list."""
        self.odd.pop(key, None)
        for value in dict.fromkeys(self._values.pop(key, ())):
            listed = self._keys[value]
            listed.pop(key, None)
            if not listed:
                del self._keys[value]

    def having(self, value: Any) -> Iterator[Any]:
        """The keys of documents that may have the value: those that do, and the odd ones."""
        yield from self._keys.get(value, ())
        yield from self.odd

    def listed(self, value: Any) -> dict[Any, None]:
        """The keys of documents that surely have the value."""
        return self._keys.get(value, _NONE)


_NONE: Final[dict[Any, None]] = {}


def is_scalar(value: Any) -> bool:
    """Whether equality of the value is plain: no array, document, float, or boolean (True == 1)."""
    return type(value) in _SCALARS


def are_scalars(values: Iterable[Any]) -> bool:
    """Whether that holds of each."""
    return _SCALARS.issuperset(map(type, values))


def elements(doc: Mapping[str, Any], field: str) -> list[Any]:
    """The values that an index lists a document under: those of an array, or the one value."""
    return list(dict.fromkeys(values)) if are_scalars(values := _values(doc, field)) else values


def _values(doc: Mapping[str, Any], field: str) -> list[Any]:
    """The same; one that an array holds twice is there twice."""
    try:
        value = _value(doc, field)
    except KeyError:
        return [None]
    return value if isinstance(value, list) and are_scalars(value) else [value]


def _value(doc: Mapping[str, Any], field: str) -> Any:
    """A field's value, or those of a field in each document of an array: by itself 20 times faster.

    Raises:
        KeyError: it is not there, or not in each.
    """
    array, _, name = field.partition(".")
    if not name or "." in name or name.isdigit() or not holds_documents(doc, array):
        return get_value_by_dot(doc, field, can_generate_array=True)
    return [element[name] for element in doc[array]]
