"""Holds every query that the product sends of tabled collections against their query shapes.

`tests/conftest.py` switches it on for the whole run, in each of its processes: a test fails that
makes the product send a query for which the table has no row, or a row whose index does not serve.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from ecommerce.core.indexes import Index, declared
from ecommerce.core.pagination import Ordering
from ecommerce.core.query_shapes import ANYTHING, BY_ID, QueryShape, query_shapes
from tests import operations
from tests.operations import Operation

ROOT: Final = Path(__file__).resolve().parents[1]
_EQUAL: Final = {"$eq", "$in", "$all"}
_CARRIERS: Final = tuple(
    str(ROOT / path)
    for path in (
        ".venv", "tests/operations.py", "tests/queries.py", "ecommerce/core/embedded",
        "ecommerce/core/batches.py", "ecommerce/core/pagination.py", "ecommerce/core/mongo.py",
    )
)  # fmt: skip
"""Code that passes on what others ask."""
_OTHERS: Final = (
    f"{ROOT / 'tests'}/",
    *(
        str(ROOT / "ecommerce/core" / path)
        for path in ("indexes.py", "invariants/verification.py", "backups/", "data_migrations/")
    ),
)
"""Tests; and the commands that look at everything, which is a scan: the index command for the
duplicates that forbid an index, the check of what is stored, its backup and its migration."""


@dataclass(frozen=True)
class Query:
    """What a query compares, and how it sorts."""

    collection: str
    equal: frozenset[str]
    ranges: frozenset[str]
    sort: Ordering

    @classmethod
    def of(cls, operation: Operation) -> "Query":
        """The query of an operation. A second equality on a field counts as a range: one value of a
        field that is an array is looked up, and the others are compared."""
        equal, ranges = set[str](), set[str]()
        for field, is_equal in _conditions(operation.filter):
            (ranges if not is_equal or field in equal else equal).add(field)
        return cls(operation.collection, frozenset(equal), frozenset(ranges), operation.sort)

    def __str__(self) -> str:
        walked = ", ".join(f"{field} {sign}" for field, sign in self.sort)
        return (
            f"{self.collection}: equal ({', '.join(sorted(self.equal))}), sort ({walked}), "
            f"range ({', '.join(sorted(self.ranges))})"
        )


def _conditions(where: Mapping[str, Any], *, certain: bool = True) -> Iterator[tuple[str, bool]]:
    """Each field that is compared, and whether it must be equal to something."""
    for field, condition in where.items():
        if field == "$and":
            for part in condition:
                yield from _conditions(part, certain=certain)
        elif field in {"$or", "$nor"}:
            for part in condition:
                yield from _conditions(part, certain=False)
        elif isinstance(condition, Mapping) and any(name[:1] == "$" for name in condition):
            for name in condition:
                yield field, certain and name in _EQUAL
        else:
            yield field, certain


class Table:
    """The rows, and the indexes that they name."""

    def __init__(self, shapes: Iterable[QueryShape], indexes: Iterable[Index] = ()) -> None:
        self.shapes = list(shapes)
        named = [
            *indexes, *(index for shape in self.shapes for index in declared(shape.document))
        ]  # fmt: skip
        self._indexes = {(index.collection, index.name): index.keys for index in named}
        self._rows: dict[Query, list[QueryShape]] = {}
        self._faults: dict[Query, str] = {}

    def rows_for(self, query: Query) -> list[QueryShape]:
        """The rows that are about such a query."""
        if query not in self._rows:  # a run sends few queries, each of them many times
            self._rows[query] = [shape for shape in self.shapes if _is_about(shape, query)]
        return self._rows[query]

    def fault_of(self, operation: Operation) -> str:
        """Why the operation may not be sent; nothing if it may.

        The branches of an or that is all there is are queries of their own, each with its index.
        """
        wheres = [operation.filter]
        if operation.filter.keys() == {"$or"} and not operation.sort:
            wheres = operation.filter["$or"]
        found = (self.fault(Query.of(replace(operation, filter=where))) for where in wheres)
        return next(filter(None, found), "") or self._fault_of_write(operation)

    def _fault_of_write(self, operation: Operation) -> str:
        """A change of one document must say where it lies: older clusters refuse it otherwise."""
        if operation.kind != "findAndModify":
            return ""
        if not all(row.asks_every_shard for row in self.rows_for(Query.of(operation))):
            return ""
        return (
            f"{operation.collection}: a change of one document has not the shard key in its filter."
        )

    def fault(self, query: Query) -> str:
        """Why the query may not be sent; nothing if it may."""
        if query not in self._faults:
            self._faults[query] = self._fault(query)
        return self._faults[query]

    def _fault(self, query: Query) -> str:
        rows = self.rows_for(query)
        faults = [self.fault_of_row(row) for row in rows]
        if not rows:
            return f"No row of the table of query shapes is about {query}."
        return "" if "" in faults else f"{query}: {' '.join(faults)}"

    def fault_of_row(self, row: QueryShape) -> str:
        """Why the index of a row does not serve it; nothing if it does."""
        if (row.further or not row.index) and not row.reason:
            return f"{row.purpose!r} needs a reason."
        if row.asks_every_shard != bool(row.broadcast):
            return (
                f"{row.purpose!r} needs a reason to ask every shard."
                if row.asks_every_shard
                else f"{row.purpose!r} asks one shard, and needs no reason to ask all."
            )
        if not row.index:
            return ""
        keys = (("_id", 1),) if row.index == BY_ID else self._keys(row)
        return "" if keys and _serves(keys, row) else (
            f"{row.purpose!r}: the index {row.index!r} {keys} has not its fields in the order "
            "equality, sort, range."
        )  # fmt: skip

    def _keys(self, row: QueryShape) -> Ordering:
        return self._indexes.get((row.collection, row.index), ())


def _is_about(shape: QueryShape, query: Query) -> bool:
    if shape.collection != query.collection or not set(shape.equal) <= query.equal:
        return False
    if query.sort and query.sort not in (shape.sort, _reversed(shape.sort)):
        return False
    rest = (query.equal - set(shape.equal)) | query.ranges
    if shape.sort and not (shape.equal or query.sort or shape.sort[0][0] in rest):
        return False  # nothing says where in the index to look
    known = {field for field, _ in shape.sort}.union(shape.ranges, shape.further)
    return shape.further == ANYTHING or rest <= known


def _serves(keys: Ordering, row: QueryShape) -> bool:
    first, second = len(row.equal), len(row.equal) + len(row.sort)
    behind = [field for field, _ in keys[second:]]
    return (
        {field for field, _ in keys[:first]} == set(row.equal)
        and keys[first:second] in (row.sort, _reversed(row.sort))
        and set(behind[: len(row.ranges)]) == set(row.ranges)
    )


def _reversed(sort: Ordering) -> Ordering:
    return tuple((field, -sign) for field, sign in sort)


_faults: dict[str, None] = {}


def watch() -> None:
    """Start to look; once, when the apps are there."""
    table = Table(query_shapes())
    tabled = {shape.collection for shape in table.shapes}

    def look(operation: Operation) -> None:
        is_query = operation.collection in tabled and operation.kind != "insert"
        if is_query and _sent_by_the_product() and (fault := table.fault_of(operation)):
            _faults[fault] = None

    operations.listen(look)


def faults() -> list[str]:
    """What was found since this was called before."""
    found = list(_faults)
    _faults.clear()
    return found


def _sent_by_the_product() -> bool:
    """Whether code of the product stands nearest to the database, and not code of a test."""
    frame = sys._getframe(1)
    while frame is not None:
        asks = _asks(frame.f_code.co_filename)
        if asks is not None:
            return asks
        frame = frame.f_back  # type: ignore[assignment]
    return False


@cache
def _asks(path: str) -> bool | None:
    """Whether code of this file asks for the product; None where it is not ours, or passes on."""
    if not path.startswith(f"{ROOT}/") or path.startswith(_CARRIERS):
        return None
    return not path.startswith(_OTHERS)
