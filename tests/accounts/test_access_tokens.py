"""Access tokens: what is in one, which are refused, and how their keys are changed."""

import time
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from bson import ObjectId

from accounts.documents import User
from accounts.signing import signing_keys
from ecommerce.core.mongo import collection
from tests.client import PASSWORD, ApiClient, Person

OLD_KEY = "an-older-secret-key-" + "0123456789abcdef" * 3
ID = "0" * 24


def read(token: str) -> dict[str, Any]:
    """Without a key: what anyone can see."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def forged(*, kid: str | None = "", headers: Any = None, key: Any = None, **changes: Any) -> str:
    """A token that only `changes` make wrong; None takes a claim away."""
    now, ours = int(time.time()), signing_keys("access-token")[0]
    claims = {
        "token_type": "access", "exp": now + 60, "iat": now, "jti": "x", "sub": ID, "sid": ID,
        "token_version": 0, "aud": "ecommerce-api", "iss": "ecommerce", **changes,
    }  # fmt: skip
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        key or ours.secret,
        algorithm="HS256",
        headers={**({} if kid is None else {"kid": kid or ours.kid}), **(headers or {})},
    )


def with_header(header: bytes) -> str:
    body = urlsafe_b64encode(b'{"sub": "x"}').decode().rstrip("=")
    return f"{urlsafe_b64encode(header).decode().rstrip('=')}.{body}.AAAA"


def test_a_token_names_its_key_issuer_audience_user_session_and_version(alice: Person) -> None:
    token = alice.tokens.access_token
    claims = read(token)
    assert jwt.get_unverified_header(token) == {
        "alg": "HS256", "typ": "JWT", "kid": signing_keys("access-token")[0].kid,
    }  # fmt: skip
    assert claims.keys() == {
        "token_type", "exp", "iat", "jti", "sub", "sid", "token_version", "iss", "aud",
    }  # fmt: skip
    assert (claims["iss"], claims["aud"]) == ("ecommerce", "ecommerce-api")
    assert (claims["sub"], claims["token_version"]) == (alice.id, 0)
    assert claims["sid"] == alice.tokens.refresh_token.partition(".")[0]
    assert claims["exp"] - claims["iat"] == 1800


def test_the_forger_of_these_tests_makes_good_tokens(alice: Person, anyone: ApiClient) -> None:
    good = forged(sub=alice.id)
    assert anyone.get("/users/me", Authorization=f"Bearer {good}").status == 200


REFUSED = 'Bearer realm="api", error="invalid_token", Api-Key realm="api"'


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": 10**30},
        {"exp": "soon"},
        {"exp": None},
        {"iat": 10**11},
        {"nbf": 10**11},
        {"aud": "other"},
        {"aud": None},
        {"iss": "other"},
        {"iss": None},
        {"token_type": "refresh"},
        {"token_type": None},
        {"jti": None},
        {"jti": 7},
        {"sub": None},
        {"sub": "not-an-id"},
        {"sub": 7},
        {"sub": {"$ne": None}},
        {"sub": ID},
        {"sid": None},
        {"sid": "x"},
        {"sid": ["x"]},
        {"token_version": "0"},
        {"token_version": True},
        {"token_version": None},
        {"token_version": 2**70},
        {"kid": None},
        {"kid": "unknown"},
        {"key": "another-key" * 6},
        {"headers": {"crit": ["x"], "x": 1}},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_key_or_header_is_401(
    changes: dict[str, Any], alice: Person, anyone: ApiClient
) -> None:
    token = forged(**{"sub": alice.id, **changes})
    answer = anyone.get("/users/me", Authorization=f"Bearer {token}")
    assert answer.outcome == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == REFUSED


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        "a.b.c",
        "..",
        "a b",
        "x" * 5000,
        "\u00e9\u00e9",
        jwt.encode({"sub": ID}, "", algorithm="none"),
        jwt.encode({"sub": ID}, "another-key" * 9, algorithm="HS512"),
        with_header(b'{"alg": "none"}'),
        with_header(b'{"alg": "HS256", "kid": {"$ne": 1}}'),
        with_header(b'{"alg": ["HS256"], "kid": 1}'),
        with_header(b"[]"),
        with_header(b"\xff"),
        with_header(b"[" * 3000),
    ],
    ids=lambda token: token[:20],
)
def test_what_is_no_token_of_ours_is_401(token: str, anyone: ApiClient) -> None:
    answer = anyone.get("/users/me", Authorization=f"Bearer {token}")
    assert answer.outcome == (401, "invalid_token")


@pytest.mark.filterwarnings("ignore:The HMAC key")
@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "none"])
def test_our_own_key_under_another_algorithm_is_401(
    algorithm: str, alice: Person, anyone: ApiClient
) -> None:
    ours = signing_keys("access-token")[0]
    key = "" if algorithm == "none" else ours.secret
    claims = read(alice.tokens.access_token)
    token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": ours.kid})
    answer = anyone.get("/users/me", Authorization=f"Bearer {token}")
    assert answer.outcome == (401, "invalid_token")


def test_a_changed_payload_is_401(alice: Person, bob: Person, anyone: ApiClient) -> None:
    mine, theirs = (p.tokens.access_token.split(".") for p in (alice, bob))
    swapped = ".".join([mine[0], theirs[1], mine[2]])
    answer = anyone.get("/users/me", Authorization=f"Bearer {swapped}")
    assert answer.outcome == (401, "invalid_token")


def test_a_refresh_token_is_no_access_token(alice: Person, anyone: ApiClient) -> None:
    answer = anyone.get("/users/me", Authorization=f"Bearer {alice.tokens.refresh_token}")
    assert answer.outcome == (401, "invalid_token")


def test_an_access_token_is_no_refresh_token(alice: Person, anyone: ApiClient) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": alice.tokens.access_token}
    assert anyone.form("/token", **form).outcome == (400, "invalid_grant")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_challenge_says_that_it_is_the_token(scheme: str, anyone: ApiClient) -> None:
    """RFC 6750 section 3: so that a client renews it, where it else would sign in anew."""
    for header in (f"{scheme} x.y.z", scheme, f"{scheme} x y"):
        for path in ("/users/me", "/products/"):
            answer = anyone.get(path, Authorization=header)
            assert answer.outcome == (401, "invalid_token")
            assert answer.headers["WWW-Authenticate"] == REFUSED
    other = anyone.get("/users/me", Authorization="Basic x")
    assert other.outcome == (401, "not_authenticated")
    assert "error" not in other.headers["WWW-Authenticate"]


def test_without_a_token_the_challenge_offers_both_ways_in(anyone: ApiClient) -> None:
    answer = anyone.get("/users/me")
    assert answer.outcome == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api", Api-Key realm="api"'
    assert answer["detail"] == (
        "POST /token gives a token for a username and a password: send it as "
        "`Authorization: Bearer <access_token>`. Machines send an API key."
    )


def test_a_disabled_or_deleted_user_is_out_at_the_next_call(
    alice: Person, bob: Person, sam: Person
) -> None:
    sam.api.patch(f"/users/{alice.id}", {"is_active": False})
    sam.api.delete(f"/users/{bob.id}")
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")
    assert bob.api.get("/users/me").outcome == (401, "invalid_token")


def test_tokens_of_before_a_key_change_are_good_until_they_expire(
    alice: Person, anyone: ApiClient, settings: Any
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = OLD_KEY
    assert alice.api.get("/users/me").status == 200
    form = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    renewed = anyone.form("/token", **form)
    assert renewed.status == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")
    token = renewed["access_token"]
    assert anyone.get("/users/me", Authorization=f"Bearer {token}").status == 200


def test_two_tabs_across_a_key_change_get_the_same_successor(
    alice: Person, anyone: ApiClient, settings: Any
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    first = anyone.form("/token", **form)["refresh_token"]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = OLD_KEY
    second = anyone.form("/token", **form)["refresh_token"]
    assert first.rpartition(".")[0] == second.rpartition(".")[0]


def test_a_token_without_its_user_is_401(anyone: ApiClient) -> None:
    token = forged(sub=str(ObjectId()))
    assert anyone.get("/users/me", Authorization=f"Bearer {token}").outcome == (
        401,
        "invalid_token",
    )


def test_a_new_password_ends_every_access_token(alice: Person, anyone: ApiClient) -> None:
    before = collection(User).find_one({"_id": alice.principal.id})
    body = {"password": "new-horse-99", "current_password": PASSWORD}
    assert alice.api.patch("/users/me", body).status == 200
    after = collection(User).find_one({"_id": alice.principal.id})
    assert before is not None
    assert after is not None
    assert after["token_version"] == before["token_version"] + 1
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")
