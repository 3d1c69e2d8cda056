"""The stages of an aggregation that mongomock runs on deep copies, run on the documents themselves.

Counting 10,000 products by category takes mongomock seconds. A stage, or a form of one, that is not
here goes to mongomock.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any, Final

from mongomock.aggregate import process_pipeline
from mongomock.helpers import patch_datetime_awareness_in_document

from ecommerce.core.embedded.matching import matcher

Doc = dict[str, Any]
_COUNT: Final = {"$sum": 1}


def aggregate(docs: list[Doc], pipeline: Iterable[Mapping[str, Any]], database: Any) -> list[Doc]:
    """The results of a pipeline, which the caller may change."""
    return deepcopy(_run(docs, pipeline, database))


def _run(docs: list[Doc], pipeline: Iterable[Mapping[str, Any]], database: Any) -> list[Doc]:
    for stage in pipeline:
        ((name, options),) = stage.items()
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
    return [{name: value for name, value in doc.items() if name in fields} for doc in docs]


def _group(docs: list[Doc], options: Mapping[str, Any], _: Any) -> list[Doc] | None:
    """Count by one field; every other grouping is mongomock's."""
    by = options["_id"]
    totals = [name for name in options if name != "_id"]
    plain = isinstance(by, str) and by.startswith("$") and "." not in by
    if not plain or any(options[name] != _COUNT for name in totals):
        return None
    values = [doc.get(by[1:]) for doc in docs]
    if len({type(value) for value in values}) > 1 or isinstance(next(iter(values), None), list):
        return None  # 1 and True would count as one
    counts = Counter(values)
    return [
        {"_id": value, **dict.fromkeys(totals, count)} for value, count in sorted(counts.items())
    ]


_Stage = Callable[[list[Doc], Any, Any], list[Doc] | None]
_STAGES: Final[Mapping[str, _Stage]] = {
    "$match": _match, "$facet": _facet, "$unwind": _unwind, "$project": _project, "$group": _group,
}  # fmt: skip
