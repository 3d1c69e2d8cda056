"""POST /users/me/password: the owner changes it, every other session ends."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from accounts.documents import AuditEvent, User
from accounts.services import TokenService
from ecommerce.core.mongo import collection
from tests.client import PASSWORD, Answer, ApiClient, Person

NEW = "green-kettle-88"


def change(person: Person, new: str = NEW, current: str = PASSWORD) -> Answer:
    body = {"current_password": current, "new_password": new}
    return person.api.post("/users/me/password", body)


def stored(person: Person) -> Any:
    return collection(User).find_one({"_id": person.principal.id})


def sign_in(password: str) -> int:
    return ApiClient().form("/token", username="alice", password=password).status


@pytest.mark.parametrize("path", ["/users/me/password", "/users/me/password/"])
def test_the_new_password_counts_and_the_old_one_no_more(path: str, alice: Person) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert alice.api.post(path, body).status == 200
    assert (sign_in(NEW), sign_in(PASSWORD)) == (200, 400)


def test_every_session_ends_and_the_answer_is_a_new_one(alice: Person) -> None:
    elsewhere = TokenService.issue(user=stored(alice))
    answer = change(alice)
    assert answer.json().keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")
    for token in (elsewhere.refresh_token, alice.tokens.refresh_token):
        renewed = ApiClient().form("/token", grant_type="refresh_token", refresh_token=token)
        assert renewed.outcome == (400, "invalid_grant")
    assert ApiClient(answer["access_token"]).get("/users/me")["id"] == alice.id
    renewal = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}
    assert ApiClient().form("/token", **renewal).status == 200


@pytest.mark.parametrize(
    ("current", "new", "pointer", "code"),
    [
        ("wrong-horse-9", NEW, "/current_password", "wrong_password"),
        (PASSWORD, PASSWORD, "/new_password", "password_unchanged"),
        (PASSWORD, "short1", "/new_password", "min_length"),
        (PASSWORD, "x" * 129, "/new_password", "max_length"),
        (PASSWORD, "password123", "/new_password", "password_too_common"),
        (PASSWORD, "alice@example", "/new_password", "password_too_similar"),
    ],
)
def test_a_refusal_names_the_field_and_changes_nothing(
    current: str, new: str, pointer: str, code: str, alice: Person
) -> None:
    before = stored(alice)
    answer = change(alice, new, current)
    assert answer.outcome == (400, "validation_error")
    assert [(fault["pointer"], fault["code"]) for fault in answer["errors"]] == [(pointer, code)]
    assert stored(alice) == before
    assert collection(AuditEvent).count_documents({"event": "password_changed"}) == 0


def test_both_passwords_are_needed_and_nothing_else_is_known(alice: Person) -> None:
    answer = alice.api.post("/users/me/password", {"password": NEW})
    assert sorted(answer.pointers) == ["/current_password", "/new_password", "/password"]


def test_it_needs_a_token_and_no_other_method(alice: Person, anyone: ApiClient) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert anyone.post("/users/me/password", body).outcome == (401, "not_authenticated")
    assert alice.api.get("/users/me/password").outcome == (405, "method_not_allowed")


def test_of_parallel_changes_one_wins(alice: Person) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: change(alice, f"{NEW}-{n}"), range(4)))
    statuses = [answer.status for answer in answers]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 400, 401}
    assert [sign_in(f"{NEW}-{n}") == 200 for n in range(4)] == [s == 200 for s in statuses]
    assert stored(alice)["token_version"] == 1


def test_it_is_recorded_without_the_password(alice: Person) -> None:
    change(alice)
    (row,) = collection(AuditEvent).find({"event": "password_changed"})
    assert (row["actor_id"], row["subject_id"]) == (alice.principal.id, alice.principal.id)
    assert row["address"] == "127.0.0.1"
    assert "details" not in row


def test_a_change_by_patch_is_recorded_too(alice: Person) -> None:
    alice.api.patch("/users/me", {"password": NEW, "current_password": PASSWORD})
    assert collection(AuditEvent).count_documents({"event": "password_changed"}) == 1


def test_a_change_that_if_match_refuses_is_not_recorded(alice: Person) -> None:
    body = {"password": NEW, "current_password": PASSWORD}
    answer = alice.api.patch("/users/me", body, If_Match='"v9"')
    assert answer.outcome == (412, "precondition_failed")
    assert sign_in(PASSWORD) == 200
    assert collection(AuditEvent).count_documents({"event": "password_changed"}) == 0


def test_guessing_the_present_password_is_limited_by_either_path(
    limits_on: None, alice: Person
) -> None:
    for _ in range(5):
        assert change(alice, current="wrong-horse-9").status == 400
        wrong = {"password": NEW, "current_password": "wrong-horse-9"}
        assert alice.api.patch("/users/me", wrong).status == 400
    assert change(alice).outcome == (429, "rate_limited")
    right = {"password": NEW, "current_password": PASSWORD}
    assert alice.api.patch("/users/me", right).outcome == (429, "rate_limited")
    assert alice.api.patch("/users/me", {"username": "alicia"}).status == 200


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_present_password_is_not_guessed_without_naming_it_either(
    method: str, limits_on: None, alice: Person
) -> None:
    rest = {"username": "alice", "email": "alice@example.com"} if method == "PUT" else {}
    for number in range(10):
        guess = {**rest, "password": f"wrong-horse-{number}"}
        assert alice.api.send(method, "/users/me", guess).outcome == (400, "validation_error")
    right = {**rest, "password": PASSWORD}
    assert alice.api.send(method, "/users/me", right).outcome == (429, "rate_limited")
