"""A token's signature is checked once; its expiry, its keys and its user on every call."""

import time
from typing import Any

import pytest
from bson import ObjectId

from accounts import access_tokens
from accounts.claims import AccessClaims
from accounts.documents import User
from accounts.signing import signing_keys
from accounts.verified_tokens import VerifiedTokens
from ecommerce.core.mongo import collection
from tests.accounts.test_access_tokens import forged
from tests.client import ApiClient, Person

KEYS = signing_keys("access-token")


def living(seconds: int) -> AccessClaims:
    return AccessClaims(ObjectId(), ObjectId(), 0, "jti", int(time.time()) + seconds)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The tokens whose signature is checked."""
    seen: list[Any] = []

    class Noting(access_tokens.ShopAccessToken):
        def __init__(self, token: Any = None, *args: Any, **kwargs: Any) -> None:
            seen.append(token)
            super().__init__(token, *args, **kwargs)

    monkeypatch.setattr(access_tokens, "ShopAccessToken", Noting)
    return seen


def test_a_signature_is_checked_at_the_first_call_alone(
    alice: Person, anyone: ApiClient, checked: list[Any]
) -> None:
    header = f"Bearer {forged(sub=alice.id)}"
    assert [anyone.get("/users/me", Authorization=header).status for _ in range(3)] == [200] * 3
    assert len(checked) == 1


def test_a_token_that_is_refused_is_checked_each_time(
    alice: Person, anyone: ApiClient, checked: list[Any]
) -> None:
    header = f"Bearer {forged(sub=alice.id, aud='other')}"
    assert [anyone.get("/users/me", Authorization=header).status for _ in range(2)] == [401] * 2
    assert len(checked) == 2


def test_a_known_token_is_out_when_it_expires(alice: Person, anyone: ApiClient) -> None:
    end = int(time.time()) + 2
    header = f"Bearer {forged(sub=alice.id, exp=end)}"
    assert anyone.get("/users/me", Authorization=header).status == 200
    time.sleep(max(0.0, end - time.time()))
    assert anyone.get("/users/me", Authorization=header).outcome == (401, "invalid_token")


def test_a_disabled_user_is_out_at_the_next_call(alice: Person) -> None:
    assert alice.api.get("/users/me").status == 200
    collection(User).update_one({"_id": ObjectId(alice.id)}, {"$set": {"is_active": False}})
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")


def test_a_known_token_is_out_when_its_key_is_taken_away(alice: Person, settings: Any) -> None:
    assert alice.api.get("/users/me").status == 200
    settings.SECRET_KEY = "another-secret-key-" + "0123456789abcdef" * 3
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")


def test_what_is_known_is_given_until_it_expires() -> None:
    table, alive, dead = VerifiedTokens(), living(60), living(0)
    table.remember(b"alive", KEYS, alive)
    table.remember(b"dead", KEYS, dead)
    assert table.claims(b"alive", KEYS) == alive
    assert table.claims(b"dead", KEYS) is None
    assert table.claims(b"other", KEYS) is None


def test_the_table_is_bounded_and_the_oldest_makes_room() -> None:
    table = VerifiedTokens(max_tokens=3)
    for number in range(5):
        table.remember(b"%d" % number, KEYS, living(60))
    assert len(table) == 3
    assert [table.claims(b"%d" % n, KEYS) is not None for n in range(5)] == [
        False, False, True, True, True,
    ]  # fmt: skip


def test_no_token_is_held(alice: Person) -> None:
    alice.api.get("/users/me")
    token = alice.tokens.access_token.encode()
    assert token not in repr(vars(access_tokens._known)).encode()
