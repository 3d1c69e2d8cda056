"""Several workers, one page of metrics: every count is exact, whoever is asked and who has died."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.client import PASSWORD
from tests.live.server import LiveServer, serve
from tests.ops.fleet import eventually

pytestmark = pytest.mark.wire

_WORKERS: Final = 4
_THREADS: Final = 2


@pytest.fixture
def four_workers(wire_uri: str, tmp_path: Path) -> Iterator[LiveServer]:
    """Four gunicorn workers that count into one folder."""
    environment = {
        "MONGODB_URI": wire_uri,
        "WEB_CONCURRENCY": str(_WORKERS),
        "WEB_THREADS": str(_THREADS),
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }
    with serve(environment) as server:
        eventually(lambda: threads(server) == _WORKERS * _THREADS, "all workers are up")
        yield server


def workers(server: LiveServer) -> set[int]:
    """Their process ids."""
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii")
    return {int(pid) for pid in children.split()}


def total(server: LiveServer, series: str, **labels: str) -> float:
    """The sum of the series that have these labels."""
    page = server.send("GET", "/metrics").body.decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == series and labels.items() <= sample.labels.items()
    )


def threads(server: LiveServer) -> float:
    return total(server, "shop_threads")


def ask(server: LiveServer, count: int) -> None:
    """So many requests, from eight clients at once."""
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: server.send("GET", "/livez").status, range(count)))
    assert statuses == [200] * count


def answered(server: LiveServer) -> float:
    name = "django_http_responses_total_by_status_view_method_total"
    return total(server, name, view="livez", status="200")


def replaced(server: LiveServer, how: signal.Signals) -> None:
    """End one worker, and wait for the one that comes for it."""
    before = workers(server)
    os.kill(min(before), how)
    eventually(
        lambda: len(workers(server)) == _WORKERS and workers(server) != before, "a new worker"
    )
    eventually(lambda: threads(server) == _WORKERS * _THREADS, "it is up")


def test_counts_are_exact_over_four_workers_and_after_they_are_replaced(
    four_workers: LiveServer,
) -> None:
    ask(four_workers, 200)
    assert {answered(four_workers) for _ in range(12)} == {200}
    for how, so_far in ((signal.SIGKILL, 400), (signal.SIGTERM, 600)):
        replaced(four_workers, how)
        ask(four_workers, 200)
        assert {answered(four_workers) for _ in range(12)} == {so_far}


def test_what_the_services_count_is_exact_over_four_workers(four_workers: LiveServer) -> None:
    def register(number: int) -> int:
        name = f"counted{number}"
        body = {"username": name, "email": f"{name}@shop.example", "password": PASSWORD}
        return four_workers.send("POST", "/users/", body).status

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(register, range(12))) == [201] * 12
        assert list(pool.map(register, range(12))) == [409] * 12
    replaced(four_workers, signal.SIGKILL)
    assert total(four_workers, "shop_registrations_total") == 12
    inserted = {"command": "insert", "collection": "users"}
    commands = total(four_workers, "shop_mongodb_command_duration_seconds_count", **inserted)
    assert commands == 12


def test_gauges_are_of_those_that_live(four_workers: LiveServer) -> None:
    ask(four_workers, 40)
    for _ in range(2):
        replaced(four_workers, signal.SIGKILL)
    assert threads(four_workers) == _WORKERS * _THREADS
    # This one; the one before is over a moment after its answer.
    eventually(lambda: total(four_workers, "shop_requests_in_progress") == 1, "one is under way")
    assert total(four_workers, "shop_mongodb_connections", state="in_use") == 0


def test_a_new_run_begins_with_nothing(tmp_path: Path) -> None:
    variables = {
        "STORE_PATH": str(tmp_path / "store.sqlite3"),
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }
    with serve(variables) as server:
        ask(server, 20)
        assert answered(server) == 20
    with serve(variables) as server:
        assert answered(server) == 0
