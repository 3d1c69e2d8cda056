"""Every document that a filter finds, however many there are, in bounded memory and time."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pymongo.collection import Collection

Row = TypeVar("Row", bound=Mapping[str, Any])


def batches(
    rows: Collection[Row],
    where: Mapping[str, Any],
    *,
    size: int,
    fields: Mapping[str, int] | None = None,
    after: Any = None,
    descending: bool = False,
) -> Iterator[list[Row]]:
    """What the filter finds, by `_id`, in reads that are each over soon.

    Whoever gets a batch may take any time over it: a cursor would run out.

    Args:
        rows: the collection.
        where: the filter.
        size: documents of one read.
        fields: a projection, with the `_id`.
        after: begin behind this `_id`; None: at the first.
        descending: from the greatest `_id` to the least.
    """
    operator, sign = ("$lt", -1) if descending else ("$gt", 1)
    wanted = where if after is None else _behind(where, {operator: after})
    # Without a size of its own the first answer has 101 documents, and the cursor has to be asked
    # again: of the same mongos, which a balancer between need not choose.
    while batch := list(
        rows.find(wanted, fields).sort([("_id", sign)]).limit(size).batch_size(size)
    ):
        yield batch
        wanted = _behind(where, {operator: batch[-1]["_id"]})


def one_by_one(
    rows: Collection[Row],
    where: Mapping[str, Any],
    *,
    size: int,
    fields: Mapping[str, int] | None = None,
    descending: bool = False,
) -> Iterator[Row]:
    """The documents of `batches`, which has the arguments, without their batches."""
    for batch in batches(rows, where, size=size, fields=fields, descending=descending):
        yield from batch


def cut(bodies: Iterable[bytes], *, count: int, size: int) -> Iterator[list[bytes]]:
    """Batches of at most `count` documents and `size` bytes; a larger document is one by itself."""
    batch: list[bytes] = []
    held = 0
    for body in bodies:
        if batch and (len(batch) == count or held + len(body) > size):
            yield batch
            batch, held = [], 0
        batch.append(body)
        held += len(body)
    if batch:
        yield batch


def _behind(where: Mapping[str, Any], limit: Mapping[str, Any]) -> Mapping[str, Any]:
    rest = {"_id": limit}
    return {"$and": [where, rest]} if where else rest
