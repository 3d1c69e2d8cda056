"""Imports while processes come and go: what was begun is finished, and no row counts twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import RedisServer
from tests.live.server import ROOT, LiveServer, serve
from tests.live.test_make_run import children

STAFF = ("staff", "staff-shop-2026")
IMPORTS = "/products/imports"
_LEASE_SECONDS = 20.0
"""So long an import waits for whoever holds it, unless it is given back."""


def products(count: int, prefix: str) -> bytes:
    """JSON Lines without skus or slugs: nothing but the job can tell that one came in before."""
    items = ({"name": f"{prefix} {n}", "price": 1, "tags": [prefix]} for n in range(count))
    return "".join(json.dumps(item) + "\n" for item in items).encode()


def upload(staff: LiveServer, raw: bytes) -> str:
    reply = staff.send("POST", IMPORTS, raw=raw, Content_Type="application/x-ndjson")
    assert reply.status == 202, reply.body
    job: str = reply.json()["id"]
    return job


def followed(staff: LiveServer, job: str, until: Callable[[Any], bool], seconds: float) -> Any:
    """The job, as soon as this holds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = staff.send("GET", f"{IMPORTS}/{job}").json()
        if until(seen):
            return seen
        time.sleep(0.05)
    raise AssertionError(f"The job did not get there in {seconds} s: {seen}")


def begun(job: Any) -> bool:
    return bool(job["done"] > 0)


def ended(job: Any) -> bool:
    return job["state"] in {"done", "failed"}


def assert_each_row_came_in_once(staff: LiveServer, job: Any, prefix: str, count: int) -> None:
    assert (job["state"], job["total"], job["done"]) == ("done", count, count)
    assert (job["created"], job["updated"], job["unchanged"], job["failed"]) == (count, 0, 0, 0)
    export = staff.send("GET", f"/products/exports?format=jsonl&tag={prefix}")
    found = [json.loads(line) for line in export.body.splitlines()]
    assert [item["name"] for item in found] == [f"{prefix} {n}" for n in range(count)]
    assert {item["version"] for item in found} == {1}


def kill(server: LiveServer) -> None:
    """The arbiter and its workers, at once."""
    for pid in [server.process.pid, *children(server.process.pid)]:
        os.kill(pid, signal.SIGKILL)
    server.process.wait()


@pytest.mark.slow
def test_an_import_goes_on_after_kill_9(tmp_path: Path) -> None:
    store = {"STORE_PATH": str(tmp_path / "store.sqlite3")}
    with serve(store) as server:
        job = upload(server.sign_in(*STAFF), products(3000, "killed"))
        followed(server.sign_in(*STAFF), job, begun, 20)
        kill(server)
    with serve(store) as again:
        staff = again.sign_in(*STAFF)
        left = staff.send("GET", f"{IMPORTS}/{job}").json()
        assert left["done"] < 3000, "it was killed in the middle"
        finished = followed(staff, job, ended, 90)
        assert_each_row_came_in_once(staff, finished, "killed", 3000)


@pytest.mark.slow
def test_a_server_that_ends_gives_its_import_back(tmp_path: Path) -> None:
    store = {"STORE_PATH": str(tmp_path / "store.sqlite3")}
    with serve(store) as server:
        job = upload(server.sign_in(*STAFF), products(3000, "stopped"))
        followed(server.sign_in(*STAFF), job, begun, 20)
    with serve(store) as again:
        staff = again.sign_in(*STAFF)
        left = staff.send("GET", f"{IMPORTS}/{job}").json()["done"]
        assert left < 3000, "it ended in the middle"
        followed(staff, job, lambda seen: seen["done"] > left, _LEASE_SECONDS / 2)
        finished = followed(staff, job, ended, 60)
        assert_each_row_came_in_once(staff, finished, "stopped", 3000)


@pytest.mark.wire
def test_another_server_finishes_what_a_killed_one_began(wire_uri: str) -> None:
    environment = {"MONGODB_URI": wire_uri, "WEB_CONCURRENCY": "1"}
    with serve(environment) as first, serve(environment) as second:
        staff = second.sign_in(*STAFF)
        second.process.send_signal(signal.SIGSTOP)  # its arbiter; the worker below goes on
        for pid in children(second.process.pid):
            os.kill(pid, signal.SIGSTOP)
        job = upload(first.sign_in(*STAFF), products(2000, "other"))
        followed(first.sign_in(*STAFF), job, begun, 20)
        kill(first)
        for pid in [*children(second.process.pid), second.process.pid]:
            os.kill(pid, signal.SIGCONT)
        left = staff.send("GET", f"{IMPORTS}/{job}").json()
        assert left["done"] < 2000, "it was killed in the middle"
        finished = followed(staff, job, ended, 90)
        assert_each_row_came_in_once(staff, finished, "other", 2000)


@pytest.mark.wire
def test_a_large_file_is_never_held_in_memory(wire_uri: str) -> None:
    with serve({"MONGODB_URI": wire_uri, "WEB_CONCURRENCY": "1"}) as server:
        staff = server.sign_in(*STAFF)
        (worker,) = children(server.process.pid)
        followed(staff, upload(staff, products(10, "warm")), ended, 30)
        before = peak_memory(worker)
        line = {"name": "Large", "price": 1, "notes": "x" * 1_000_000}
        raw = (json.dumps(line) + "\n").encode() * 45
        edge = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
        form = edge + raw + b"\r\n--edge--\r\n"
        kinds = {"application/x-ndjson": raw, "multipart/form-data; boundary=edge": form}
        for kind, body in kinds.items():
            reply = staff.send("POST", IMPORTS, raw=body, Content_Type=kind)
            assert reply.status == 202
            followed(staff, reply.json()["id"], ended, 60)
        assert peak_memory(worker) - before < 20 * 1024


def peak_memory(pid: int) -> int:
    """KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


@contextmanager
def worker_process(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    variables = {**os.environ, "DJANGO_SETTINGS_MODULE": "ecommerce.settings.dev", **environment}
    command = [sys.executable, "manage.py", "worker"]
    with subprocess.Popen(command, cwd=ROOT, env=variables) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=30) == 0


@pytest.mark.wire
@pytest.mark.redis
def test_a_worker_takes_imports_at_once_and_another_goes_on_when_it_ends(
    wire_uri: str, redis: RedisServer
) -> None:
    environment = {"MONGODB_URI": wire_uri, "REDIS_URL": redis.url, "WEB_CONCURRENCY": "1"}
    with serve(environment) as server:
        staff = server.sign_in(*STAFF)
        with worker_process(environment) as first:
            small = upload(staff, products(10, "small"))
            followed(staff, small, ended, 12)  # servers would have left it alone for 15 s
            job = upload(staff, products(2000, "worker"))
            followed(staff, job, begun, 12)
            first.send_signal(signal.SIGTERM)
            assert first.wait(timeout=20) == 0
            given_back = staff.send("GET", f"{IMPORTS}/{job}").json()
            assert (given_back["state"], given_back["done"] < 2000) == ("queued", True)
        with worker_process(environment):
            finished = followed(staff, job, ended, 60)
        assert_each_row_came_in_once(staff, finished, "worker", 2000)


@pytest.mark.wire
@pytest.mark.redis
def test_without_a_worker_or_its_redis_a_server_takes_imports_after_a_while(
    wire_uri: str, redis: RedisServer
) -> None:
    environment = {"MONGODB_URI": wire_uri, "REDIS_URL": redis.url, "WEB_CONCURRENCY": "1"}
    with serve(environment) as server:
        staff = server.sign_in(*STAFF)
        redis.stop()
        job = upload(staff, products(10, "alone"))
        assert staff.send("GET", f"{IMPORTS}/{job}").json()["state"] == "queued"
        finished = followed(staff, job, ended, 40)
        assert_each_row_came_in_once(staff, finished, "alone", 10)


def test_a_worker_beside_the_embedded_store_says_what_it_needs(tmp_path: Path) -> None:
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "ecommerce.settings.dev",
        "STORE_PATH": str(tmp_path / "store.sqlite3"),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "MONGODB_URI": "",
    }
    refused = subprocess.run(
        [sys.executable, "manage.py", "worker"],
        cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "set MONGODB_URI and REDIS_URL" in refused.stderr
