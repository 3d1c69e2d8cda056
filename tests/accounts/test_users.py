"""/users/: registration, reading, changing and deleting accounts."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from accounts.documents import User
from accounts.services import UserService
from carts.documents import ShoppingCart
from ecommerce.core.mongo import collection
from tests.client import PASSWORD, ApiClient, Person

CAROL = {"username": "carol", "email": "carol@example.com", "password": "blue-kettle-77"}


def stored(person: Person) -> Any:
    return collection(User).find_one({"_id": person.principal.id})


@pytest.mark.parametrize("path", ["/users/", "/users"])
def test_anyone_registers_and_signs_in(path: str, anyone: ApiClient) -> None:
    answer = anyone.post(path, CAROL)
    assert answer.status == 201
    assert answer.json().keys() == {
        "id", "username", "email", "email_verified", "pending_email", "is_active", "role",
        "is_staff", "version", "created_at", "updated_at",
    }  # fmt: skip
    assert answer["username"] == "carol"
    assert (answer["is_active"], answer["is_staff"], answer["version"]) == (True, False, 1)
    assert answer.headers["Location"] == f"http://testserver/users/{answer['id']}"
    assert answer.headers["ETag"] == '"v1"'
    token = anyone.form("/token", username="carol", password="blue-kettle-77")["access_token"]
    assert anyone.get("/users/me", Authorization=f"Bearer {token}")["id"] == answer["id"]


def test_a_stale_token_does_not_block_registration() -> None:
    assert ApiClient("stale").post("/users/", CAROL).status == 201


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"username": ""}, "/username"),
        ({"username": "has blank"}, "/username"),
        ({"username": "an@address"}, "/username"),
        ({"username": "x" * 151}, "/username"),
        ({"username": 7}, "/username"),
        ({"username": None}, "/username"),
        ({"username": {"$ne": ""}}, "/username"),
        ({"email": "no-address"}, "/email"),
        ({"email": f"{'x' * 250}@example.com"}, "/email"),
        ({"password": "short1"}, "/password"),
        ({"password": "x" * 129}, "/password"),
        ({"password": "password123"}, "/password"),
        ({"password": "carol@example"}, "/password"),
        ({"password": 12345678}, "/password"),
        ({"is_staff": True}, "/is_staff"),
        ({"role": "admin"}, "/role"),
        ({"hashed_password": "x"}, "/hashed_password"),
        ({"token_version": 9}, "/token_version"),
    ],
)
def test_bad_input_names_the_field_and_stores_nothing(
    changes: dict[str, Any], pointer: str, anyone: ApiClient
) -> None:
    answer = anyone.post("/users/", CAROL | changes)
    assert answer.outcome == (400, "validation_error")
    assert answer.pointers == [pointer] or set(answer.pointers) == {pointer}
    assert collection(User).count_documents({}) == 0


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"username": "ALICE"}, ["/username"]),
        ({"username": "\uff41lice"}, ["/username"]),  # a full-width a
        ({"email": "Alice@EXAMPLE.com"}, ["/email"]),
        ({"username": "alice", "email": "alice@example.com"}, ["/username", "/email"]),
    ],
)
def test_a_name_taken_in_any_spelling_is_409(
    changes: dict[str, Any], pointers: list[str], alice: Person, anyone: ApiClient
) -> None:
    answer = anyone.post("/users/", CAROL | changes)
    assert answer.outcome == (409, "duplicate_user")
    assert answer.pointers == pointers


def test_of_parallel_registrations_of_one_address_one_wins() -> None:
    def register(number: int) -> int:
        return ApiClient().post("/users/", CAROL | {"username": f"carol{number}"}).status

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(register, range(16)))
    assert statuses == [201] + [409] * 15


def test_registration_is_limited_per_address(limits_on: None, anyone: ApiClient) -> None:
    statuses = [
        anyone.post("/users/", CAROL | {"username": f"c{n}", "email": "bad"}).status
        for n in range(21)
    ]
    assert statuses == [400] * 20 + [429]


def test_a_user_reads_only_themselves(alice: Person, bob: Person, anyone: ApiClient) -> None:
    assert alice.api.get(f"/users/{alice.id}").json() == alice.api.get("/users/me").json()
    assert alice.api.get(f"/users/{bob.id}").outcome == (404, "user_not_found")
    assert alice.api.get(f"/users/{'0' * 24}").outcome == (404, "user_not_found")
    assert alice.api.get("/users/nonsense").outcome == (404, "user_not_found")
    assert anyone.get(f"/users/{alice.id}").status == 401


def test_staff_reads_anybody(alice: Person, sam: Person) -> None:
    assert sam.api.get(f"/users/{alice.id}")["username"] == "alice"
    assert sam.api.get(f"/users/{'0' * 24}").outcome == (404, "user_not_found")


def test_only_staff_lists_users(alice: Person, sam: Person, anyone: ApiClient) -> None:
    assert anyone.get("/users/").outcome == (401, "not_authenticated")
    assert alice.api.get("/users/").outcome == (403, "permission_denied")
    answer = sam.api.get("/users/?count=true")
    assert [user["username"] for user in answer["items"]] == ["sam", "alice"]
    assert answer["count"] == 2
    assert "hash" not in answer.body.decode()


def test_put_replaces_names_and_raises_the_version(alice: Person) -> None:
    names = {"username": "alicia", "email": "alicia@example.com"}
    answer = alice.api.put("/users/me", names)
    assert (answer.status, answer["username"], answer["version"]) == (200, "alicia", 2)
    assert alice.api.get("/users/me")["email"] == "alicia@example.com"


def test_put_needs_every_name(alice: Person) -> None:
    answer = alice.api.put("/users/me", {"username": "alicia"})
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), ["/email"])


def test_patch_changes_one_field(alice: Person) -> None:
    answer = alice.api.patch(f"/users/{alice.id}", {"email": "new@example.com"})
    assert (answer["username"], answer["email"]) == ("alice", "new@example.com")


def test_an_empty_patch_changes_nothing_and_keeps_the_version(alice: Person, sam: Person) -> None:
    before = stored(alice)
    for body in ({}, {"is_active": True}):
        for match in ({}, {"If_Match": '"v1"'}):
            answer = alice.api.patch("/users/me", body, **match)
            assert (answer.status, answer.headers["ETag"]) == (200, '"v1"')
            assert answer.json() == alice.api.get("/users/me").json()
    refused = alice.api.patch("/users/me", {}, If_Match='"v2"')
    assert refused.outcome == (412, "precondition_failed")
    assert sam.api.patch(f"/users/{'0' * 24}", {}).outcome == (404, "user_not_found")
    assert sam.api.patch(f"/users/{alice.id}", {}).status == 200
    assert stored(alice) == before


def test_a_change_to_a_taken_name_is_409_and_changes_nothing(alice: Person, bob: Person) -> None:
    answer = alice.api.patch("/users/me", {"username": "BOB", "email": "new@example.com"})
    assert (answer.outcome, answer.pointers) == ((409, "duplicate_user"), ["/username"])
    assert alice.api.get("/users/me")["email"] == "alice@example.com"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_stranger_cannot_change_a_user(method: str, alice: Person, bob: Person) -> None:
    body = {"username": "taken", "email": "taken@example.com"}
    arguments = [] if method == "delete" else [body]
    assert getattr(bob.api, method)(f"/users/{alice.id}", *arguments).outcome == (
        404,
        "user_not_found",
    )
    assert alice.api.get("/users/me")["username"] == "alice"


def test_a_customer_cannot_activate_or_promote(alice: Person) -> None:
    assert alice.api.patch("/users/me", {"is_active": False}).outcome == (403, "staff_only_field")
    assert alice.api.get("/users/me")["is_active"] is True
    assert alice.api.patch("/users/me", {"is_staff": True}).pointers == ["/is_staff"]


def test_a_user_puts_back_what_they_have_read(alice: Person) -> None:
    me = alice.api.get("/users/me").json()
    read = {name: me[name] for name in ("username", "email", "is_active")}
    answer = alice.api.put("/users/me", read)
    assert (answer.status, {name: answer[name] for name in read}) == (200, read)


def test_saying_that_one_is_active_takes_no_deactivation_back(alice: Person) -> None:
    UserService.set_active(user=stored(alice), is_active=False)  # after alice was let in
    UserService.update(
        user_id="me", caller=alice.principal, changes={"username": "alicia", "is_active": True}
    )
    assert (stored(alice)["username"], stored(alice)["is_active"]) == ("alicia", False)


@pytest.mark.parametrize("active", [True, False])
def test_a_form_without_a_field_leaves_it_as_it_is(
    active: bool, alice: Person, sam: Person
) -> None:
    UserService.set_active(user=stored(alice), is_active=active)
    form = b"username=alicia&email=alice%40example.com"
    kind = "application/x-www-form-urlencoded"
    answer = sam.api.send("PUT", f"/users/{alice.id}", raw=form, content_type=kind)
    assert (answer.status, answer["username"], answer["is_active"]) == (200, "alicia", active)


def test_a_new_password_needs_the_present_one_and_ends_every_session(alice: Person) -> None:
    refused = alice.api.patch("/users/me", {"password": "green-kettle-88"})
    assert (refused.outcome, refused.pointers) == (
        (400, "validation_error"),
        ["/current_password"],
    )
    body = {"password": "green-kettle-88", "current_password": PASSWORD}
    assert alice.api.patch("/users/me", body).status == 200
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")
    assert alice.api.form("/token", username="alice", password=PASSWORD).status == 400
    assert alice.api.form("/token", username="alice", password="green-kettle-88").status == 200


def test_a_put_that_repeats_the_present_password_changes_no_session(alice: Person) -> None:
    body = {"username": "alice", "email": "alice@example.com", "password": PASSWORD}
    assert alice.api.put("/users/me", body).status == 200
    assert alice.api.get("/users/me").status == 200


def test_staff_does_not_set_passwords_of_others(alice: Person, sam: Person) -> None:
    answer = sam.api.patch(f"/users/{alice.id}", {"password": "green-kettle-88"})
    assert answer.outcome == (403, "own_password_only")


def test_if_match_guards_a_change(alice: Person) -> None:
    names = {"email": "new@example.com"}
    assert alice.api.patch("/users/me", names, If_Match='"v1"').status == 200
    answer = alice.api.patch("/users/me", {"email": "newer@example.com"}, If_Match='"v1"')
    assert answer.outcome == (412, "precondition_failed")
    assert alice.api.get("/users/me")["email"] == "new@example.com"


def test_if_none_match_answers_304(alice: Person) -> None:
    answer = alice.api.get("/users/me", If_None_Match='"v1"')
    assert (answer.status, answer.body) == (304, b"")


def test_a_deleted_user_is_gone_with_sessions_and_carts(alice: Person, anyone: ApiClient) -> None:
    alice.api.post("/shopping-carts/", {})
    assert alice.api.delete(f"/users/{alice.id}").status == 204
    assert alice.api.get("/users/me").status == 401
    assert anyone.form("/token", username="alice", password=PASSWORD).status == 400
    assert collection(ShoppingCart).count_documents({}) == 0


def test_a_swap_of_two_names_never_loses_one(alice: Person, bob: Person) -> None:
    def rename(person: Person, name: str) -> tuple[int, str]:
        return person.api.patch("/users/me", {"username": name}).outcome

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(rename, alice, "bob")
        second = pool.submit(rename, bob, "alice")
    assert [first.result(), second.result()] == [(409, "duplicate_user")] * 2
    assert {row["username"] for row in collection(User).find({})} == {"alice", "bob"}
