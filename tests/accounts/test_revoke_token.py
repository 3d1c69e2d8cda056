"""POST /token/revoke (RFC 7009): signing out with a refresh or an access token."""

from typing import Any

import pytest

from accounts.documents import AuditEvent, RefreshFamily
from ecommerce.core.mongo import collection
from tests.client import PASSWORD, ApiClient, Person
from tests.operations import recorded


def renewal(person: Person) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": person.tokens.refresh_token}
    return ApiClient().form("/token", **form)


@pytest.mark.parametrize("path", ["/token/revoke", "/token/revoke/"])
@pytest.mark.parametrize("hint", [None, "refresh_token", "access_token", "other"])
@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_either_token_ends_the_session_whatever_the_hint(
    path: str, hint: str | None, kind: str, alice: Person, anyone: ApiClient
) -> None:
    fields = {"token": getattr(alice.tokens, kind)} | ({"token_type_hint": hint} if hint else {})
    answer = anyone.form(path, **fields)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert renewal(alice).outcome == (400, "invalid_grant")
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")


def test_other_sessions_of_the_user_go_on(alice: Person, anyone: ApiClient) -> None:
    other = anyone.form("/token", username="alice", password=PASSWORD)
    anyone.form("/token/revoke", token=alice.tokens.refresh_token)
    assert anyone.get("/users/me", Authorization=f"Bearer {other['access_token']}").status == 200


def test_a_token_that_was_exchanged_still_signs_its_holder_out(alice: Person) -> None:
    successor = renewal(alice)["refresh_token"]
    ApiClient().form("/token/revoke", token=alice.tokens.refresh_token)
    answer = ApiClient().form("/token", grant_type="refresh_token", refresh_token=successor)
    assert answer.outcome == (400, "invalid_grant")


@pytest.mark.parametrize(
    "token", ["unknown", "a.b.c", "0" * 24 + ".guess.guess", "\u00e9.\u00e9.\u00e9", "x" * 2000]
)
def test_an_unknown_token_is_no_error_and_asks_no_database(token: str, anyone: ApiClient) -> None:
    with recorded() as seen:
        assert anyone.form("/token/revoke", token=token).status == 200
    assert seen == []


def test_a_guess_for_a_known_session_ends_nothing(alice: Person, anyone: ApiClient) -> None:
    session = alice.tokens.refresh_token.partition(".")[0]
    assert anyone.form("/token/revoke", token=f"{session}.guess.guess").status == 200
    assert alice.api.get("/users/me").status == 200
    assert renewal(alice).status == 200


@pytest.mark.parametrize("fields", [{}, {"token": ""}, {"token": "x" * 2001}])
def test_a_form_without_a_fit_token_is_the_error_of_rfc_6749(
    fields: dict[str, str], anyone: ApiClient
) -> None:
    answer = anyone.form("/token/revoke", **fields)
    assert answer.outcome == (400, "invalid_request")
    assert answer.headers["Cache-Control"] == "no-store"


def test_signing_out_is_recorded_once(alice: Person, anyone: ApiClient) -> None:
    for _ in range(3):
        anyone.form("/token/revoke", token=alice.tokens.refresh_token)
    (event,) = collection(AuditEvent).find({})
    session = alice.tokens.refresh_token.partition(".")[0]
    assert (event["event"], event["subject_id"]) == ("token_revoked", alice.principal.id)
    assert event["target"] == f"users/{alice.id}/sessions/{session}"
    assert collection(RefreshFamily).count_documents({"version": 2}) == 1
