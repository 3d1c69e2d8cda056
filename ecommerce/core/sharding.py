"""Declares the shard keys of the documents to a sharded cluster: safe to repeat, never a change.

A shard key cannot be taken back by this product: a collection that has another one is left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import pymongo
from mongoengine import Document
from pymongo import MongoClient

from ecommerce.core.document_classes import documents

_OPTIONAL_SINCE: Final = (6, 0)
"""From this MongoDB on a database needs no enableSharding."""
_PATIENCE: Final = 600.0
"""Seconds for a step: where there is data, its index is built first."""

Client = MongoClient[dict[str, Any]]
Key = dict[str, str | int]


class NotShardedClusterError(Exception):
    """The server is no mongos: there is nothing to shard."""


class State(StrEnum):
    """How a collection stands on the cluster, beside what its document declares."""

    MISSING = "missing"
    """Not sharded yet."""
    DECLARED = "declared"
    OTHER = "other"
    """Sharded by another key."""


@dataclass(frozen=True, slots=True)
class Placement:
    """One collection that is to be sharded, and how it is."""

    database: str
    collection: str
    key: Key
    present: Key | None

    @property
    def namespace(self) -> str:
        """Database and collection, as the cluster names them."""
        return f"{self.database}.{self.collection}"

    @property
    def state(self) -> State:
        """What is to be done about it."""
        if self.present is None:
            return State.MISSING
        return State.DECLARED if [*self.present.items()] == [*self.key.items()] else State.OTHER


def sharded_documents() -> list[type[Document]]:
    """The documents that declare a shard key, by the name of their collection."""
    found = [document for document in documents() if document._meta.get("sharding")]
    return sorted(found, key=lambda document: str(document._get_collection_name()))


def placements(client: Client, database: str) -> list[Placement]:
    """Each collection that is to be sharded, beside how the cluster has it.

    Raises:
        NotShardedClusterError: the server is no mongos.
    """
    _require_mongos(client)
    return [_placement(client, database, document) for document in sharded_documents()]


def _require_mongos(client: Client) -> None:
    hello = client.admin.command("hello")
    if hello.get("msg") == "isdbgrid":  # what a mongos alone says of itself
        return
    what = f"the replica set {hello['setName']}" if "setName" in hello else "a single server"
    raise NotShardedClusterError(
        f"MONGODB_URI leads to {what}, not to a mongos: nothing is sharded there, and nothing has "
        "to be. On a sharded cluster let MONGODB_URI name its mongos processes."
    )


def _placement(client: Client, database: str, document: type[Document]) -> Placement:
    name = document._get_collection_name()
    row = client["config"]["collections"].find_one({"_id": f"{database}.{name}"})
    # MongoDB before 5.0 keeps a row of what was dropped.
    key = row.get("key") if row is not None and not row.get("dropped") else None
    return Placement(database, name, document._meta["sharding"], key)


def shard(client: Client, missing: list[Placement]) -> Iterator[Placement]:
    """Shard what is not sharded yet, one after the other; each as it is done.

    A collection that holds data is spread by the cluster's balancer afterwards.
    """
    if missing and tuple(client.server_info()["versionArray"][:2]) < _OPTIONAL_SINCE:
        client.admin.command("enableSharding", missing[0].database)
    for placement in missing:
        with pymongo.timeout(_PATIENCE):
            # The index must be there before a collection with data is sharded.
            client[placement.database][placement.collection].create_index([*placement.key.items()])
            client.admin.command("shardCollection", placement.namespace, key=placement.key)
        yield placement
