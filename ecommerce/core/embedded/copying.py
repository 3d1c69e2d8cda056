"""Copies of stored documents, which whoever asked may change.

mongomock copies each value by itself, and then the whole again for its time zones: that was half of
what an add to a cart of 100 lines took.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import NoneType
from typing import Any, Final

from bson import Int64, ObjectId
from mongomock.helpers import patch_datetime_awareness_in_document

Doc = dict[str, Any]
_UNCHANGING: Final = frozenset({str, int, Int64, float, bool, NoneType, ObjectId, bytes})
_UNCHANGING_OR_TIME: Final = _UNCHANGING | {datetime}


def copied(doc: Doc, *, aware: bool) -> Doc:
    """A copy that shares nothing that can be changed.

    Args:
        aware: give times their zone: they are stored in UTC without one.
    """
    return _aware_inside(dict(doc)) if aware else _naive_inside(dict(doc))


@dataclass(frozen=True, slots=True)
class Fields:
    """The top-level fields that a projection wants, or all but those."""

    names: Collection[str]
    included: bool

    def copied(self, doc: Doc, *, aware: bool) -> Doc:
        """A copy of a document's part."""
        names = self.names
        if self.included:
            part = {name: doc[name] for name in names if name in doc}
        else:
            part = {name: value for name, value in doc.items() if name not in names}
        return _aware_inside(part) if aware else _naive_inside(part)


_ALL: Final = Fields((), included=False)


def plain_fields(projection: Any) -> Fields | None:
    """What a projection wants; None if it is one that mongomock has to work out."""
    if not projection:
        return _ALL
    if not isinstance(projection, dict) or not all(map(_is_plain, projection.items())):
        return None
    kinds = {bool(kept) for name, kept in projection.items() if name != "_id"}
    if len(kinds) != 1:
        return None
    included, with_id = kinds.pop(), bool(projection.get("_id", True))
    names = frozenset(projection) - {"_id"}
    return Fields(names | {"_id"} if with_id is included else names, included)


def _is_plain(field: tuple[str, Any]) -> bool:
    name, kept = field
    return "." not in name and not name.startswith("$") and kept in (0, 1)


def _aware_inside(copy: Doc) -> Doc:
    """Of a document's shallow copy, make all that is in it a copy too."""
    if _UNCHANGING.issuperset(map(type, copy.values())):  # such as a line: 3 times as fast to see
        return copy
    for name, value in copy.items():
        if (kind := type(value)) not in _UNCHANGING:
            copy[name] = _in_utc(value) if kind is datetime else _aware(value)
    return copy


def _aware(value: Any) -> Any:
    if isinstance(value, dict):
        return _aware_inside(dict(value))
    if isinstance(value, list | tuple):
        return [one if type(one) in _UNCHANGING else _aware(one) for one in value]
    return _in_utc(value) if isinstance(value, datetime) else value


def as_compared(asked: Any) -> Any:
    """A filter with its times as they are stored; shares nothing that can be changed.

    mongomock looks at each id of an `$in` in turn.
    """
    if isinstance(asked, dict):
        return {name: as_compared(value) for name, value in asked.items()}
    if isinstance(asked, list | tuple):
        plain = _UNCHANGING.issuperset(map(type, asked))
        return list(asked) if plain else [as_compared(value) for value in asked]
    return patch_datetime_awareness_in_document(asked)


@lru_cache(maxsize=8192)
def _in_utc(time: datetime) -> datetime:
    """Whoever reads a document again finds its times: making them was half of a copy."""
    return time.replace(tzinfo=UTC)


def _naive_inside(copy: Doc) -> Doc:
    if _UNCHANGING_OR_TIME.issuperset(map(type, copy.values())):
        return copy
    for name, value in copy.items():
        if type(value) not in _UNCHANGING_OR_TIME:
            copy[name] = copied_value(value)
    return copy


def copied_value(value: Any) -> Any:
    """A copy of what a field holds, as it is stored."""
    if isinstance(value, dict):
        return _naive_inside(dict(value))
    if isinstance(value, list | tuple):
        return [one if type(one) in _UNCHANGING_OR_TIME else copied_value(one) for one in value]
    return value
