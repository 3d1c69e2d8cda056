"""POST /password-reset: the same answer for everybody; a mail for those who have an account."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.documents import AuditEvent, MailToken, User
from ecommerce.core.background import wait_until_idle
from ecommerce.core.mongo import collection, utc_now
from tests.client import ApiClient, Person
from tests.inbox import Inbox
from tests.live.server import free_port
from tests.operations import recorded

ANSWER = {"detail": "If an account has this address, a mail with a link is on its way to it."}
SUBJECT = "E-commerce API: choose a new password"


def ask(email: str = "alice@example.com", **headers: str) -> Any:
    return ApiClient().post("/password-reset", {"email": email}, **headers)


@pytest.mark.parametrize("path", ["/password-reset", "/password-reset/"])
def test_the_owner_gets_a_link_by_mail(
    path: str, alice: Person, anyone: ApiClient, inbox: Inbox
) -> None:
    answer = anyone.post(path, {"email": "Alice@Example.com"})
    assert (answer.status, answer.json()) == (202, ANSWER)
    (mail,) = inbox.of("alice@example.com")
    assert mail.subject == SUBJECT
    assert mail.from_email == "E-commerce API <no-reply@127.0.0.1>"
    assert mail.content_subtype == "plain"
    assert mail.extra_headers == {"Auto-Submitted": "auto-generated"}
    assert "http://127.0.0.1:8000/reset-password#token=" in mail.body
    assert "within 30 minutes" in mail.body


@pytest.mark.parametrize("email", ["nobody@example.com", "sam@example.com.example"])
def test_an_unknown_address_gets_the_same_answer_and_no_mail(
    email: str, alice: Person, inbox: Inbox
) -> None:
    answer = ask(email)
    assert (answer.status, answer.json()) == (202, ANSWER)
    assert answer.headers.keys() == ask().headers.keys()
    assert inbox.of(email) == []


def test_an_inactive_user_gets_no_mail(alice: Person, sam: Person, inbox: Inbox) -> None:
    sam.api.patch(f"/users/{alice.id}", {"is_active": False})
    assert ask().status == 202
    assert inbox.is_empty


def test_no_answer_waits_for_anything_that_depends_on_the_account(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[Callable[[], None]] = []
    monkeypatch.setattr(
        "accounts.services.password_resets.run_later", lambda _name, work: later.append(work)
    )
    with recorded() as seen:
        answers = [ask("alice@example.com"), ask("nobody@example.com")]
    assert [(answer.status, answer.json()) for answer in answers] == [(202, ANSWER)] * 2
    assert seen == [], "the database was asked before the answer"
    assert len(later) == 2


def test_the_work_waits_a_moment_before_it_asks_who_that_is(
    alice: Person, settings: Any, monkeypatch: pytest.MonkeyPatch, inbox: Inbox
) -> None:
    settings.PASSWORD_RESET_PAUSE = 10.0
    pauses: list[tuple[float, int]] = []
    with recorded() as seen:
        monkeypatch.setattr(
            "accounts.services.password_resets.time.sleep",
            lambda seconds: pauses.append((seconds, len(seen))),
        )
        for email in ("alice@example.com", "nobody@example.com"):
            ask(email)
            assert wait_until_idle(10)
            seen.clear()
    assert [asked for _, asked in pauses] == [0, 0]
    assert all(2 <= seconds <= 10 for seconds, _ in pauses)
    assert len({seconds for seconds, _ in pauses}) == 2, "how long is chance"
    assert len(inbox.of("alice@example.com")) == 1


@pytest.mark.parametrize(
    "body", [{}, {"email": "nothing"}, {"email": 7}, {"email": {"$ne": ""}}, {"username": "alice"}]
)
def test_bad_input_is_400(body: Any, alice: Person, anyone: ApiClient, inbox: Inbox) -> None:
    assert anyone.post("/password-reset", body).outcome == (400, "validation_error")
    assert inbox.is_empty


def test_a_stale_token_does_not_block_it(alice: Person, inbox: Inbox) -> None:
    assert ApiClient("stale").post("/password-reset", {"email": "alice@example.com"}).status == 202
    assert inbox.subjects("alice@example.com") == [SUBJECT]


def test_the_link_does_not_follow_the_host_of_the_request(alice: Person, inbox: Inbox) -> None:
    assert ask(Host="localhost", X_Forwarded_Host="evil.example").status == 202
    (mail,) = inbox.of("alice@example.com")
    assert "http://127.0.0.1:8000/reset-password#" in mail.body
    assert "localhost" not in mail.body
    assert "evil" not in mail.body


def test_the_link_leads_where_the_setting_says(alice: Person, inbox: Inbox, settings: Any) -> None:
    settings.PASSWORD_RESET_URL = "https://shop.example/account/new-password"
    ask()
    (mail,) = inbox.of("alice@example.com")
    assert "https://shop.example/account/new-password#token=" in mail.body


def test_only_a_hash_of_256_random_bits_is_stored_for_30_minutes(
    alice: Person, inbox: Inbox
) -> None:
    ask()
    token = inbox.token("alice@example.com")
    assert len(token) == 43, "32 bytes in base64"
    (row,) = collection(MailToken).find({})
    assert token not in str(row)
    assert len(row["_id"]) == 64
    lifetime = row["expires_at"] - utc_now()
    assert timedelta(minutes=29, seconds=50) < lifetime <= timedelta(minutes=30)
    indexes = collection(MailToken).index_information()
    assert indexes["mail_tokens_expiry"]["expireAfterSeconds"] == 0


def test_it_is_recorded_without_the_address_or_the_token(alice: Person, inbox: Inbox) -> None:
    ask()
    token = inbox.token("alice@example.com")
    (row,) = collection(AuditEvent).find({})
    assert (row["event"], row["subject_id"]) == ("password_reset_requested", alice.principal.id)
    assert (row["address"], "details" in row) == ("127.0.0.1", False)
    assert token not in str(row)
    assert "alice" not in str(row)


def test_a_mail_server_that_is_away_shows_to_nobody_but_the_log(
    alice: Person, settings: Any, caplog: pytest.LogCaptureFixture, inbox: Inbox
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    with caplog.at_level(logging.INFO):
        assert ask().json() == ANSWER
        assert inbox.is_empty
    assert "Mail reset_password was not sent: ConnectionRefusedError" in caplog.text
    assert "alice" not in caplog.text
    assert "token=" not in caplog.text


def test_one_account_may_be_asked_for_five_times_an_hour(
    limits_on: None, alice: Person, inbox: Inbox
) -> None:
    assert [ask().status for _ in range(6)] == [202] * 5 + [429]
    assert ask("\uff21lice@example.com").status in {400, 429}, "another spelling is no way out"
    assert ask("nobody@example.com").status == 202, "another account is not blocked"
    assert len(inbox.of("alice@example.com")) == 5


def test_an_unknown_address_is_limited_like_a_known_one(limits_on: None) -> None:
    assert [ask("nobody@example.com").status for _ in range(6)] == [202] * 5 + [429]


def test_one_client_may_ask_twenty_times_an_hour(limits_on: None) -> None:
    statuses = [ask(f"nobody{number}@example.com").status for number in range(21)]
    assert statuses == [202] * 20 + [429]


def test_a_mailbox_gets_at_most_ten_links_an_hour_whoever_asks(
    limits_on: None, alice: Person, inbox: Inbox, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr("accounts.views.passwords.rate_limits.spend", lambda *_, **__: None)
    for _ in range(12):
        assert ask().json() == ANSWER
    assert len(inbox.of("alice@example.com")) == 10
    assert "Mail reset_password is not sent: too many" in caplog.text
    assert collection(User).count_documents({}) == 1
