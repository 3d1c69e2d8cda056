"""Makes the indexes that the documents declare: safe to repeat, refuses with a list."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import mongoengine
import pymongo
from pymongo.errors import DuplicateKeyError, OperationFailure

from ecommerce.core import mongo
from ecommerce.core.document_classes import documents
from ecommerce.core.mongo import collection

_PATIENCE: Final = 600.0
"""Seconds for one index: a large collection takes longer than a request may."""
_OTHER_INDEX: Final = frozenset({85, 86})
"""Codes of servers: there is an index of these keys, or of this name, and it is another one."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index as a document class declares it in `meta["indexes"]`."""

    collection: str
    name: str
    keys: tuple[tuple[str, int], ...]
    options: dict[str, Any]

    @property
    def sparse(self) -> bool:
        """Whether documents without the field take no part."""
        return bool(self.options.get("sparse"))


class IndexConflictError(Exception):
    """Indexes that could not be made, each with its reason and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def declared(document: type[mongoengine.Document]) -> Iterator[Index]:
    """The indexes that `document` declares."""
    for spec in document._meta["index_specs"]:
        options = {name: value for name, value in spec.items() if name not in {"fields", "cls"}}
        yield Index(
            collection=document._get_collection_name(),
            name=options.pop("name"),
            keys=tuple(spec["fields"]),
            options=options,
        )


def ensure_indexes(
    classes: Iterable[type[mongoengine.Document]] | None = None,
) -> list[str]:
    """Make every declared index that is missing; the names of all that now exist.

    Raises:
        IndexConflictError: duplicates, or another index of the same name or keys, forbid some of
            them; the others were made.
        PyMongoError: the database does not answer, or refuses.
    """
    mongo.ping()  # with patience, a server that is away would be waited for as long
    made, problems = [], []
    for document in classes if classes is not None else documents():
        for index in declared(document):
            try:
                with pymongo.timeout(_PATIENCE):
                    collection(document).create_index(
                        list(index.keys), name=index.name, **index.options
                    )
            except DuplicateKeyError:
                with pymongo.timeout(_PATIENCE):
                    problems.append(_duplicates(document, index))
            except OperationFailure as fault:
                if fault.code not in _OTHER_INDEX:
                    raise
                problems.append(
                    f"{index.collection}.{index.name}: another index is in its place "
                    f"({mongo.in_short(fault)}). Drop that one, then run this again."
                )
            else:
                made.append(f"{index.collection}.{index.name}")
    if problems:
        raise IndexConflictError(problems)
    return made


def _duplicates(document: type[mongoengine.Document], index: Index) -> str:
    """Which values stand in more than one document, so that a person can decide which goes."""
    fields = [field for field, _ in index.keys]
    pipeline: list[dict[str, Any]] = [
        {"$match": {field: {"$exists": True} for field in fields} if index.sparse else {}},
        *({"$unwind": f"${field}"} for field in fields),  # an array stands under each element
        {"$group": {"_id": {f: f"${f}" for f in fields}, "ids": {"$push": "$_id"}}},
        {"$match": {"ids.1": {"$exists": True}}},
        {"$limit": 10},
    ]
    rows = [
        f"  {', '.join(f'{k}={v!r}' for k, v in row['_id'].items())}: "
        f"{', '.join(sorted(str(i) for i in row['ids']))}"
        for row in collection(document).aggregate(pipeline)
    ]
    return "\n".join(
        [
            f"{index.collection}.{index.name} must be unique, but these repeat:",
            *rows,
            "  Remove or change one document of each group, then run this again.",
        ]
    )
