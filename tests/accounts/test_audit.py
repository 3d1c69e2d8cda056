"""The audit log: what an entry holds, and that it goes after its time."""

from io import StringIO
from typing import Any

import pytest
from bson import ObjectId
from django.core.management import call_command

from accounts.documents import AuditEvent
from accounts.services import AuditService
from ecommerce.core.mongo import collection
from tests.client import PASSWORD, Person
from tests.operations import recorded


def test_an_entry_holds_who_did_what_to_whom() -> None:
    actor, subject = ObjectId(), ObjectId()
    AuditService.record(
        "cart_changed_for_customer",
        actor_id=actor,
        subject_id=subject,
        target="shopping-carts/1",
        address="192.0.2.7",
        details={"lines": 2},
    )
    (row,) = collection(AuditEvent).find({}, {"_id": 0, "created_at": 0})
    assert row == {
        "event": "cart_changed_for_customer",
        "actor_id": actor,
        "subject_id": subject,
        "target": "shopping-carts/1",
        "address": "192.0.2.7",
        "request_id": "-",
        "details": {"lines": 2},
    }


def test_what_is_not_known_is_not_stored() -> None:
    AuditService.record("login_failed")
    (row,) = collection(AuditEvent).find({})
    assert row.keys() == {"_id", "event", "request_id", "created_at"}


def entries() -> list[tuple[str, Any, Any]]:
    rows = collection(AuditEvent).find({}).sort("_id", 1)
    return [(row["event"], row.get("actor_id"), row.get("subject_id")) for row in rows]


def test_what_staff_does_to_an_account_is_recorded_with_both(alice: Person, sam: Person) -> None:
    path, both = f"/users/{alice.id}", (sam.principal.id, alice.principal.id)
    assert sam.api.patch(path, {"is_active": False, "username": "alicia"}).status == 200
    assert sam.api.patch(path, {"is_active": True}).status == 200
    assert entries() == [
        ("username_changed", *both), ("user_deactivated", *both), ("user_activated", *both),
    ]  # fmt: skip
    (row, *_) = collection(AuditEvent).find({}).sort("_id", 1)
    assert (row["target"], row["address"]) == (f"users/{alice.id}", "127.0.0.1")
    assert "details" not in row, "names are nobody else's business"


def test_a_name_that_its_owner_changes_is_recorded(alice: Person) -> None:
    assert alice.api.patch("/users/me", {"username": "alicia"}).status == 200
    assert entries() == [("username_changed", alice.principal.id, alice.principal.id)]


def test_what_changes_nothing_and_what_is_refused_is_not_recorded(
    alice: Person, bob: Person, sam: Person, ada: Person
) -> None:
    path, names = f"/users/{alice.id}", {"username": "alice", "email": "alice@example.com"}
    assert sam.api.put(path, {**names, "is_active": True}).status == 200
    assert sam.api.patch(path, {"username": "BOB"}).outcome == (409, "duplicate_user")
    stale = sam.api.patch(path, {"is_active": False}, If_Match='"v9"')
    assert stale.outcome == (412, "precondition_failed")
    above = sam.api.patch(f"/users/{ada.id}", {"is_active": False})
    assert above.outcome == (403, "same_or_higher_role")
    assert entries() == []


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"email": "BOB@example.com", "is_active": False}, ["/email"]),
        ({"username": "Bob", "is_active": False}, ["/username"]),
        (
            {"username": "bob", "email": "bob@example.com", "is_active": False},
            ["/username", "/email"],
        ),
    ],
)
def test_of_a_change_that_a_taken_name_refuses_nothing_is_recorded(
    body: dict[str, Any], pointers: list[str], alice: Person, bob: Person, ada: Person
) -> None:
    answer = ada.api.patch(f"/users/{alice.id}", body)
    assert (answer.outcome, answer.pointers) == ((409, "duplicate_user"), pointers)
    assert alice.api.get("/users/me")["is_active"] is True
    assert entries() == []


def test_a_new_password_beside_a_taken_name_is_not_recorded(alice: Person, bob: Person) -> None:
    body = {"username": "bob", "password": "blue-kettle-77", "current_password": PASSWORD}
    assert alice.api.patch("/users/me", body).outcome == (409, "duplicate_user")
    assert entries() == []


def test_two_new_names_at_once_are_asked_for_once(alice: Person, settings: Any) -> None:
    settings.REQUIRE_VERIFIED_EMAIL = True
    with recorded() as seen:
        body = {"username": "alicia", "email": "alicia@example.com"}
        assert alice.api.patch("/users/me", body).status == 200
    assert len([one for one in seen if one.kind == "find" and "$or" in one.filter]) == 1


def test_what_the_operator_does_is_recorded_without_an_actor(alice: Person) -> None:
    for action in (("deactivate", "alice", "--yes"), ("activate", "alice")):
        for _ in range(2):
            call_command("users", *action, stdout=StringIO())
    assert entries() == [
        ("user_deactivated", None, alice.principal.id),
        ("user_activated", None, alice.principal.id),
    ]
