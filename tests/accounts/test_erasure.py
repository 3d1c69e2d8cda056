"""DELETE /users/{id} and `manage.py erase_user`: all about a person goes, and nothing else."""

from typing import Any

import pytest
from django.core.management import CommandError

from accounts.documents import AuditEvent, User
from accounts.services import AuditService
from ecommerce.core.mongo import collection
from tests.accounts.erasures import erased, traces
from tests.client import PASSWORD, ApiClient, Person
from tests.commands import run


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


def test_an_erased_name_is_free(alice: Person, anyone: ApiClient) -> None:
    alice.api.delete("/users/me")
    body: dict[str, Any] = {"username": "alice", "email": "alice@example.com"}
    assert anyone.post("/users/", {**body, "password": "blue-kettle-77"}).status == 201


def test_the_command_asks_first(busy_alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda: "n")
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("erase_user", "alice")
    assert busy_alice.api.get("/users/me").status == 200


@pytest.mark.parametrize(
    ("arguments", "fault"), [(["nobody", "--yes"], "There is no user 'nobody'"), ([], "Say whom")]
)
def test_the_command_says_what_is_wrong(arguments: list[str], fault: str) -> None:
    with pytest.raises(CommandError, match=fault):
        run("erase_user", *arguments)
