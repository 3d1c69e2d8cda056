"""POST /token with grant_type=refresh_token: families, their rotation, and reuse."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from accounts.documents import AuditEvent, RefreshFamily, User
from accounts.documents.users import UserRow
from accounts.services import TokenService
from ecommerce.core.mongo import collection, utc_now
from tests.client import PASSWORD, Answer, ApiClient, Person


def renew(api: ApiClient, token: str) -> Answer:
    return api.form("/token", grant_type="refresh_token", refresh_token=token)


def family() -> dict[str, Any]:
    (row,) = collection(RefreshFamily).find({})
    return row


def events() -> list[str]:
    return [row["event"] for row in collection(AuditEvent).find({}).sort("_id", 1)]


def test_a_refresh_token_gets_a_new_pair(alice: Person, anyone: ApiClient) -> None:
    answer = renew(anyone, alice.tokens.refresh_token)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert anyone.get("/users/me", Authorization=f"Bearer {answer['access_token']}").status == 200
    assert renew(anyone, answer["refresh_token"]).status == 200


def test_the_session_stays_the_same_however_often_it_is_renewed(
    alice: Person, anyone: ApiClient
) -> None:
    token = alice.tokens.refresh_token
    for version in (2, 3, 4):
        token = renew(anyone, token)["refresh_token"]
        assert family()["version"] == version


def test_a_used_token_from_another_device_ends_the_family(alice: Person) -> None:
    mine, thief = ApiClient(device="Firefox"), ApiClient(device="curl")
    answer = renew(mine, alice.tokens.refresh_token)
    assert renew(thief, alice.tokens.refresh_token).outcome == (400, "invalid_grant")
    assert renew(mine, answer["refresh_token"]).outcome == (400, "invalid_grant")
    mine.token = answer["access_token"]
    assert mine.get("/users/me").outcome == (401, "invalid_token"), "its access tokens too"
    assert events() == ["refresh_reuse"]


def test_a_used_token_from_another_address_ends_the_family(alice: Person) -> None:
    mine, thief = ApiClient(address="192.0.2.1"), ApiClient(address="192.0.2.2")
    answer = renew(mine, alice.tokens.refresh_token)
    assert renew(thief, alice.tokens.refresh_token).status == 400
    assert renew(mine, answer["refresh_token"]).status == 400


def test_reuse_is_recorded_once_however_often_it_is_tried(alice: Person) -> None:
    renew(ApiClient(device="Firefox"), alice.tokens.refresh_token)
    for _ in range(5):
        renew(ApiClient(device="curl"), alice.tokens.refresh_token)
    (event,) = collection(AuditEvent).find({})
    assert event["event"] == "refresh_reuse"
    assert event["subject_id"] == alice.principal.id
    assert event["address"] == "127.0.0.1"
    assert alice.tokens.refresh_token.split(".")[1] not in str(event)


def test_the_same_client_gets_the_same_successor_for_ten_seconds(
    alice: Person, anyone: ApiClient
) -> None:
    first = renew(anyone, alice.tokens.refresh_token)
    second = renew(anyone, alice.tokens.refresh_token)
    assert (first.status, second.status) == (200, 200)
    assert first["refresh_token"] == second["refresh_token"]
    assert family()["version"] == 2, "exchanged once"
    assert renew(anyone, second["refresh_token"]).status == 200


def test_after_ten_seconds_the_same_client_ends_the_family(
    alice: Person, anyone: ApiClient
) -> None:
    successor = renew(anyone, alice.tokens.refresh_token)["refresh_token"]
    past = utc_now() - timedelta(seconds=11)
    collection(RefreshFamily).update_one({}, {"$set": {"used_at": past}})
    assert renew(anyone, alice.tokens.refresh_token).outcome == (400, "invalid_grant")
    assert renew(anyone, successor).outcome == (400, "invalid_grant")


def test_only_the_immediate_predecessor_has_a_grace(alice: Person, anyone: ApiClient) -> None:
    second = renew(anyone, alice.tokens.refresh_token)["refresh_token"]
    third = renew(anyone, second)["refresh_token"]
    assert renew(anyone, alice.tokens.refresh_token).outcome == (400, "invalid_grant")
    assert renew(anyone, third).outcome == (400, "invalid_grant")


def test_32_uses_at_once_are_one_exchange(alice: Person) -> None:
    def use(_: int) -> tuple[int, str]:
        answer = renew(ApiClient(), alice.tokens.refresh_token)
        return answer.status, answer["refresh_token"]

    with ThreadPoolExecutor(32) as pool:
        outcomes = Counter(pool.map(use, range(32)))
    assert len(outcomes) == 1, "every use has the same successor"
    ((status, successor),) = outcomes
    assert status == 200
    assert (family()["version"], family()["revoked_at"]) == (2, None)
    assert renew(ApiClient(), successor).status == 200


@pytest.mark.parametrize("field", ["expires_at", "idle_expires_at"])
def test_a_refresh_token_expires(field: str, alice: Person, anyone: ApiClient) -> None:
    past = utc_now() - timedelta(seconds=1)
    collection(RefreshFamily).update_many({}, {"$set": {field: past}})
    assert renew(anyone, alice.tokens.refresh_token).outcome == (400, "invalid_grant")


@pytest.mark.parametrize("field", ["expires_at", "idle_expires_at"])
def test_who_comes_back_after_the_session_expired_is_no_thief(
    field: str, alice: Person, anyone: ApiClient
) -> None:
    newest = renew(anyone, alice.tokens.refresh_token)["refresh_token"]
    past = utc_now() - timedelta(seconds=1)
    collection(RefreshFamily).update_many({}, {"$set": {field: past}})
    for _ in range(2):
        assert renew(anyone, newest).outcome == (400, "invalid_grant")
    assert events() == []
    assert renew(anyone, alice.tokens.refresh_token).outcome == (400, "invalid_grant")
    assert events() == ["refresh_reuse"], "an older one still is the sign of theft"


@pytest.mark.parametrize("out", ["password", "deactivated"])
def test_a_device_that_tries_again_after_its_user_was_shut_out_is_no_thief(
    out: str, alice: Person, sam: Person, anyone: ApiClient
) -> None:
    if out == "password":
        body = {"password": "new-horse-99", "current_password": PASSWORD}
        assert alice.api.patch("/users/me", body).status == 200
    else:
        assert sam.api.patch(f"/users/{alice.id}", {"is_active": False}).status == 200
    token, whose = alice.tokens.refresh_token, {"user_id": alice.principal.id}
    assert renew(anyone, token).outcome == (400, "invalid_grant")
    past = utc_now() - timedelta(seconds=11)
    collection(RefreshFamily).update_one(whose, {"$set": {"used_at": past}})
    assert renew(anyone, token).outcome == (400, "invalid_grant")
    assert "refresh_reuse" not in events()
    session = collection(RefreshFamily).find_one(whose)
    assert session is not None
    assert session["revoked_at"] is not None


def test_use_moves_the_idle_end_and_never_the_absolute_one(
    alice: Person, anyone: ApiClient
) -> None:
    before, soon = family(), utc_now() + timedelta(hours=1)
    collection(RefreshFamily).update_one({}, {"$set": {"idle_expires_at": soon}})
    assert renew(anyone, alice.tokens.refresh_token).status == 200
    after = family()
    assert after["expires_at"] == before["expires_at"]
    assert after["idle_expires_at"] - after["used_at"] == timedelta(days=7)


def test_only_hashes_of_refresh_tokens_are_stored(alice: Person, anyone: ApiClient) -> None:
    successor = renew(anyone, alice.tokens.refresh_token)["refresh_token"]
    stored = str(family())
    for token in (alice.tokens.refresh_token, successor):
        _, secret, proof = token.split(".")
        assert secret not in stored
        assert proof not in stored


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token + "x",
        lambda token: token[:-1],
        lambda token: token.replace(".", ".x", 1),
        lambda token: token.rpartition(".")[0],
        lambda token: token.partition(".")[0],
        lambda token: token.partition(".")[0] + ".guess.guess",
        lambda token: token.partition(".")[0] + ".\u00e9.\u00e9",
        lambda token: "0" * 24 + token[24:],
        lambda token: "." * 100,
        lambda token: "",
    ],
)
def test_a_guess_is_refused_and_harms_nobody(change: Any, alice: Person, anyone: ApiClient) -> None:
    before = family()
    assert renew(anyone, change(alice.tokens.refresh_token)).outcome == (400, "invalid_grant")
    assert (family(), events()) == (before, [])
    assert renew(anyone, alice.tokens.refresh_token).status == 200


def test_a_disabled_user_renews_no_more(alice: Person, sam: Person, anyone: ApiClient) -> None:
    sam.api.patch(f"/users/{alice.id}", {"is_active": False})
    assert renew(anyone, alice.tokens.refresh_token).outcome == (400, "invalid_grant")
    sam.api.patch(f"/users/{alice.id}", {"is_active": True})
    assert renew(anyone, alice.tokens.refresh_token).status == 400, "and not when enabled again"


def test_a_family_outlives_no_new_password(alice: Person, anyone: ApiClient) -> None:
    body = {"password": "new-horse-99", "current_password": PASSWORD}
    assert alice.api.patch("/users/me", body).status == 200
    assert renew(anyone, alice.tokens.refresh_token).outcome == (400, "invalid_grant")


def test_another_login_is_another_family(alice: Person, anyone: ApiClient) -> None:
    row: UserRow = collection(User).find_one({"_id": alice.principal.id})  # type: ignore[assignment]
    other = TokenService.issue(user=row)
    renew(ApiClient(device="a"), alice.tokens.refresh_token)
    renew(ApiClient(device="b"), alice.tokens.refresh_token)  # ends the first family
    assert renew(anyone, other.refresh_token).status == 200
