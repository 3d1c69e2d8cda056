"""The sizing sheet is computed from what was measured, and carts are placed as MongoDB does it."""

import math
import subprocess
import sys
from dataclasses import replace
from typing import Any, Final

import pytest
from bson import ObjectId

from deploy.capacity import placement
from deploy.capacity.sizing import PERIODIC_THREADS, RATES, Sizing
from ecommerce.core.mongo import CLIENT_OPTIONS
from tests.queries import ROOT

SHEET: Final = Sizing.of_files()
IDS: Final = placement.carts(20_000, seed=7)


@pytest.mark.parametrize(
    ("value", "hashed"),
    [
        (ObjectId("010203040506070809101112"), -5588663249627035708),
        (ObjectId("000000000000000000000000"), -4293118519463489418),
        ("abc", 8478485326885698097),
        ("", 2049396243249673340),
    ],
)  # fmt: skip
def test_the_hash_is_the_one_that_mongodb_tests_itself_against(value: Any, hashed: int) -> None:
    assert placement.hashed(value) == hashed


@pytest.mark.parametrize("shards", placement.SHARDS)
def test_every_position_has_a_shard_and_carts_spread_evenly(shards: int) -> None:
    assert {placement.shard_of(edge, shards) for edge in (-(1 << 63), (1 << 63) - 1)} == {
        0, shards - 1,
    }  # fmt: skip
    spread = placement.documents(IDS, shards)
    assert sum(spread.counts) == len(IDS)
    assert 1 <= spread.skew < 1.06


@pytest.mark.parametrize("shards", placement.SHARDS)
def test_by_ranges_of_the_plain_id_new_carts_go_to_one_shard(shards: int) -> None:
    assert placement.newest(IDS, shards).worth == 1


def test_a_hot_cart_costs_what_its_share_takes_from_its_shard() -> None:
    even = placement.Spread([25.0, 25.0, 25.0, 25.0])
    assert placement.with_hot_cart(even, 0).worth == 4
    # A fifth to one cart: its shard gets 0.8 / 4 + 0.2 of all.
    assert placement.with_hot_cart(even, 0.2).worth == pytest.approx(1 / 0.4)
    assert placement.with_hot_cart(even, 1).worth == 1


def test_the_sheet_adds_up_from_costs_of_one_request() -> None:
    measured = {"kinds": {"look": row_of(1_000, 2.0, 100, 8), "buy": row_of(3_000, 0.0, 200, 2)}}
    parameters = {
        "mix": {"look": 0.5, "buy": 0.5}, "mongodb_operations": {"look": 1, "buy": 3},
        "pod": {"workers": 2, "threads": 8, "cores": 2}, "headroom": {"utilisation": 0.5},
        "mongodb": {"mongos": 3}, "shard": {"operations_a_second": 1_000},
    }  # fmt: skip
    sheet = Sizing(measured, parameters)
    assert (sheet.cpu_us, sheet.rate_of_core, sheet.rate_of_pod) == (2_000, 500, 500)
    assert sheet.row(1_200) == {
        "pods": 3, "cores": 6, "memory_gib": 6 * 200 / 1024, "mongodb_connections": 6 * 60,
        "redis_connections": 6 * 8, "mongodb_operations": 2_400, "redis_commands": 1_200,
        "shards": 3,
    }  # fmt: skip
    unmeasured = replace(sheet, parameters={**parameters, "shard": {"operations_a_second": 0}})
    assert math.isnan(unmeasured.row(1_200)["shards"])


def row_of(cpu: int, commands: float, memory: int, connections: int) -> dict[str, float]:
    return {
        "cpu_us": cpu, "redis_commands": commands, "resident_mib": memory,
        "redis_connections": connections,
    }  # fmt: skip


def test_the_mix_is_whole_and_names_what_was_measured() -> None:
    mix = SHEET.parameters["mix"]
    assert sum(mix.values()) == pytest.approx(1)
    assert set(mix) == set(SHEET.measured["kinds"]) == set(SHEET.parameters["mongodb_operations"])


def test_no_process_opened_more_connections_than_the_sheet_reckons_with() -> None:
    assert SHEET.most("mongodb_connections") <= SHEET.mongodb_connections_of_process
    assert max(RATES) == 100_000


def test_a_process_may_have_a_connection_to_each_mongos_for_each_of_its_threads() -> None:
    """PyMongo asks any of them, has a pool for each, and closes no connection that is idle."""
    assert SHEET.threads_of_process == 8 + 2 + 8
    assert SHEET.mongodb_connections_of_process == 3 * (18 + 2)
    assert "maxIdleTimeMS" not in CLIENT_OPTIONS
    assert CLIENT_OPTIONS["maxPoolSize"] >= SHEET.threads_of_process, "no thread waits for one"
    apps = (path for app in ("accounts", "carts", "catalog") for path in (ROOT / app).rglob("*.py"))
    periodic = [path for path in apps if " = Periodic(" in path.read_text("utf-8")]
    assert len(periodic) == PERIODIC_THREADS


def test_the_page_is_what_the_files_beside_it_give() -> None:
    command = [sys.executable, "-m", "deploy.capacity", "--check"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=100)
