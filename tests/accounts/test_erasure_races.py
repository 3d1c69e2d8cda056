"""What is under way while somebody is erased leaves nothing of the person."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from accounts.documents import AuditEvent, Purpose, User
from accounts.errors import UserNotFoundError
from accounts.roles import Role
from accounts.services import UserService, passwords
from accounts.services.mail_tokens import MailTokenService
from ecommerce.core.mongo import collection
from tests.accounts.erasures import await_sweep, erased, traces
from tests.client import PASSWORD, ApiClient, Person
from tests.commands import run
from tests.inbox import Inbox


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


def test_a_mail_that_waits_longer_than_the_erasure_is_not_sent(
    alice: Person, held_mails: Callable[[], None], inbox: Inbox
) -> None:
    alice.api.patch("/users/me", {"email": "new@example.com"})
    assert alice.api.delete("/users/me").status == 204
    held_mails()
    assert inbox.of("new@example.com") == []
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
