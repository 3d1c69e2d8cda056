"""Whether a stored row is what its document declares: fields, types and limits.

MongoEngine checks documents that it writes; most writes are updates, which it does not see. Its
own validation also takes what merely looks right ("5" for a number), and costs 20 times as much.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import mongoengine
from bson import ObjectId

Complaint = str | None
Check = Callable[[Any], Complaint]

_TYPES: Final[tuple[tuple[type, type], ...]] = (
    (mongoengine.StringField, str),
    (mongoengine.IntField, int),
    (mongoengine.BooleanField, bool),
    (mongoengine.FloatField, float),
    (mongoengine.DateTimeField, datetime),
    (mongoengine.ObjectIdField, ObjectId),
    (mongoengine.BinaryField, bytes),
    (mongoengine.ListField, list),
    (mongoengine.DictField, dict),
    (mongoengine.EmbeddedDocumentField, dict),
)
"""In this order: some of these fields descend from others."""


def typed(
    document: Any,
    *,
    may_lack: frozenset[str] = frozenset(),
    apart: frozenset[str] = frozenset(),
) -> Check:
    """Complains of fields that are missing, unknown, or of another type.

    Args:
        document: a document class, or an embedded one.
        may_lack: fields that need not be there, though a new document has them.
        apart: fields that are not looked at.
    """
    fields = {
        name: None if name in apart else _type_check(field) for name, field in _stored(document)
    }
    needed = [
        name
        for name, field in _stored(document)
        if _is_always_there(field) and name not in may_lack | apart
    ]

    def check(row: Any) -> Complaint:
        for name in needed:
            if name not in row:
                return f"{name}: missing"
        return _first(row, fields, "not a field of it")

    return check


def within_limits(document: Any) -> Check | None:
    """Complains of values beyond the limits that the document declares; None if it declares none.

    The types are right.
    """
    fields = {name: found for name, field in _stored(document) if (found := _limit_check(field))}
    if not fields:
        return None

    def check(row: Any) -> Complaint:
        return _first({name: row[name] for name in fields if name in row}, fields, "")

    return check


def _stored(document: Any) -> Iterator[tuple[str, Any]]:
    return ((field.db_field, field) for field in document._fields.values())


def _is_always_there(field: Any) -> bool:
    """Whether every new document has it, be it null."""
    return bool(field.required or field.null or field.default is not None)


def _first(row: Mapping[str, Any], checks: Mapping[str, Check | None], unknown: str) -> Complaint:
    for name, value in row.items():
        if name not in checks:
            return f"{name}: {unknown}"
        check = checks[name]
        complaint = check(value) if check else None
        if complaint is not None:
            return f"{name}{'.' if ': ' in complaint else ': '}{complaint}"
    return None


def _type_check(field: Any) -> Check | None:
    wanted = next((kind for known, kind in _TYPES if isinstance(field, known)), None)
    if wanted is None or field.primary_key:
        return None
    inside = _inside(field, typed, _type_check)
    nullable = field.null

    def check(value: Any) -> Complaint:
        if value is None and nullable:
            return None
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            return f"not of type {wanted.__name__}"
        return inside(value) if inside else None

    return check


def _inside(field: Any, of_document: Any, of_field: Any) -> Check | None:
    """The check of what a field holds, if it holds anything that has one."""
    if isinstance(field, mongoengine.EmbeddedDocumentField):
        whole: Check | None = of_document(field.document_type)
        return whole
    if isinstance(field, mongoengine.ListField) and field.field is not None:
        each: Check | None = of_field(field.field)
        return _of_elements(each) if each else None
    return None


def _of_elements(each: Check) -> Check:
    def check(values: Any) -> Complaint:
        for number, value in enumerate(values):
            complaint = each(value)
            if complaint is not None:
                return f"{number}{'.' if ': ' in complaint else ': '}{complaint}"
        return None

    return check


def _limit_check(field: Any) -> Check | None:
    own = list(_limits(field))
    inside = _inside(field, within_limits, _limit_check)
    if inside is not None:
        own.append(inside)
    if not own:
        return None

    def check(value: Any) -> Complaint:
        if value is None:
            return None
        return next((found for one in own if (found := one(value)) is not None), None)

    return check


def _limits(field: Any) -> Iterator[Check]:
    """One check for each limit that the field declares."""
    least, most = getattr(field, "min_value", None), getattr(field, "max_value", None)
    shortest, longest = getattr(field, "min_length", None), getattr(field, "max_length", None)
    if least is not None:
        yield lambda value: f"less than {least}" if value < least else None
    if most is not None:
        yield lambda value: f"more than {most}" if value > most else None
    if shortest is not None:
        yield lambda value: f"shorter than {shortest}" if len(value) < shortest else None
    if longest is not None:
        yield lambda value: f"longer than {longest}" if len(value) > longest else None
    if isinstance(field, mongoengine.BinaryField) and field.max_bytes is not None:
        most_bytes = field.max_bytes
        yield lambda value: f"over {most_bytes} bytes" if len(value) > most_bytes else None
    if field.choices:
        allowed = frozenset(field.choices)
        yield lambda value: "none of its choices" if value not in allowed else None
