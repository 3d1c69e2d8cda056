"""`manage.py shard_cluster`: tell a sharded MongoDB cluster the shard keys of the documents."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from django.core.management.base import CommandError
from mongoengine.connection import get_connection, get_db
from pymongo.errors import OperationFailure

from ecommerce.core import mongo
from ecommerce.core.commands import ShopCommand
from ecommerce.core.sharding import (
    Client,
    Key,
    NotShardedClusterError,
    Placement,
    State,
    placements,
    shard,
)

_UNAUTHORIZED: Final = 13
"""MongoDB's code for a user without the right."""


class Command(ShopCommand):
    """Safe to repeat; run it once after a cluster is set up, before or after `migrate`."""

    help = "Shard what grows with traffic by the keys that the documents declare. Safe to repeat."
    examples: ClassVar[str] = """
  manage.py shard_cluster --dry-run       says what it would do
  manage.py shard_cluster
  manage.py shard_cluster --verify        exit code 1 unless all is as declared
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to do it."""
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--dry-run", action="store_true", help="say what is to do, do nothing")
        only.add_argument("--verify", action="store_true", help="fail unless all is as declared")

    def run(self, **options: Any) -> None:
        """Look at all first: where one collection has another key, none is sharded."""
        if mongo.uses_embedded_store():
            raise CommandError(
                "The embedded store is one file: nothing is to be sharded. Set MONGODB_URI to a "
                "mongos of the cluster."
            )
        mongo.connect()
        try:
            self._shard(get_connection(), get_db().name, **options)
        except NotShardedClusterError as fault:
            raise CommandError(str(fault)) from None
        except OperationFailure as fault:
            raise CommandError(_refused(fault)) from None

    def _shard(self, client: Client, database: str, **options: Any) -> None:
        found = placements(client, database)
        _refuse_other_keys(found)
        missing = [placement for placement in found if placement.state is State.MISSING]
        self._say("ok", [placement for placement in found if placement not in missing])
        if options["dry_run"]:
            self._say("would shard", missing)
        elif options["verify"]:
            self._say("not sharded", missing)
            if missing:
                raise CommandError("Not all is sharded as declared: run manage.py shard_cluster.")
        else:
            self._say("sharded", shard(client, missing))

    def _say(self, what: str, about: Iterable[Placement]) -> None:
        for placement in about:
            self.stdout.write(f"{what:12} {placement.namespace:32} {_shown(placement.key)}")


def _refuse_other_keys(found: list[Placement]) -> None:
    other = [placement for placement in found if placement.state is State.OTHER]
    if not other:
        return
    lines = [
        f"  {one.namespace}: in use {_shown(one.present or {})}, declared {_shown(one.key)}"
        for one in other
    ]
    raise CommandError(
        "\n".join(["Another shard key is in use; nothing was changed:", *lines])
        + "\nMove the collection to the declared key with MongoDB's reshardCollection command "
        "(5.0 and later), or change the key that the document declares, then run this again."
    )


def _shown(key: Key) -> str:
    return "{" + ", ".join(f"{field}: {kind}" for field, kind in key.items()) + "}"


def _refused(fault: OperationFailure) -> str:
    said = mongo.in_short(fault)
    if fault.code == _UNAUTHORIZED:
        return (
            f"The database refuses ({said}). This command needs a user with the role "
            "clusterManager on admin and readWrite on the shop's database."
        )
    return f"The cluster refuses: {said}. What was sharded before stays; run this again."
