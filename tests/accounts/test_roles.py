"""Roles: who has which, how one is given and lost, and that nobody reaches above their own."""

import pytest
from django.core.management import CommandError

from accounts.documents import AuditEvent, User
from accounts.errors import RoleMovedError
from accounts.roles import Role, having, role_of
from accounts.services import UserService
from ecommerce.core.mongo import collection
from tests.client import ApiClient, Person
from tests.commands import run


def users(*arguments: str) -> str:
    return run("users", *arguments)


def stored(person: Person) -> dict[str, object]:
    return collection(User).find_one({"_id": person.principal.id}) or {}


@pytest.mark.parametrize(
    ("stored_as", "role"),
    [
        ({"role": "customer"}, Role.CUSTOMER),
        ({"role": "staff"}, Role.STAFF),
        ({"role": "admin"}, Role.ADMIN),
        ({"is_staff": True}, Role.STAFF),
        ({"is_staff": False}, Role.CUSTOMER),
        ({"role": "customer", "is_staff": True}, Role.CUSTOMER),
    ],
)
def test_users_stored_before_there_were_roles_keep_what_they_were(
    stored_as: dict[str, object], role: Role
) -> None:
    collection(User).insert_one({"username_key": "old", "email_key": "old", **stored_as})
    assert role_of(stored_as) is role
    found = [r for r in Role if collection(User).count_documents(having(r))]
    assert found == [role], "the filter reads it as role_of does"


def test_staff_of_before_reads_all_users_and_is_listed(sam: Person) -> None:
    collection(User).update_one(
        {"_id": sam.principal.id}, {"$unset": {"role": ""}, "$set": {"is_staff": True}}
    )
    (user,) = sam.api.get("/users/")["items"]
    assert (user["role"], user["is_staff"]) == ("staff", True)
    assert users("list", "--staff").split()[1:3] == ["sam", "staff"]


def test_the_answer_says_the_role_and_whether_that_is_staff(
    alice: Person, sam: Person, ada: Person
) -> None:
    said = [person.api.get("/users/me").json() for person in (alice, sam, ada)]
    assert [(user["role"], user["is_staff"]) for user in said] == [
        ("customer", False), ("staff", True), ("admin", True),
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("target", ["bea", "ada"])
def test_staff_changes_nobody_of_the_same_or_a_higher_role(
    method: str, target: str, sam: Person, ada: Person, alice: Person
) -> None:
    UserService.set_role(user=stored(alice), role=Role.STAFF)  # type: ignore[arg-type]
    other = ada if target == "ada" else alice
    before = stored(other)
    body = {"email": "taken-over@example.com"} if method == "PATCH" else None
    answer = sam.api.send(method, f"/users/{other.id}", body)
    assert answer.outcome == (403, "same_or_higher_role")
    assert stored(other) == before


def test_an_admin_changes_staff_and_no_other_admin(ada: Person, sam: Person, alice: Person) -> None:
    assert ada.api.patch(f"/users/{sam.id}", {"is_active": False}).status == 200
    assert sam.api.get("/users/me").outcome == (401, "invalid_token")
    UserService.set_role(user=stored(alice), role=Role.ADMIN)  # type: ignore[arg-type]
    answer = ada.api.patch(f"/users/{alice.id}", {"is_active": False})
    assert answer.outcome == (403, "same_or_higher_role")


def test_staff_still_changes_itself(sam: Person) -> None:
    assert sam.api.patch("/users/me", {"email": "sam@shop.example"}).status == 200


def test_another_version_is_said_before_a_role_is_blamed(sam: Person, alice: Person) -> None:
    answer = sam.api.patch(f"/users/{alice.id}", {"email": "a@b.example"}, If_Match='"v9"')
    assert answer.outcome == (412, "precondition_failed")


def test_a_role_is_lost_at_the_next_call(sam: Person, ada: Person) -> None:
    assert users("demote", "sam", "--yes") == "sam is a customer now.\n"
    assert sam.api.get("/users/").outcome == (401, "invalid_token")
    assert users("demote", "ada", "staff", "--yes") == "ada is staff now.\n"
    assert ada.api.get("/users/me").outcome == (401, "invalid_token")


def test_a_role_is_gained_at_the_next_call_and_the_session_stays(alice: Person) -> None:
    assert alice.api.get("/users/").outcome == (403, "permission_denied")
    assert users("promote", "alice") == "alice is staff now.\n"
    assert alice.api.get("/users/").status == 200
    assert users("promote", "alice", "admin") == "alice is an admin now.\n"
    assert alice.api.get("/users/me")["role"] == "admin"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("promote", "ada"), "ada is an admin: use `manage.py users demote ada staff`"),
        (("demote", "alice", "staff"), "alice is a customer: use `manage.py users promote alice"),
        (("promote", "alice", "customer"), "invalid choice"),
        (("promote", "alice", "owner"), "invalid"),
    ],
)
def test_the_wrong_direction_is_refused_and_changes_nothing(
    arguments: tuple[str, ...], said: str, alice: Person, ada: Person
) -> None:
    before = [stored(alice), stored(ada)]
    with pytest.raises(CommandError, match=said):
        users(*arguments)
    assert [stored(alice), stored(ada)] == before


def test_a_demotion_asks_first(sam: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda: "n")
    with pytest.raises(CommandError, match="Nothing was changed"):
        users("demote", "sam")
    assert sam.api.get("/users/").status == 200


def test_each_change_of_a_role_is_in_the_audit_log(alice: Person) -> None:
    users("promote", "alice", "admin")
    users("demote", "alice", "--yes")
    rows = list(collection(AuditEvent).find({"event": "role_changed"}).sort([("_id", 1)]))
    assert [(row["subject_id"], row["details"]) for row in rows] == [
        (alice.principal.id, {"from": "customer", "to": "admin"}),
        (alice.principal.id, {"from": "admin", "to": "customer"}),
    ]


def test_of_two_changes_of_one_role_the_second_is_told(alice: Person) -> None:
    seen = stored(alice)
    UserService.set_role(user=seen, role=Role.ADMIN)  # type: ignore[arg-type]
    with pytest.raises(RoleMovedError):
        UserService.set_role(user=seen, role=Role.STAFF)  # type: ignore[arg-type]
    assert stored(alice)["role"] == "admin"


@pytest.mark.parametrize("member", ["role", "is_staff"])
def test_no_call_gives_a_role(member: str, ada: Person, anyone: ApiClient) -> None:
    value: object = "admin" if member == "role" else True
    carol = {"username": "carol", "email": "carol@example.com", "password": "blue-kettle-77"}
    for answer in (
        anyone.post("/users/", {**carol, member: value}),
        ada.api.patch("/users/me", {member: value}),
    ):
        assert (answer.outcome, answer.pointers) == ((400, "validation_error"), [f"/{member}"])
    assert collection(User).count_documents({}) == 1
