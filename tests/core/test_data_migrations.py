"""Data migrations run once, whoever starts them and whatever ends them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from ecommerce.core.data_migrations import (
    DataMigration,
    Outcome,
    declared,
    records,
    run,
    running,
)
from ecommerce.core.data_migrations.errors import MigrationBusyError, MigrationFailedError
from ecommerce.core.data_migrations.rows import BATCH
from ecommerce.core.documents import DataMigrationRecord
from ecommerce.core.invariants import Verification, registered
from ecommerce.core.mongo import collection, uses_embedded_store, utc_now
from tests.core.migrating.parcels import GRAMS, NO_KILOGRAMS, Parcel, store, weigh
from tests.faults import FAULT_FILE, DiesAt, KilledError, die_where_told
from tests.live.server import ROOT

MANY = 2 * BATCH + 50
needs_a_server = pytest.mark.skipif(
    uses_embedded_store(), reason="needs a MongoDB over the wire (MONGODB_URI)"
)


@pytest.fixture(autouse=True)
def _no_parcels() -> Iterator[None]:
    yield
    collection(Parcel).drop()


def ran(*migrations: DataMigration, wait: float = 5) -> list[Outcome]:
    return list(run(migrations, wait=wait, advance=lambda _: None))


def record(migration: DataMigration = GRAMS) -> dict[str, Any]:
    return collection(DataMigrationRecord).find_one({"_id": migration.number}) or {}


def parcels() -> list[dict[str, Any]]:
    return list(collection(Parcel).find({}, sort=[("_id", 1)]))


def assert_in_grams_once(count: int) -> None:
    rows = parcels()
    assert len(rows) == count
    assert all(row["grams"] == row["kilograms"] * 1000 for row in rows)
    assert {(row["touched"], row["version"]) for row in rows} == {(1, 2)}


def test_the_numbers_of_the_product_are_in_order_and_used_once() -> None:
    assert [one.number for one in declared()] == list(range(1, len(declared()) + 1))


def test_every_row_is_changed_once_and_that_is_recorded() -> None:
    store(MANY)
    (outcome,) = ran(GRAMS)
    assert outcome.ours
    assert_in_grams_once(MANY)
    kept = record()
    assert (kept["name"], kept["state"]) == ("parcels-in-grams", "done")
    assert (kept["seen"], kept["changed"], kept["cursor"]) == (MANY, MANY, MANY)
    assert kept["started_at"] <= kept["finished_at"]
    store(3)
    (again,) = ran(GRAMS)
    assert not again.ours
    assert not any("grams" in row for row in parcels()), "it does not run a second time"


def test_an_empty_collection_is_migrated_too() -> None:
    ran(GRAMS)
    assert (record()["state"], record()["seen"]) == ("done", 0)


def test_a_row_that_needs_nothing_stays_as_it_is() -> None:
    store(2)
    collection(Parcel).update_one({"_id": 1}, {"$set": {"grams": 7}})
    ran(GRAMS)
    first, second = parcels()
    assert (first["grams"], first["version"]) == (7, 1)
    assert (second["grams"], second["version"]) == (2000, 2)
    assert (record()["seen"], record()["changed"]) == (2, 1)


def changing_while(do: Callable[[int], None]) -> DataMigration:
    """The migration, with something that happens between its look at a row and its write."""
    seen = set[int]()

    def change(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if row["_id"] not in seen:
            seen.add(row["_id"])
            do(row["_id"])
        return weigh(row)

    return DataMigration(GRAMS.number, GRAMS.name, Parcel, change, GRAMS.fields)


def test_what_an_older_program_writes_meanwhile_is_not_lost() -> None:
    store(3)

    def reweigh(number: int) -> None:
        change = {"$set": {"kilograms": 50}, "$inc": {"version": 1}}
        collection(Parcel).update_one({"_id": number}, change)

    ran(changing_while(reweigh))
    assert [(row["kilograms"], row["grams"], row["version"]) for row in parcels()] == [
        (50, 50_000, 3)
    ] * 3


def test_a_row_that_goes_meanwhile_is_no_fault() -> None:
    store(3)

    def remove(number: int) -> None:
        collection(Parcel).delete_one({"_id": number})

    ran(changing_while(remove))
    assert parcels() == []
    assert record()["state"] == "done"


@pytest.mark.parametrize("step", ["data_migration.changed", "data_migration.stored"])
def test_a_killed_one_is_gone_on_with_behind_its_last_batch(
    step: str, dies_at: DiesAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(MANY)
    monkeypatch.setattr(records, "LEASE", timedelta(seconds=0.3))
    dies_at(step)
    with pytest.raises(KilledError):
        ran(GRAMS)
    kept = record()
    assert kept["state"] == "running"
    assert kept.get("cursor") == (BATCH if step == "data_migration.stored" else None)
    ran(GRAMS)  # waits for the lease of the dead one
    assert_in_grams_once(MANY)
    assert record()["seen"] == MANY


def test_of_many_at_once_one_works_and_the_others_wait() -> None:
    store(MANY)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: ran(GRAMS, wait=30)[0], range(4)))
    assert sorted(outcome.ours for outcome in outcomes) == [False, False, False, True]
    assert_in_grams_once(MANY)
    assert (record()["seen"], record()["changed"]) == (MANY, MANY)


def test_who_waits_too_long_says_so() -> None:
    store(1)
    records.recorded(GRAMS)
    assert records.claim(GRAMS, holder="another") is not None
    with pytest.raises(MigrationBusyError, match="still at data migration 9001 parcels-in-grams"):
        ran(GRAMS, wait=0)
    assert "grams" not in parcels()[0]


def test_one_that_was_away_too_long_stops_and_changes_no_record() -> None:
    store(MANY)
    taken: list[int] = []

    def take_over(number: int) -> None:
        if number == BATCH + 1:
            past = utc_now() - timedelta(seconds=1)
            collection(DataMigrationRecord).update_one({}, {"$set": {"lease_until": past}})
            taken.append(len(ran(GRAMS)))

    (outcome,) = ran(changing_while(take_over))
    assert taken == [1]
    assert not outcome.ours
    assert_in_grams_once(MANY)
    assert (record()["state"], record()["seen"]) == ("done", MANY)


def test_a_row_that_cannot_be_changed_is_named_and_remembered() -> None:
    store(MANY)
    bad = BATCH + 7
    collection(Parcel).update_one({"_id": bad}, {"$set": {"kilograms": "heavy"}})
    broken = DataMigration(
        GRAMS.number, GRAMS.name, Parcel,
        lambda row: weigh({**row, "kilograms": row["kilograms"] + 0}), GRAMS.fields,
    )  # fmt: skip
    with pytest.raises(MigrationFailedError, match=f"failed: row {bad}: TypeError"):
        ran(broken, NO_KILOGRAMS)
    kept = record()
    assert (kept["state"], kept["cursor"]) == ("failed", BATCH)
    assert kept["fault"].startswith(f"row {bad}: TypeError: ")
    assert record(NO_KILOGRAMS) == {}, "nothing after it is run"
    collection(Parcel).update_one({"_id": bad}, {"$set": {"kilograms": bad}})
    ran(broken)  # at once: it has given its lease back
    assert_in_grams_once(MANY)
    assert record()["state"] == "done"
    assert "fault" not in record()


def test_a_row_without_a_version_is_pinned_by_what_was_looked_at() -> None:
    collection(Parcel).insert_one({"_id": 1, "kilograms": 2})
    ran(
        DataMigration(
            9003, "unversioned", Parcel, weigh, ("kilograms", "grams"),
            pinned=("kilograms", "grams"),
        )
    )  # fmt: skip
    assert parcels() == [{"_id": 1, "kilograms": 2, "grams": 2000, "touched": 1}]


def test_records_keep_the_rules_of_what_is_stored() -> None:
    store(3)
    ran(GRAMS)
    (checked,) = (one for one in registered() if one.document is DataMigrationRecord)
    look = Verification(checked, frozenset(rule.name for rule in (checked.shape, *checked.others)))
    look.run()
    assert (look.rows, look.tallies) == (1, {})


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app of the product lists both."""
    config = apps.get_app_config("carts")
    monkeypatch.setattr(config, "data_migrations", (NO_KILOGRAMS, GRAMS), raising=False)


def migrate(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("migrate", *arguments, stdout=out)
    return [line for line in out.getvalue().splitlines() if not line.startswith("ok ")]


def test_the_command_says_that_there_are_none() -> None:
    assert migrate("--plan") == ["There are no data migrations."]
    assert migrate() == []


@pytest.mark.usefixtures("listed")
def test_expanding_comes_before_a_rollout_and_contracting_after_it() -> None:
    store(3)
    assert migrate() == [
        "done  9001 parcels-in-grams: 3 of 3 rows changed",
        "later  9002 parcels-without-kilograms: run --contract when no old version runs",
    ]
    assert_in_grams_once(3)
    assert migrate("--contract") == ["done  9002 parcels-without-kilograms: 3 of 3 rows changed"]
    assert not any("kilograms" in row for row in parcels())
    assert migrate("--contract") == []


@pytest.mark.usefixtures("listed")
def test_where_redis_could_not_be_told_the_command_says_how_long_that_may_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "everything_changed", lambda: False)
    store(3)
    assert migrate() == [
        "done  9001 parcels-in-grams: 3 of 3 rows changed",
        "      Redis does not answer: what was kept before may be shown for up to 5 minutes.",
        "later  9002 parcels-without-kilograms: run --contract when no old version runs",
    ]


@pytest.mark.usefixtures("listed")
def test_a_plan_and_a_dry_run_change_nothing() -> None:
    store(3)
    collection(Parcel).update_one({"_id": 3}, {"$set": {"grams": 1}})
    collection(Parcel).update_one({"_id": 2}, {"$unset": {"kilograms": ""}})
    before = parcels()
    assert migrate("--plan") == [
        "waiting  expand    9001 parcels-in-grams",
        "waiting  contract  9002 parcels-without-kilograms",
    ]
    assert migrate("--dry-run") == [
        "waiting  expand    9001 parcels-in-grams",
        "         would change 1 of 3 rows that are left",
        "         would fail at row 2: KeyError: 'kilograms'",
        "waiting  contract  9002 parcels-without-kilograms",
        "         would change 2 of 3 rows that are left",
    ]
    assert parcels() == before
    assert collection(DataMigrationRecord).count_documents({}) == 0


@pytest.mark.usefixtures("listed")
def test_a_failure_ends_the_command_and_stands_in_the_plan() -> None:
    store(2)
    collection(Parcel).update_one({"_id": 2}, {"$unset": {"kilograms": ""}})
    with pytest.raises(CommandError, match="9001 parcels-in-grams has failed: row 2: KeyError"):
        migrate()
    assert migrate("--plan")[:2] == [
        "failed   expand    9001 parcels-in-grams",
        "         failed at row 2: KeyError: 'kilograms'",
    ]


@pytest.mark.usefixtures("listed")
def test_a_number_is_never_used_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    ran(DataMigration(9001, "something-else", Parcel, weigh, ()))
    with pytest.raises(CommandError, match="9001 was 'something-else' here"):
        migrate()
    monkeypatch.setattr(apps.get_app_config("catalog"), "data_migrations", (GRAMS,), raising=False)
    with pytest.raises(CommandError, match="Two data migrations have the number 9001"):
        migrate("--plan")


def test_an_older_program_leaves_alone_what_it_does_not_know() -> None:
    ran(GRAMS)
    assert migrate() == ["newer  9001 parcels-in-grams: of a newer version than this one"]
    assert record()["state"] == "done"


# --- processes ----------------------------------------------------------------------------------


def process(dies_at: Path, **environment: str) -> subprocess.Popen[str]:
    """`manage.py migrate` of a program with migrations."""
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.core.killable_settings",
        "WITH_MIGRATIONS": "true",
        "CHECKPOINT": f"{die_where_told.__module__}.{die_where_told.__name__}",
        FAULT_FILE: str(dies_at),
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate"], cwd=ROOT, env=variables,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


@needs_a_server
@pytest.mark.slow
def test_processes_that_start_at_once_and_of_which_one_is_killed_migrate_once(
    tmp_path: Path,
) -> None:
    store(MANY)
    dies_at = tmp_path / "dies-at"
    dies_at.write_text("data_migration.changed", encoding="ascii")
    three = [process(dies_at, MONGODB_URI=django_settings.MONGODB_URI) for _ in range(3)]
    said = [one.communicate(timeout=90)[0] for one in three]
    assert sorted(one.returncode for one in three) == [-9, 0, 0], said
    assert_in_grams_once(MANY)
    ends = [line for text in said for line in text.splitlines() if line.startswith("done")]
    assert sorted(ends) == [
        f"done  9001 parcels-in-grams: {MANY - BATCH} of {MANY} rows changed",
        "done  9001 parcels-in-grams: by another process",
    ]
