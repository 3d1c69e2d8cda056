"""`shard_cluster` declares shard keys once, and changes none that is there.

It speaks to a scripted mongos (tests/wire/mongos.py) through PyMongo and a socket.
"""

import os
import subprocess
import sys
from typing import Any, Final

import pytest

from ecommerce.core.sharding import sharded_documents
from tests.queries import ROOT
from tests.wire.mongos import Cluster, mongos, sharded_by

pytestmark = pytest.mark.slow  # each test starts a process, some of them two
HASHED: Final = {"_id": "hashed"}
NAMES: Final = ("idempotency_records", "open_carts", "shopping_carts")
ALL: Final = dict.fromkeys(NAMES, HASHED)
INDEX: Final = {"name": "_id_hashed", "key": HASHED}


def run(uri: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and message of the command."""
    return manage(uri, "shard_cluster", *arguments)


def manage(uri: str, *arguments: str) -> tuple[int, str, str]:
    environment = {
        **os.environ, "MONGODB_URI": uri, "DJANGO_SETTINGS_MODULE": "ecommerce.settings.test",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def shown(what: str, *names: str) -> str:
    return "".join(f"{what:12} {f'shop.{name}':32} {{_id: hashed}}\n" for name in names)


def sharded(name: str) -> list[dict[str, Any]]:
    """What is sent to shard one collection."""
    return [
        {"createIndexes": name, "indexes": [INDEX]},
        {"shardCollection": f"shop.{name}", "key": HASHED},
    ]


def test_these_collections_declare_a_key() -> None:
    assert tuple(d._get_collection_name() for d in sharded_documents()) == NAMES


def test_everything_is_sharded_once_and_the_second_run_changes_nothing() -> None:
    with mongos() as (cluster, uri):
        assert run(uri) == (0, shown("sharded", *NAMES), "")
        assert cluster.changes == [change for name in NAMES for change in sharded(name)]
        assert {name: row["key"] for name, row in cluster.keys.items()} == {
            f"shop.{name}": HASHED for name in NAMES
        }
        cluster.changes.clear()
        assert run(uri) == (0, shown("ok", *NAMES), "")
        assert cluster.changes == []


def test_what_is_sharded_already_stays_and_the_rest_is_added() -> None:
    with mongos(keys=sharded_by(open_carts=HASHED)) as (cluster, uri):
        code, out, _ = run(uri)
        assert (code, out) == (0, shown("ok", "open_carts") + shown("sharded", NAMES[0], NAMES[2]))
        assert cluster.changes == [*sharded("idempotency_records"), *sharded("shopping_carts")]


@pytest.mark.parametrize(("version", "is_sent"), [((5, 0, 31), True), ((6, 0, 0), False)])
def test_the_database_is_enabled_for_sharding_where_mongodb_is_older_than_6(
    version: Any, is_sent: bool
) -> None:
    with mongos(version=version) as (cluster, uri):
        assert run(uri)[0] == 0
        assert ({"enableSharding": "shop"} in cluster.changes) is is_sent


def test_a_dry_run_says_what_it_would_do_and_does_nothing() -> None:
    with mongos(keys=sharded_by(shopping_carts=HASHED)) as (cluster, uri):
        expected = shown("ok", "shopping_carts") + shown("would shard", NAMES[0], NAMES[1])
        assert run(uri, "--dry-run") == (0, expected, "")
        assert cluster.changes == []


def test_verify_is_content_when_all_is_as_declared() -> None:
    with mongos(keys=sharded_by(**ALL)) as (cluster, uri):
        assert run(uri, "--verify") == (0, shown("ok", *NAMES), "")
        assert cluster.changes == []


def test_verify_fails_for_what_is_not_sharded_and_changes_nothing() -> None:
    keys = sharded_by(idempotency_records=HASHED, open_carts=HASHED)
    with mongos(keys=keys) as (cluster, uri):
        code, out, message = run(uri, "--verify")
        assert (code, out) == (
            1, shown("ok", *NAMES[:2]) + shown("not sharded", "shopping_carts"),
        )  # fmt: skip
        assert message == (
            "CommandError: Not all is sharded as declared: run manage.py shard_cluster.\n"
        )
        assert cluster.changes == []


@pytest.mark.parametrize("arguments", [(), ("--dry-run",), ("--verify",)])
def test_another_key_is_refused_before_anything_is_changed(arguments: tuple[str, ...]) -> None:
    with mongos(keys=sharded_by(shopping_carts={"user_id": "hashed"})) as (cluster, uri):
        code, out, message = run(uri, *arguments)
        assert (code, out, cluster.changes) == (1, "", [])
        assert "shop.shopping_carts: in use {user_id: hashed}, declared {_id: hashed}" in message
        assert "reshardCollection" in message


def test_a_dropped_collection_of_an_old_cluster_counts_as_not_sharded() -> None:
    keys = {"shop.open_carts": {"dropped": True, "key": {"user_id": 1}}}
    with mongos(keys=keys) as (_, uri):
        assert run(uri, "--dry-run") == (0, shown("would shard", *NAMES), "")


@pytest.mark.parametrize(
    ("hello", "what"),
    [({}, "a single server"), ({"setName": "rs0", "secondary": False}, "the replica set rs0")],
)
def test_elsewhere_than_on_a_mongos_it_says_so_and_changes_nothing(hello: Any, what: str) -> None:
    with mongos(hello=hello) as (cluster, uri):
        code, _, message = run(uri + "?directConnection=true")
        assert (code, cluster.changes) == (1, [])
        assert f"MONGODB_URI leads to {what}, not to a mongos" in message


def test_the_embedded_store_is_no_cluster() -> None:
    code, _, message = run("")
    assert code == 1
    assert "The embedded store is one file: nothing is to be sharded." in message


def test_a_user_without_the_right_is_told_which_role_is_needed() -> None:
    with mongos(forbidden=frozenset({"shardCollection"})) as (_, uri):
        code, _, message = run(uri)
        assert code == 1
        assert "clusterManager" in message
        assert "full error" not in message


def test_a_step_that_takes_longer_than_a_request_may_is_waited_for() -> None:
    with mongos(slow={"shardCollection": 2.5}) as (cluster, uri):
        code, said, log = run(uri)
        assert (code, said) == (0, shown("sharded", *NAMES))
        assert "shardCollection on shop." in log, "as every slow command"
        assert len(cluster.keys) == 3


def test_the_scripted_mongos_refuses_another_key_as_mongodb_does() -> None:
    cluster = Cluster(keys=sharded_by(open_carts={"user_id": 1}))
    reply = cluster.answer({"shardCollection": "shop.open_carts", "key": HASHED})
    assert (reply["ok"], reply["code"], reply["codeName"]) == (0.0, 23, "AlreadyInitialized")


def test_migrate_waits_for_an_index_that_takes_longer_than_a_request_may() -> None:
    with mongos(slow={"createIndexes": 2.5}) as (cluster, uri):
        assert manage(uri, "migrate")[0] == 0
        assert all(change["indexes"] for change in cluster.changes)
        assert "shopping_carts" in {change["createIndexes"] for change in cluster.changes}
