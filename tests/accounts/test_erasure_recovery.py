"""An erasure that a process left half-way is hidden at once and finished by whoever comes next."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from bson import ObjectId
from django.core.management import CommandError
from pymongo.errors import AutoReconnect

from accounts import lifecycle
from accounts.documents import User
from accounts.services import AuditService, erasures
from ecommerce.core.mongo import collection, utc_now
from ecommerce.core.periodic import Periodic
from tests.accounts.erasures import erased, traces, until
from tests.client import PASSWORD, ApiClient, Person
from tests.commands import run
from tests.faults import DiesAt, KilledError

STEPS = [
    "erasure.marked", "erasure.elsewhere", "erasure.sessions", "erasure.audit", "erasure.recorded",
]  # fmt: skip


def begun_before(user: Person, seconds: float) -> None:
    """That user's erasure was begun so long ago, by a process that is no more."""
    begun = {"$set": {"erasing_at": utc_now() - timedelta(seconds=seconds)}}
    collection(User).update_one({"_id": user.principal.id}, begun)


@pytest.fixture
def server() -> Iterator[Periodic]:
    """The thread of a server process that is about to start; it looks ever so often."""
    thread = Periodic("erasures", erasures.take_up, seconds=0.02)
    yield thread
    thread.stop()


@pytest.fixture
def failing_once() -> Iterator[list[ObjectId]]:
    """An app above whose action fails the first time, and whom it was called for."""
    calls: list[ObjectId] = []

    def action(user_id: ObjectId) -> None:
        calls.append(user_id)
        if len(calls) == 1:
            raise ConnectionError("away")

    lifecycle.on_user_deleted(action)
    yield calls
    lifecycle._on_delete.remove(action)


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_any_step_nobody_signs_in_and_nobody_sees_the_user(
    step: str, busy_alice: Person, sam: Person, anyone: ApiClient, dies_at: DiesAt
) -> None:
    dies_at(step)
    with pytest.raises(KilledError):
        busy_alice.api.delete("/users/me")
    assert busy_alice.api.get("/users/me").outcome == (401, "invalid_token")
    assert anyone.form("/token", username="alice", password=PASSWORD).status == 400
    assert sam.api.get(f"/users/{busy_alice.id}").outcome == (404, "user_not_found")
    assert [user["username"] for user in sam.api.get("/users/")["items"]] == ["sam"]
    revived = sam.api.patch(f"/users/{busy_alice.id}", {"is_active": True})
    assert revived.outcome == (404, "user_not_found")
    with pytest.raises(CommandError):
        run("users", "activate", "alice")
    assert "users" in traces(busy_alice.principal.id)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["staff", "command", "unfinished", "registration"])
def test_killed_after_any_step_whoever_comes_next_finishes_it(
    how: str, step: str, busy_alice: Person, sam: Person, anyone: ApiClient, dies_at: DiesAt
) -> None:
    dies_at(step)
    with pytest.raises(KilledError):
        busy_alice.api.delete("/users/me")
    if how == "staff":
        assert sam.api.delete(f"/users/{busy_alice.id}").status == 204
    elif how == "command":
        assert run("erase_user", "alice", "--yes") == "alice is erased.\n"
    elif how == "unfinished":
        assert run("erase_user", "--unfinished") == "1 erasures finished.\n"
    else:
        body = {"username": "ALICE", "email": "a@example.net", "password": "blue-kettle-77"}
        assert anyone.post("/users/", body).status == 201
    assert traces(busy_alice.principal.id) == []
    assert erased() == 1
    assert run("erase_user", "--unfinished") == "0 erasures finished.\n"


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_any_step_a_server_finishes_it(
    step: str, busy_alice: Person, dies_at: DiesAt, server: Periodic
) -> None:
    dies_at(step)
    with pytest.raises(KilledError):
        busy_alice.api.delete("/users/me")
    server.start()
    until(lambda: traces(busy_alice.principal.id) == [])
    assert erased() == 1


def test_what_a_process_left_is_finished_by_the_next_that_starts(
    alice: Person, settings: Any, server: Periodic
) -> None:
    settings.ERASURE_SWEEP_SECONDS = 10.0
    assert alice.api.delete("/users/me").status == 204
    assert traces(alice.principal.id) == ["users"]
    begun_before(alice, 10.1)
    server.start()
    until(lambda: traces(alice.principal.id) == [])
    assert erased() == 1


def test_an_erasure_under_way_is_ended_by_nobody_before_its_time(
    alice: Person, settings: Any, server: Periodic
) -> None:
    settings.ERASURE_SWEEP_SECONDS = 10.0
    assert alice.api.delete("/users/me").status == 204
    begun_before(alice, 9.0)
    assert run("erase_user", "--unfinished") == "0 erasures finished.\n"
    server.start()
    time.sleep(0.2)
    server.stop()
    assert traces(alice.principal.id) == ["users"]
    begun_before(alice, 10.1)
    assert run("erase_user", "--unfinished") == "1 erasures finished.\n"
    assert traces(alice.principal.id) == []


def test_of_many_servers_that_finish_an_erasure_at_once_one_records_it(
    busy_alice: Person, dies_at: DiesAt
) -> None:
    dies_at("erasure.marked")
    with pytest.raises(KilledError):
        busy_alice.api.delete("/users/me")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: erasures.take_up(threading.Event()), range(8)))
    assert traces(busy_alice.principal.id) == []
    assert erased() == 1


def test_a_server_without_database_says_so_in_one_line_and_looks_again(
    alice: Person,
    settings: Any,
    server: Periodic,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.ERASURE_SWEEP_SECONDS = 0.2
    assert alice.api.delete("/users/me").status == 204
    with monkeypatch.context() as outage:
        away = Mock(side_effect=AutoReconnect("away"))
        outage.setattr(AuditService, "forget_person", away)
        server.start()
        until(lambda: bool(caplog.records))
        assert traces(alice.principal.id) == ["users"]
    line = caplog.records[0]
    assert line.getMessage() == "Erasures wait for the database: away"
    assert line.exc_info is None
    until(lambda: traces(alice.principal.id) == [])


def test_an_erasure_that_fails_is_in_the_way_of_no_other(
    alice: Person, bob: Person, dies_at: DiesAt, monkeypatch: pytest.MonkeyPatch, server: Periodic
) -> None:
    for person in (alice, bob):
        dies_at("erasure.marked")
        with pytest.raises(KilledError):
            person.api.delete("/users/me")

    def forget(user_id: ObjectId) -> None:
        if user_id == alice.principal.id:
            raise ValueError("a fault of an app above")

    with monkeypatch.context() as fault:
        fault.setattr(lifecycle, "forget_user", forget)
        server.start()
        until(lambda: traces(bob.principal.id) == [])
        assert "users" in traces(alice.principal.id)
    until(lambda: traces(alice.principal.id) == [])


def test_an_action_that_fails_is_repeated_by_whoever_comes_next(
    busy_alice: Person, sam: Person, failing_once: list[ObjectId]
) -> None:
    with pytest.raises(ConnectionError):
        busy_alice.api.delete("/users/me")
    assert "users" in traces(busy_alice.principal.id)
    assert sam.api.delete(f"/users/{busy_alice.id}").status == 204
    assert set(failing_once) == {busy_alice.principal.id}
    assert traces(busy_alice.principal.id) == []
