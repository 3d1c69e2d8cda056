"""The stages of an aggregation that mongomock runs on deep copies, run on the documents themselves.

Counting 10,000 products by category takes mongomock seconds. A stage, or a form of one, that is not
here goes to mongomock.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from itertools import chain
from typing import Any, Final

from bson import Int64
from mongomock.aggregate import process_pipeline
from mongomock.helpers import patch_datetime_awareness_in_document

from ecommerce.core.embedded.matching import matcher

Doc = dict[str, Any]
_COUNT: Final = {"$sum": 1}
_WHOLE: Final = frozenset({int, Int64})


def aggregate(docs: list[Doc], pipeline: Iterable[Mapping[str, Any]], database: Any) -> list[Doc]:
    """The results of a pipeline, which the caller may change."""
    return deepcopy(_run(docs, pipeline, database))


def _run(docs: list[Doc], pipeline: Iterable[Mapping[str, Any]], database: Any) -> list[Doc]:
    waiting = list(pipeline)[::-1]
    while waiting:
        stage = waiting.pop()
        ((name, options),) = stage.items()
        if name == "$unwind" and waiting and (counted := _unwound(docs, options, waiting[-1])):
            docs = counted
            waiting.pop()
            continue
        ours = _STAGES.get(name)
        made = ours(docs, options, database) if ours else None
        docs = made if made is not None else list(process_pipeline(docs, database, [stage], None))
    return docs


def _match(docs: list[Doc], options: Mapping[str, Any], _: Any) -> list[Doc]:
    where = patch_datetime_awareness_in_document(dict(options))
    return list(filter(matcher([where]), docs)) if where else docs


def _facet(docs: list[Doc], options: Mapping[str, Any], database: Any) -> list[Doc]:
    return [{name: _run(docs, pipeline, database) for name, pipeline in options.items()}]


def _unwind(docs: list[Doc], options: Any, _: Any) -> list[Doc] | None:
    if not isinstance(options, str) or "." in options:
        return None
    field = options[1:]
    return [
        {**doc, field: value}
        for doc in docs
        if (values := doc.get(field)) is not None
        for value in (values if isinstance(values, list) else [values])
    ]


def _project(docs: list[Doc], options: Mapping[str, Any], _: Any) -> list[Doc] | None:
    if any("." in field or kept != 1 for field, kept in options.items()):
        return None
    fields = {"_id", *options}
    return [{name: doc[name] for name in fields if name in doc} for doc in docs]


def _group(docs: list[Doc], options: Mapping[str, Any], _: Any) -> list[Doc] | None:
    """Count by one field; every other grouping is mongomock's."""
    field = _counted_by(options)
    return _counts([doc.get(field) for doc in docs], options) if field else None


def _unwound(docs: list[Doc], field: Any, following: Mapping[str, Any]) -> list[Doc] | None:
    """Unwind and count by the same field, without a copy of the document for each element."""
    options = following.get("$group")
    if options is None or field != options["_id"] or not (name := _counted_by(options)):
        return None
    arrays = [doc[name] for doc in docs if doc.get(name) is not None]
    values = chain.from_iterable(one if isinstance(one, list) else [one] for one in arrays)
    return _counts(list(values), options)


def _bucket(docs: list[Doc], options: Mapping[str, Any], _: Any) -> list[Doc] | None:
    """Count whole numbers by range; every other form is mongomock's."""
    field = _counted_by({"_id": options["groupBy"], **options.get("output", {"count": _COUNT})})
    bounds = options["boundaries"]
    values = [doc.get(field) for doc in docs] if field else [None]
    if any(type(value) not in _WHOLE for value in chain(values, bounds)):
        return None
    places = Counter(bisect_right(bounds, value) - 1 for value in values)
    if not places.keys() <= set(range(len(bounds) - 1)):
        return None
    totals = options.get("output", {"count": _COUNT})
    return [
        {"_id": bounds[place], **dict.fromkeys(totals, count)}
        for place, count in sorted(places.items())
    ]


def _counted_by(options: Mapping[str, Any]) -> str:
    """The field that a grouping counts by, if that is all it does."""
    by = options["_id"]
    plain = isinstance(by, str) and by.startswith("$") and "." not in by
    counts = all(total == _COUNT for name, total in options.items() if name != "_id")
    return str(by)[1:] if plain and counts else ""


def _counts(values: list[Any], options: Mapping[str, Any]) -> list[Doc] | None:
    if len({type(value) for value in values}) > 1 or isinstance(next(iter(values), None), list):
        return None  # 1 and True would count as one
    totals = [name for name in options if name != "_id"]
    return [
        {"_id": value, **dict.fromkeys(totals, count)}
        for value, count in sorted(Counter(values).items())
    ]


_Stage = Callable[[list[Doc], Any, Any], list[Doc] | None]
_STAGES: Final[Mapping[str, _Stage]] = {
    "$match": _match, "$facet": _facet, "$unwind": _unwind, "$project": _project, "$group": _group,
    "$bucket": _bucket,
}  # fmt: skip
