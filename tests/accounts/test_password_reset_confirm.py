"""POST /password-reset/confirm: the mailed token sets a password, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from pymongo.errors import AutoReconnect

from accounts.documents import AuditEvent, MailToken, User
from accounts.services import updates
from ecommerce.core.mongo import collection, utc_now
from tests.client import PASSWORD, Answer, ApiClient, Person
from tests.faults import DiesAt, KilledError
from tests.inbox import Inbox

NEW = "green-kettle-88"
VOID = (400, "invalid_mail_token")


@pytest.fixture
def token(alice: Person, inbox: Inbox) -> str:
    """What alice found in her mail."""
    assert ApiClient().post("/password-reset", {"email": "alice@example.com"}).status == 202
    return inbox.token("alice@example.com")


def confirm(token: str, password: str = NEW) -> Answer:
    body = {"token": token, "new_password": password}
    return ApiClient().post("/password-reset/confirm", body)


def sign_in(password: str) -> int:
    return ApiClient().form("/token", username="alice", password=password).status


def stored(person: Person) -> Any:
    return collection(User).find_one({"_id": person.principal.id})


@pytest.mark.parametrize("path", ["/password-reset/confirm", "/password-reset/confirm/"])
def test_the_new_password_counts_and_every_session_ends(
    path: str, token: str, alice: Person, inbox: Inbox
) -> None:
    answer = ApiClient("stale").post(path, {"token": token, "new_password": NEW})
    assert (answer.status, answer.body) == (204, b"")
    assert (sign_in(NEW), sign_in(PASSWORD)) == (200, 400)
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")
    renewal = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    assert ApiClient().form("/token", **renewal).outcome == (400, "invalid_grant")
    assert inbox.subjects("alice@example.com")[-1] == "E-commerce API: your password was changed"


def test_the_notice_leads_to_the_page_where_the_owner_takes_the_account_back(
    token: str, inbox: Inbox, settings: Any
) -> None:
    settings.PASSWORD_RESET_URL = "https://shop.example/account/new-password"
    assert confirm(token).status == 204
    notice = str(inbox.of("alice@example.com")[-1].body)
    assert "choose a new password at once: https://shop.example/account/new-password" in notice


def test_a_token_works_once(token: str) -> None:
    assert confirm(token).status == 204
    assert confirm(token, "other-kettle-99").outcome == VOID
    assert sign_in(NEW) == 200


def test_of_parallel_uses_one_wins(token: str, alice: Person) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: confirm(token, f"{NEW}-{n}"), range(8)))
    assert sorted(answer.status for answer in answers) == [204] + [400] * 7
    assert {answer["code"] for answer in answers if answer.status == 400} == {"invalid_mail_token"}
    assert [sign_in(f"{NEW}-{n}") == 200 for n in range(8)] == [a.status == 204 for a in answers]
    assert stored(alice)["token_version"] == 1
    assert collection(AuditEvent).count_documents({"event": "password_reset"}) == 1


def test_using_one_link_makes_the_others_void(token: str, inbox: Inbox) -> None:
    ApiClient().post("/password-reset", {"email": "alice@example.com"})
    other = inbox.token("alice@example.com")
    assert other != token
    assert confirm(other).status == 204
    assert confirm(token, "other-kettle-99").outcome == VOID
    assert collection(MailToken).count_documents({}) == 0


def test_a_link_whose_effect_failed_is_good_for_another_try(
    token: str, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(alice)
    with monkeypatch.context() as outage:
        outage.setattr(updates, "exchange", Mock(side_effect=AutoReconnect("away")))
        assert confirm(token).outcome == (503, "store_unavailable")
    assert stored(alice) == before
    assert collection(AuditEvent).count_documents({"event": "password_reset"}) == 1, "the try is"
    assert confirm(token).status == 204
    assert sign_in(NEW) == 200
    assert collection(AuditEvent).count_documents({"event": "password_reset"}) == 1
    assert confirm(token).outcome == VOID


@pytest.mark.parametrize("step", ["password_reset.recorded", "password_reset.written"])
def test_a_reset_that_dies_at_any_step_is_recorded_once(
    step: str, token: str, alice: Person, dies_at: DiesAt
) -> None:
    dies_at(step)
    with pytest.raises(KilledError):
        confirm(token)
    (entry,) = collection(AuditEvent).find({"event": "password_reset"})
    assert entry["subject_id"] == alice.principal.id
    written = step == "password_reset.written"
    assert (sign_in(NEW) == 200) is written
    assert confirm(token).status == (400 if written else 204)
    assert sign_in(NEW) == 200
    assert collection(AuditEvent).count_documents({"event": "password_reset"}) == 1


def test_it_is_void_after_30_minutes(token: str, alice: Person) -> None:
    past = utc_now() - timedelta(milliseconds=1)
    collection(MailToken).update_many({}, {"$set": {"expires_at": past}})
    assert confirm(token).outcome == VOID
    assert sign_in(PASSWORD) == 200


def test_a_password_changed_meanwhile_makes_it_void(token: str, alice: Person) -> None:
    body = {"current_password": PASSWORD, "new_password": "blue-kettle-77"}
    assert alice.api.post("/users/me/password", body).status == 200
    assert confirm(token).outcome == VOID
    assert sign_in("blue-kettle-77") == 200


def test_an_address_changed_meanwhile_makes_it_void(token: str, alice: Person) -> None:
    assert alice.api.patch("/users/me", {"email": "new@example.com"}).status == 200
    assert confirm(token).outcome == VOID
    assert sign_in(PASSWORD) == 200


@pytest.mark.parametrize("how", ["deactivated", "deleted"])
def test_it_does_not_open_an_account_that_is_closed(
    how: str, token: str, alice: Person, sam: Person
) -> None:
    if how == "deleted":
        assert sam.api.delete(f"/users/{alice.id}").status == 204
    else:
        assert sam.api.patch(f"/users/{alice.id}", {"is_active": False}).status == 200
    assert confirm(token).outcome == VOID


@pytest.mark.parametrize("made_up", ["", "x", "x" * 43, "x" * 101, "\u00e9", None, 7, {"$ne": ""}])
def test_a_token_that_nobody_sent_is_refused(made_up: Any, token: str, alice: Person) -> None:
    before = stored(alice)
    assert confirm(made_up).outcome in {VOID, (400, "validation_error")}
    assert stored(alice) == before
    assert confirm(token).status == 204


def test_the_stored_hash_is_no_token(token: str) -> None:
    (row,) = collection(MailToken).find({})
    assert confirm(row["_id"]).outcome == VOID


def test_a_token_for_the_address_sets_no_password(alice: Person, inbox: Inbox) -> None:
    alice.api.patch("/users/me", {"email": "new@example.com"})
    assert confirm(inbox.token("new@example.com")).outcome == VOID
    assert sign_in(PASSWORD) == 200


@pytest.mark.parametrize("password", ["short1", "x" * 129, "password123", "alice@example"])
def test_a_password_that_breaks_a_rule_leaves_the_token_good(
    password: str, token: str, alice: Person
) -> None:
    answer = confirm(token, password)
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), ["/new_password"])
    assert sign_in(PASSWORD) == 200
    assert confirm(token).status == 204


def test_who_followed_the_link_has_proven_the_address(token: str, alice: Person) -> None:
    collection(User).update_one({"_id": alice.principal.id}, {"$unset": {"verified_email_key": ""}})
    assert alice.api.get("/users/me")["email_verified"] is False
    confirm(token)
    session = ApiClient().form("/token", username="alice", password=NEW)["access_token"]
    assert ApiClient(session).get("/users/me")["email_verified"] is True


def test_it_is_recorded_without_token_or_password(token: str, alice: Person) -> None:
    confirm(token)
    (row,) = collection(AuditEvent).find({"event": "password_reset"})
    assert row["subject_id"] == alice.principal.id
    assert not row.keys() & {"actor_id", "details", "target"}


def test_guessing_is_limited(limits_on: None) -> None:
    assert [confirm("x" * 43).status for _ in range(30)] == [400] * 30
    assert confirm("x" * 43).outcome == (429, "rate_limited")
