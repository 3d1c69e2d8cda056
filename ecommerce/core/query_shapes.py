"""How collections are asked, and the index that answers each of it: one table in every app.

The tests hold each query that the product sends against the tables, `manage.py migrate` names what
an index is for, and the documentation shows the same rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import mongoengine
from django.apps import apps

from ecommerce.core.pagination import Ordering

BY_ID: Final = "_id_"
"""The index that every collection has."""
ANYTHING: Final = ("anything",)
"""Whatever else a query compares."""


@dataclass(frozen=True, slots=True)
class QueryShape:
    """One way in which a collection is asked.

    An index serves it whose fields are, in this order, those that must be equal (one value or one
    of several), those that sort, and those that are compared in any other way.
    """

    purpose: str
    document: type[mongoengine.Document]
    index: str
    """Its name; nothing for a scan."""
    equal: tuple[str, ...] = ()
    sort: Ordering = ()
    """May also be walked from its end."""
    ranges: tuple[str, ...] = ()
    """Those that sort may be compared too, and need not be named again."""
    further: tuple[str, ...] = ()
    """Compared in the documents that the index has found, and not in the index."""
    reason: str = ""
    """Why that is so, or why it is a scan."""
    broadcast: str = ""
    """Why it may ask every shard: it has not the shard key of its collection."""

    @property
    def collection(self) -> str:
        """The name of the collection."""
        return str(self.document._get_collection_name())

    @property
    def shard_key(self) -> Mapping[str, str | int]:
        """What the collection is sharded by; nothing where it is not."""
        key: Mapping[str, str | int] = self.document._meta.get("sharding", {})
        return key

    @property
    def asks_every_shard(self) -> bool:
        """Whether nothing in it says which shard has the answer."""
        return not set(self.shard_key) <= set(self.equal)

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as people read it: collection, purpose, equal, sort, range, index, reason."""
        walked = [f"{'-' if sign < 0 else ''}{field}" for field, sign in self.sort]
        behind = f"{', '.join(self.further)}: {self.reason}" if self.further else self.reason
        listed = (", ".join(fields) for fields in (self.equal, walked, self.ranges))
        return (self.collection, self.purpose, *listed, self.index or "a scan", behind)


def query_shapes() -> list[QueryShape]:
    """The rows of every installed app."""
    tables = [getattr(config, "query_shapes", ()) for config in apps.get_app_configs()]
    return [shape for table in tables for shape in table]


def purposes_by_index(shapes: Iterable[QueryShape]) -> dict[str, list[str]]:
    """What each index is for, under `collection.index`."""
    found: dict[str, list[str]] = {}
    for shape in shapes:
        found.setdefault(f"{shape.collection}.{shape.index}", []).append(shape.purpose)
    return found
