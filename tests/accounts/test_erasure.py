"""DELETE /users/{id} and `manage.py erase_user`: all goes, wherever it was interrupted."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest.mock import Mock

import pytest
from bson import ObjectId
from django.core.management import CommandError, call_command
from pymongo.errors import AutoReconnect

from accounts import lifecycle
from accounts.documents import AuditEvent, MailToken, Purpose, RefreshFamily, User
from accounts.errors import UserNotFoundError
from accounts.roles import Role
from accounts.services import AuditService, UserService, erasures, passwords
from accounts.services.mail_tokens import MailTokenService
from carts.documents import ShoppingCart
from ecommerce.core.mongo import collection, utc_now
from ecommerce.core.periodic import Periodic
from tests.client import PASSWORD, ApiClient, Person
from tests.faults import DiesAt, KilledError
from tests.inbox import Inbox

STEPS = [
    "erasure.marked", "erasure.elsewhere", "erasure.sessions", "erasure.audit", "erasure.recorded",
]  # fmt: skip


@pytest.fixture
def busy_alice(alice: Person, inbox: Inbox) -> Person:
    """Alice with something of everything that is stored about users."""
    alice.api.post("/shopping-carts/", {})
    alice.api.patch("/users/me", {"email": "alice@example.org"})
    ApiClient().post("/password-reset", {"email": "alice@example.org"})
    assert inbox.token("alice@example.org")
    return alice


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def traces(user_id: ObjectId) -> list[str]:
    """Where the store still knows the person."""
    places = {
        "users": (User, {"_id": user_id}),
        "carts": (ShoppingCart, {"user_id": user_id}),
        "sessions": (RefreshFamily, {"user_id": user_id}),
        "mails": (MailToken, {"user_id": user_id}),
        "audit": (AuditEvent, {"$or": [{"subject_id": user_id}, {"actor_id": user_id}]}),
        "addresses": (AuditEvent, {"address": {"$exists": True}}),
    }
    return [
        name for name, (document, where) in places.items() if collection(document).find_one(where)
    ]


def erased() -> int:
    return collection(AuditEvent).count_documents({"event": "user_erased"})


def test_everything_about_the_user_goes(busy_alice: Person, anyone: ApiClient) -> None:
    assert traces(busy_alice.principal.id) == [
        "users", "carts", "sessions", "mails", "audit", "addresses",
    ]  # fmt: skip
    answer = busy_alice.api.delete("/users/me")
    assert (answer.status, answer.body) == (204, b"")
    assert traces(busy_alice.principal.id) == []
    assert busy_alice.api.get("/users/me").outcome == (401, "invalid_token")
    assert anyone.form("/token", username="alice", password=PASSWORD).status == 400


def test_the_events_stay_without_the_person(busy_alice: Person) -> None:
    before = [row["event"] for row in collection(AuditEvent).find({})]
    busy_alice.api.delete("/users/me")
    rows = list(collection(AuditEvent).find({}))
    assert [row["event"] for row in rows] == [*before, "user_erased"]
    assert "email_changed" in before
    for row in rows:
        assert row.keys() <= {"_id", "event", "request_id", "created_at"}


def test_what_others_did_to_the_person_stays_theirs(alice: Person, sam: Person) -> None:
    AuditService.record(
        "cart_changed_for_customer", actor_id=sam.principal.id, subject_id=alice.principal.id,
        target=f"users/{alice.id}", address="192.0.2.7", details={"lines": 2},
    )  # fmt: skip
    alice.api.delete("/users/me")
    (row,) = collection(AuditEvent).find({"event": "cart_changed_for_customer"})
    assert (row["actor_id"], row["address"]) == (sam.principal.id, "192.0.2.7")
    assert not row.keys() & {"subject_id", "target", "details"}


def test_what_the_person_did_to_others_stays_about_them(alice: Person, sam: Person) -> None:
    AuditService.record(
        "cart_changed_for_customer", actor_id=sam.principal.id, subject_id=alice.principal.id,
        target="shopping-carts/1", address="192.0.2.7", details={"lines": 2},
    )  # fmt: skip
    run("erase_user", "sam", "--yes")
    (row,) = collection(AuditEvent).find({"event": "cart_changed_for_customer"})
    assert not row.keys() & {"actor_id", "address"}
    assert (row["subject_id"], row["target"]) == (alice.principal.id, "shopping-carts/1")


def test_nobody_else_loses_anything(busy_alice: Person, bob: Person) -> None:
    bob.api.post("/shopping-carts/", {})
    bob.api.patch("/users/me", {"email": "bob@example.org"})
    busy_alice.api.delete("/users/me")
    assert bob.api.get("/users/me").status == 200
    assert len(bob.api.get("/shopping-carts/")["items"]) == 1
    assert collection(AuditEvent).count_documents({"subject_id": bob.principal.id}) == 1


def test_staff_erases_a_customer_and_is_recorded(alice: Person, sam: Person) -> None:
    assert sam.api.delete(f"/users/{alice.id}").status == 204
    (row,) = collection(AuditEvent).find({"event": "user_erased"})
    assert row["actor_id"] == sam.principal.id
    assert "subject_id" not in row
    assert sam.api.delete(f"/users/{alice.id}").outcome == (404, "user_not_found")
    assert erased() == 1


def test_a_refused_erasure_changes_nothing(
    busy_alice: Person, bob: Person, sam: Person, ada: Person
) -> None:
    before = collection(User).find_one({"_id": busy_alice.principal.id})
    assert bob.api.delete(f"/users/{busy_alice.id}").outcome == (404, "user_not_found")
    assert busy_alice.api.delete("/users/me", If_Match='"v9"').outcome == (
        412, "precondition_failed",
    )  # fmt: skip
    assert sam.api.delete(f"/users/{ada.id}").outcome == (403, "same_or_higher_role")
    assert collection(User).find_one({"_id": busy_alice.principal.id}) == before
    assert erased() == 0


def test_of_parallel_erasures_all_end_well(busy_alice: Person) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda _: busy_alice.api.delete("/users/me").status, range(8)))
    assert 204 in statuses
    assert statuses <= {204, 401, 404}
    assert traces(busy_alice.principal.id) == []
    assert erased() == 1


def test_a_cart_made_meanwhile_goes_too(alice: Person, settings: Any) -> None:
    settings.ERASURE_SWEEP_SECONDS = 2.0
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(alice.api.post, "/shopping-carts/", {}) for _ in range(12)]
        gone = pool.submit(alice.api.delete, "/users/me")
        made += [pool.submit(alice.api.post, "/shopping-carts/", {}) for _ in range(12)]
    assert gone.result().status == 204
    assert {answer.result().status for answer in made} <= {201, 401, 409}
    await_sweep()
    assert traces(alice.principal.id) == []


def until(told: Callable[[], bool]) -> None:
    """What a server does in its thread is done within some looks of it."""
    end = time.monotonic() + 10
    while not told():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def server() -> Iterator[Periodic]:
    """The thread of a server process that is about to start; it looks ever so often."""
    thread = Periodic("erasures", erasures.take_up, seconds=0.02)
    yield thread
    thread.stop()


def await_sweep() -> None:
    """Servers there are, and one of them comes to the tombstones that are due."""
    thread = Periodic("erasures", erasures.take_up, seconds=0.02)
    thread.start()
    until(lambda: collection(User).find_one({"erasing_at": {"$exists": True}}) is None)
    thread.stop()


@pytest.fixture
def under_way(alice: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A login of alice whose password is being checked, until it is told to go on."""
    begun, goes_on = threading.Event(), threading.Event()
    matches = passwords.matches

    def slow(password: str, stored_hash: str | None) -> Any:
        result = matches(password, stored_hash)
        begun.set()
        assert goes_on.wait(10)
        return result

    monkeypatch.setattr(passwords, "matches", slow)
    form = {"username": "alice", "password": PASSWORD}
    with ThreadPoolExecutor(1) as pool:
        login = pool.submit(ApiClient(address="192.0.2.9", device="Phone").form, "/token", **form)

        def end() -> None:
            goes_on.set()
            assert login.result().status == 200, "its tokens are worth nothing"

        assert begun.wait(10)
        yield end
        goes_on.set()


def test_a_login_under_way_leaves_nothing_of_the_person(
    alice: Person, under_way: Callable[[], None], settings: Any
) -> None:
    settings.ERASURE_SWEEP_SECONDS = 0.5
    assert alice.api.delete("/users/me").status == 204
    under_way()
    assert {"sessions", "audit", "addresses"} <= set(traces(alice.principal.id))
    await_sweep()
    assert traces(alice.principal.id) == []
    assert erased() == 1


def test_a_mail_under_way_leaves_nothing_of_the_person(alice: Person, settings: Any) -> None:
    settings.ERASURE_SWEEP_SECONDS = 0.5
    user: Any = collection(User).find_one({"_id": alice.principal.id})
    assert alice.api.delete("/users/me").status == 204
    MailTokenService.issue(user=user, purpose=Purpose.RESET_PASSWORD, email=user["email"])
    await_sweep()
    assert traces(alice.principal.id) == []


def test_the_command_waits_for_what_is_under_way(
    alice: Person, under_way: Callable[[], None], settings: Any
) -> None:
    settings.ERASURE_SWEEP_SECONDS = 0.5
    login = threading.Timer(0.2, under_way)
    login.start()
    assert run("erase_user", "alice", "--yes") == (
        "This waits 0.5 seconds for what is under way.\nalice is erased.\n"
    )
    login.join()
    assert traces(alice.principal.id) == []


def begun_before(user: Person, seconds: float) -> None:
    """That user's erasure was begun so long ago, by a process that is no more."""
    begun = {"$set": {"erasing_at": utc_now() - timedelta(seconds=seconds)}}
    collection(User).update_one({"_id": user.principal.id}, begun)


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


def test_what_nobody_needs_to_find_the_tombstone_goes_at_once(
    busy_alice: Person, settings: Any, anyone: ApiClient
) -> None:
    settings.ERASURE_SWEEP_SECONDS = 10.0
    assert busy_alice.api.delete("/users/me").status == 204
    row: Any = collection(User).find_one({"_id": busy_alice.principal.id})
    assert row["hashed_password"] == "!"
    assert not row.keys() & {
        "pending_email", "pending_email_key", "verified_email_key", "ended_sessions",
        "kept_session",
    }  # fmt: skip
    refused = anyone.form("/token", username="alice", password=PASSWORD)
    assert refused.outcome == (400, "invalid_grant")


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


def test_an_action_that_fails_is_repeated_by_whoever_comes_next(
    busy_alice: Person, sam: Person, failing_once: list[ObjectId]
) -> None:
    with pytest.raises(ConnectionError):
        busy_alice.api.delete("/users/me")
    assert "users" in traces(busy_alice.principal.id)
    assert sam.api.delete(f"/users/{busy_alice.id}").status == 204
    assert set(failing_once) == {busy_alice.principal.id}
    assert traces(busy_alice.principal.id) == []


def test_the_command_asks_first(busy_alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "n")
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("erase_user", "alice")
    assert busy_alice.api.get("/users/me").status == 200


@pytest.mark.parametrize(
    ("arguments", "fault"), [(["nobody", "--yes"], "There is no user 'nobody'"), ([], "Say whom")]
)
def test_the_command_says_what_is_wrong(arguments: list[str], fault: str) -> None:
    with pytest.raises(CommandError, match=fault):
        run("erase_user", *arguments)


@pytest.mark.parametrize("body", [{"username": "ALICE"}, {"email": "alice@Example.com"}])
@pytest.mark.parametrize("must_be_verified", [False, True])
def test_who_changes_to_a_name_of_an_erasure_under_way_gets_it(
    body: dict[str, str],
    must_be_verified: bool,
    alice: Person,
    bob: Person,
    settings: Any,
) -> None:
    settings.ERASURE_SWEEP_SECONDS = 10.0
    settings.REQUIRE_VERIFIED_EMAIL = must_be_verified
    assert alice.api.delete("/users/me").status == 204
    answer = bob.api.patch("/users/me", body)
    assert answer.status == 200
    ((field, value),) = body.items()
    waits = must_be_verified and field == "email"
    assert answer["pending_email" if waits else field] == value
    assert collection(User).find_one({"_id": alice.principal.id}) is None
    assert erased() == 1


def test_the_operator_sees_and_changes_nobody_who_is_being_erased(
    alice: Person, settings: Any
) -> None:
    row: Any = collection(User).find_one({"_id": alice.principal.id})
    settings.ERASURE_SWEEP_SECONDS = 10.0
    assert alice.api.delete("/users/me").status == 204
    assert run("users", "list") == ""
    with pytest.raises(UserNotFoundError):
        UserService.set_active(user=row, is_active=False)
    with pytest.raises(UserNotFoundError):
        UserService.set_role(user=row, role=Role.STAFF)
    assert [entry["event"] for entry in collection(AuditEvent).find({})] == ["user_erased"]


def test_an_erased_name_is_free(alice: Person, anyone: ApiClient) -> None:
    alice.api.delete("/users/me")
    body: dict[str, Any] = {"username": "alice", "email": "alice@example.com"}
    assert anyone.post("/users/", {**body, "password": "blue-kettle-77"}).status == 201
