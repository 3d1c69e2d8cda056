"""Confirming an address: the mail at registration, POST /users/verify-email, sending it again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from pymongo.errors import AutoReconnect

from accounts.documents import AuditEvent, MailToken, User
from accounts.services import updates
from accounts.services.mail_tokens import MailTokenService
from ecommerce.core.mongo import collection, utc_now
from tests.client import PASSWORD, Answer, ApiClient, Person
from tests.faults import DiesAt, KilledError
from tests.inbox import Inbox

CAROL = {"username": "carol", "email": "carol@example.com", "password": "blue-kettle-77"}
SUBJECT = "E-commerce API: confirm your email address"
VOID = (400, "invalid_mail_token")


@pytest.fixture
def carol(anyone: ApiClient) -> ApiClient:
    """Registered a moment ago, and signed in."""
    assert anyone.post("/users/", CAROL)["email_verified"] is False
    session = anyone.form("/token", username="carol", password=CAROL["password"])
    return ApiClient(session["access_token"])


@pytest.fixture
def token(carol: ApiClient, inbox: Inbox) -> str:
    """What carol found in her mail."""
    return inbox.token("carol@example.com")


def verify(token: Any) -> Answer:
    return ApiClient().post("/users/verify-email", {"token": token})


def test_registration_mails_a_link(carol: ApiClient, inbox: Inbox) -> None:
    (mail,) = inbox.of("carol@example.com")
    assert mail.subject == SUBJECT
    assert "Hello carol," in mail.body
    assert "http://127.0.0.1:8000/verify-email#token=" in mail.body


def test_a_domain_in_any_script_gets_its_mail(anyone: ApiClient, inbox: Inbox) -> None:
    address = "carol@b\u00fccher.example"
    assert anyone.post("/users/", {**CAROL, "email": address}).status == 201
    (mail,) = inbox.of(address)
    assert mail.message()["To"] == "carol@xn--bcher-kva.example"
    assert verify(inbox.token(address)).status == 204


def test_a_domain_that_no_mail_can_go_to_is_refused(anyone: ApiClient, inbox: Inbox) -> None:
    too_long_once_encoded = "\u00fc" * 60
    answer = anyone.post("/users/", {**CAROL, "email": f"carol@{too_long_once_encoded}.example"})
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), ["/email"])
    assert inbox.is_empty


@pytest.mark.parametrize("path", ["/users/verify-email", "/users/verify-email/"])
def test_the_mailed_token_verifies_the_address(path: str, token: str, carol: ApiClient) -> None:
    answer = ApiClient("stale").post(path, {"token": token})
    assert (answer.status, answer.body) == (204, b"")
    me = carol.get("/users/me")
    assert (me["email_verified"], me["pending_email"], me["version"]) == (True, None, 2)


def test_a_token_works_once(token: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(lambda _: verify(token).status, range(8)))
    assert answers == [204] + [400] * 7
    assert verify(token).outcome == VOID
    assert collection(AuditEvent).count_documents({"event": "email_verified"}) == 1


def test_a_link_whose_effect_failed_is_good_for_another_try(
    token: str, carol: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as outage:
        outage.setattr(updates, "exchange", Mock(side_effect=AutoReconnect("away")))
        assert verify(token).outcome == (503, "store_unavailable")
    assert carol.get("/users/me")["email_verified"] is False
    assert collection(AuditEvent).count_documents({"event": "email_verified"}) == 0
    assert verify(token).status == 204
    assert carol.get("/users/me")["email_verified"] is True
    assert collection(AuditEvent).count_documents({"event": "email_verified"}) == 1
    assert verify(token).outcome == VOID


def test_a_fault_between_the_effect_and_its_end_leaves_the_link_good(
    token: str, carol: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as outage:
        outage.setattr(MailTokenService, "take", Mock(side_effect=AutoReconnect("away")))
        assert verify(token).outcome == (503, "store_unavailable")
    assert verify(token).status == 204
    assert (carol.get("/users/me")["email_verified"], carol.get("/users/me")["version"]) == (
        True,
        2,
    )
    assert verify(token).outcome == VOID


@pytest.mark.parametrize(
    "step", ["verification.confirmed", "verification.recorded", "verification.taken"]
)
def test_a_confirmation_that_dies_at_any_step_is_recorded_once(
    step: str, token: str, carol: ApiClient, dies_at: DiesAt
) -> None:
    dies_at(step)
    with pytest.raises(KilledError):
        verify(token)
    assert carol.get("/users/me")["email_verified"] is True
    assert verify(token).status == (400 if step == "verification.taken" else 204)
    assert verify(token).outcome == VOID
    assert collection(AuditEvent).count_documents({"event": "email_verified"}) == 1
    assert carol.get("/users/me")["version"] == 2


def test_every_link_of_a_verified_address_works_once(
    token: str, carol: ApiClient, inbox: Inbox
) -> None:
    carol.post("/users/me/verify-email")
    for link in (inbox.token("carol@example.com"), token):
        assert [verify(link).status, verify(link).status] == [204, 400]


def test_it_is_void_after_24_hours(token: str, carol: ApiClient) -> None:
    (row,) = collection(MailToken).find({})
    lifetime = row["expires_at"] - utc_now()
    assert timedelta(hours=23, minutes=59) < lifetime <= timedelta(hours=24)
    past = utc_now() - timedelta(milliseconds=1)
    collection(MailToken).update_many({}, {"$set": {"expires_at": past}})
    assert verify(token).outcome == VOID
    assert carol.get("/users/me")["email_verified"] is False


@pytest.mark.parametrize("made_up", ["x" * 43, "", "x" * 101, None, 7, {"$gt": ""}])
def test_a_token_that_nobody_sent_verifies_nothing(made_up: Any, carol: ApiClient) -> None:
    assert verify(made_up).outcome in {VOID, (400, "validation_error")}
    assert carol.get("/users/me")["email_verified"] is False


def test_a_token_to_reset_the_password_verifies_nothing(carol: ApiClient, inbox: Inbox) -> None:
    ApiClient().post("/password-reset", {"email": "carol@example.com"})
    assert verify(inbox.token("carol@example.com")).outcome == VOID
    assert carol.get("/users/me")["email_verified"] is False


def test_an_address_that_was_left_is_not_verified(token: str, carol: ApiClient) -> None:
    assert carol.patch("/users/me", {"email": "new@example.com"}).status == 200
    assert verify(token).outcome == VOID
    assert carol.get("/users/me")["email_verified"] is False


def test_guessing_is_limited(limits_on: None) -> None:
    assert [verify("x" * 43).status for _ in range(30)] == [400] * 30
    assert verify("x" * 43).outcome == (429, "rate_limited")


@pytest.mark.parametrize("path", ["/users/me/verify-email", "/users/me/verify-email/"])
def test_the_link_is_sent_again(path: str, token: str, carol: ApiClient, inbox: Inbox) -> None:
    answer = carol.post(path)
    assert (answer.status, answer.json()) == (202, {"detail": "A mail with a link is on its way."})
    again = inbox.token("carol@example.com")
    assert again != token
    assert verify(again).status == 204


@pytest.mark.parametrize(
    ("raw", "kind", "outcome"),
    [
        (b'{"email": "x@example.com"}', "application/json", (400, "validation_error")),
        (b"{bad", "application/json", (400, "malformed_json")),
        (b"now", "text/plain", (415, "unsupported_media_type")),
    ],
)
def test_asking_again_takes_no_body_and_sends_nothing_for_one(
    raw: bytes, kind: str, outcome: tuple[int, str], carol: ApiClient, inbox: Inbox
) -> None:
    sent = len(inbox.of("carol@example.com"))
    answer = carol.send("POST", "/users/me/verify-email", raw=raw, content_type=kind)
    assert answer.outcome == outcome
    assert len(inbox.of("carol@example.com")) == sent
    assert carol.post("/users/me/verify-email", {}).status == 202


def test_the_earlier_link_stays_good(token: str, carol: ApiClient) -> None:
    carol.post("/users/me/verify-email")
    assert verify(token).status == 204


def test_nothing_is_sent_again_for_a_verified_address(alice: Person, inbox: Inbox) -> None:
    assert alice.api.post("/users/me/verify-email").outcome == (409, "email_already_verified")
    assert inbox.is_empty


def test_sending_again_needs_a_token_and_is_limited(
    limits_on: None, carol: ApiClient, anyone: ApiClient
) -> None:
    assert anyone.post("/users/me/verify-email").outcome == (401, "not_authenticated")
    statuses = [carol.post("/users/me/verify-email").status for _ in range(6)]
    assert statuses == [202] * 5 + [429]


def test_by_default_an_unverified_user_signs_in(carol: ApiClient, anyone: ApiClient) -> None:
    assert anyone.form("/token", username="carol", password=CAROL["password"]).status == 200


@pytest.fixture
def verified_only(carol: ApiClient, settings: Any) -> None:
    """A shop that lets only verified addresses in."""
    settings.REQUIRE_VERIFIED_EMAIL = True


def test_where_the_setting_says_so_an_unverified_user_is_told_what_to_do(
    verified_only: None, anyone: ApiClient
) -> None:
    answer = anyone.form("/token", username="carol", password=CAROL["password"])
    assert answer.outcome == (400, "invalid_grant")
    assert answer["error_description"].startswith("Your email address is not confirmed yet.")


def test_who_does_not_know_the_password_does_not_learn_that(
    verified_only: None, anyone: ApiClient
) -> None:
    wrong = anyone.form("/token", username="carol", password="wrong-horse-9")
    unknown = anyone.form("/token", username="nobody", password="wrong-horse-9")
    assert wrong.json() == unknown.json()
    assert wrong["error_description"] == "The username or the password is wrong."


def test_the_right_password_of_an_unverified_user_is_recorded_but_is_no_guess(
    verified_only: None, limits_on: None, token: str, anyone: ApiClient
) -> None:
    form = {"username": "carol", "password": CAROL["password"]}
    for _ in range(12):
        assert anyone.form("/token", **form).outcome == (400, "invalid_grant")
    rows = collection(AuditEvent).find({"event": "login_failed"})
    assert {row["details"]["because"] for row in rows} == {"email_unverified"}
    assert verify(token).status == 204
    assert anyone.form("/token", **form).status == 200


def test_a_verified_user_signs_in_there(
    verified_only: None, alice: Person, token: str, anyone: ApiClient
) -> None:
    assert anyone.form("/token", username="alice", password=PASSWORD).status == 200
    assert verify(token).status == 204
    assert anyone.form("/token", username="carol", password=CAROL["password"]).status == 200


def test_a_reset_password_lets_in_whoever_lost_the_mail(
    verified_only: None, anyone: ApiClient, inbox: Inbox
) -> None:
    anyone.post("/password-reset", {"email": "carol@example.com"})
    body = {"token": inbox.token("carol@example.com"), "new_password": "green-kettle-88"}
    assert anyone.post("/password-reset/confirm", body).status == 204
    assert anyone.form("/token", username="carol", password="green-kettle-88").status == 200


def test_users_stored_before_addresses_were_verified_are_unverified(alice: Person) -> None:
    collection(User).update_one({"_id": alice.principal.id}, {"$unset": {"verified_email_key": ""}})
    assert alice.api.get("/users/me")["email_verified"] is False
