"""POST /token: signing in with a password (RFC 6749 section 4.3)."""

from typing import Any
from unittest.mock import Mock

import pytest
from pymongo.errors import AutoReconnect

from accounts import selectors
from accounts.documents import User
from accounts.services import tokens
from ecommerce.core.mongo import collection
from tests.client import PASSWORD, ApiClient, Person


def sign_in(api: ApiClient, username: str = "alice", password: str = PASSWORD) -> Any:
    return api.form("/token", username=username, password=password)


@pytest.mark.parametrize("path", ["/token", "/token/"])
def test_a_right_password_gets_a_bearer_token(path: str, alice: Person, anyone: ApiClient) -> None:
    answer = anyone.form(path, username="alice", password=PASSWORD, grant_type="password")
    assert answer.status == 200
    assert answer.json().keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 1800)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_token_opens_the_account(scheme: str, alice: Person, anyone: ApiClient) -> None:
    token = sign_in(anyone)["access_token"]
    answer = anyone.get("/users/me", Authorization=f"{scheme} {token}")
    assert (answer.status, answer["id"]) == (200, alice.id)


@pytest.mark.parametrize("login", ["ALICE", "alice@example.com", "Alice@Example.COM", " alice "])
def test_the_login_is_the_username_or_the_address_in_any_case(
    login: str, alice: Person, anyone: ApiClient
) -> None:
    assert sign_in(anyone, login).status == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("alice", "wrong-horse-9"),
        ("nobody", PASSWORD),
        ("alice", PASSWORD * 20),
    ],
)
def test_unknown_and_wrong_look_the_same(
    username: str, password: str, alice: Person, anyone: ApiClient
) -> None:
    answer = sign_in(anyone, username, password)
    assert answer.status == 400
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "The username or the password is wrong.",
    }


def test_an_inactive_user_looks_like_an_unknown_one(
    alice: Person, sam: Person, anyone: ApiClient
) -> None:
    assert sam.api.patch(f"/users/{alice.id}", {"is_active": False}).status == 200
    assert sign_in(anyone).json() == sign_in(anyone, "nobody").json()


def test_a_stale_bearer_header_does_not_block_signing_in(alice: Person) -> None:
    assert sign_in(ApiClient("stale.token.here")).status == 200


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"username": "alice"}, "invalid_request"),
        ({"password": "x"}, "invalid_request"),
        ({"username": "alice", "password": "x\x00"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "nonsense"}, "invalid_grant"),
        ({}, "invalid_request"),
    ],
)
def test_a_wrong_form_gets_the_error_of_rfc_6749(
    fields: dict[str, str], error: str, anyone: ApiClient
) -> None:
    assert anyone.form("/token", **fields).outcome == (400, error)


def test_json_is_not_what_oauth2_sends(anyone: ApiClient) -> None:
    answer = anyone.post("/token", {"username": "alice", "password": PASSWORD})
    assert answer.outcome == (415, "invalid_request")


def test_the_hash_is_renewed_at_login_when_the_parameters_change(
    alice: Person, anyone: ApiClient, real_hashing: None
) -> None:
    before = collection(User).find_one({"_id": alice.principal.id})
    assert sign_in(anyone).status == 200
    after = collection(User).find_one({"_id": alice.principal.id})
    assert before is not None
    assert after is not None
    assert before["hashed_password"].startswith("argon2$argon2id$v=19$m=8,t=1,p=1$")
    assert after["hashed_password"].startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert sign_in(anyone).status == 200


@pytest.mark.parametrize(
    ("form", "description"),
    [
        ("&".join(f"f{n}=1" for n in range(1001)), "A form has at most 1000 fields."),
        ("username=%ff&password=x", "The form is not UTF-8."),
    ],
)
def test_a_form_that_cannot_be_read_is_an_error_of_oauth_too(
    form: str, description: str, anyone: ApiClient
) -> None:
    kind = "application/x-www-form-urlencoded"
    for path in ("/token", "/token/revoke"):
        answer = anyone.send("POST", path, raw=form.encode(), content_type=kind)
        assert answer.status == 400
        assert answer.json() == {"error": "invalid_request", "error_description": description}


@pytest.mark.parametrize(
    ("path", "form", "description"),
    [
        ("/token", "username=bob&username=alice&password={0}", "username"),
        ("/token", "username=alice&password=wrong-horse-9&password={0}", "password"),
        ("/token", "grant_type=password&grant_type=password&username=alice&password={0}",
         "grant_type"),
        ("/token", "grant_type=refresh_token&refresh_token=x&refresh_token={1}", "refresh_token"),
        ("/token/revoke", "token=x&token={1}", "token"),
        ("/token", "username=alice&password={0}&odd%22=1&odd%22=2", "each parameter"),
    ],
)  # fmt: skip
def test_a_parameter_that_is_repeated_is_refused(
    path: str, form: str, description: str, alice: Person, bob: Person, anyone: ApiClient
) -> None:
    """RFC 6749 section 3.2: what signs in must not depend on which of them a server reads."""
    raw = form.format(PASSWORD, alice.tokens.refresh_token).encode()
    kind = "application/x-www-form-urlencoded"
    answer = anyone.send("POST", path, raw=raw, content_type=kind)
    assert answer.status == 400
    assert answer.json() == {
        "error": "invalid_request",
        "error_description": f"Send {description} once: none may be repeated.",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert alice.api.get("/users/me").status == 200, "no session was ended"


def test_while_the_database_is_away_the_answer_is_one_of_oauth2_too(
    alice: Person, anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Mock(side_effect=AutoReconnect("away"))
    monkeypatch.setattr(selectors, "user_for_login", away)
    monkeypatch.setattr(tokens, "collection", away)
    monkeypatch.setattr(tokens, "end_session", away)
    renewal = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    for answer in (
        sign_in(anyone),
        anyone.form("/token", **renewal),
        anyone.form("/token/revoke", token=alice.tokens.refresh_token),
    ):
        assert answer.status == 503
        assert answer.json() == {
            "error": "temporarily_unavailable",
            "error_description": (
                "The database does not answer at the moment. Try again in a few seconds."
            ),
        }
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Retry-After"] == "2"
        assert answer.headers["Cache-Control"] == "no-store"
