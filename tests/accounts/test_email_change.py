"""A new address by PUT or PATCH /users/{id}: the new one is confirmed, the old one is told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect

from accounts.documents import MAX_ENDED_SESSIONS, AuditEvent, MailToken, User
from accounts.services import emails, updates
from ecommerce.core.mongo import collection, utc_now
from tests.client import PASSWORD, Answer, ApiClient, Person
from tests.inbox import Inbox

OLD, NEW = "alice@example.com", "new@example.com"


@pytest.fixture
def verified_only(settings: Any) -> None:
    """A shop that lets only verified addresses in."""
    settings.REQUIRE_VERIFIED_EMAIL = True


def verify(token: str) -> Answer:
    return ApiClient().post("/users/verify-email", {"token": token})


def addresses(person: Person) -> tuple[str, bool, str | None]:
    me = person.api.get("/users/me").json()
    return me["email"], me["email_verified"], me["pending_email"]


def recorded(event: str) -> list[Any]:
    return list(collection(AuditEvent).find({"event": event}))


def test_it_replaces_the_address_at_once_and_is_to_be_confirmed(
    alice: Person, inbox: Inbox
) -> None:
    answer = alice.api.put("/users/me", {"username": "alice", "email": NEW})
    assert (answer.status, answer["email"], answer["email_verified"]) == (200, NEW, False)
    assert inbox.subjects(NEW) == ["E-commerce API: confirm your email address"]
    assert inbox.subjects(OLD) == ["E-commerce API: your email address was changed"]
    assert f"was {OLD} and is {NEW} now" in inbox.of(OLD)[0].body
    assert verify(inbox.token(NEW)).status == 204
    assert addresses(alice) == (NEW, True, None)


def test_it_is_recorded_without_the_addresses(alice: Person) -> None:
    alice.api.patch("/users/me", {"email": NEW})
    (row,) = recorded("email_changed")
    assert (row["actor_id"], row["subject_id"]) == (alice.principal.id, alice.principal.id)
    assert row["address"] == "127.0.0.1"
    assert "example.com" not in str(row)


@pytest.mark.parametrize("same", [OLD, "ALICE@example.com"])
def test_the_same_address_again_is_no_change(same: str, alice: Person, inbox: Inbox) -> None:
    answer = alice.api.put("/users/me", {"username": "alice", "email": same})
    assert (answer.status, answer["email_verified"]) == (200, True)
    assert inbox.is_empty
    assert recorded("email_changed") == []


def test_a_refused_change_mails_nobody(alice: Person, bob: Person, inbox: Inbox) -> None:
    assert alice.api.patch("/users/me", {"email": "BOB@example.com"}).status == 409
    assert alice.api.patch("/users/me", {"email": NEW}, If_Match='"v9"').status == 412
    assert bob.api.patch(f"/users/{alice.id}", {"email": NEW}).status == 404
    assert inbox.is_empty
    assert recorded("email_changed") == []
    assert addresses(alice) == (OLD, True, None)


def test_back_to_an_address_that_was_verified_needs_no_mail(alice: Person, inbox: Inbox) -> None:
    alice.api.patch("/users/me", {"email": NEW})
    alice.api.patch("/users/me", {"email": OLD})
    assert addresses(alice) == (OLD, True, None)
    assert verify(inbox.token(NEW)).outcome == (400, "invalid_mail_token")
    assert addresses(alice) == (OLD, True, None)


def test_each_of_parallel_changes_tells_the_address_that_it_replaced(
    alice: Person, inbox: Inbox
) -> None:
    wanted = [f"new{number}@example.com" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda email: alice.api.patch("/users/me", {"email": email}), wanted))
    told = [address for address in [OLD, *wanted] if any(
        subject.endswith("was changed") for subject in inbox.subjects(address)
    )]  # fmt: skip
    assert len(told) == 4
    assert set(told) == {OLD, *wanted} - {addresses(alice)[0]}


def test_where_addresses_are_required_the_old_one_stays_until_the_mail_is_answered(
    verified_only: None, alice: Person, inbox: Inbox
) -> None:
    answer = alice.api.put("/users/me", {"username": "alicia", "email": NEW})
    assert (answer.status, answer["username"]) == (200, "alicia")
    assert addresses(alice) == (OLD, True, NEW)
    assert inbox.subjects(NEW) == ["E-commerce API: confirm your new email address"]
    assert inbox.subjects(OLD) == ["E-commerce API: your email address is about to change"]
    assert recorded("email_changed") == []
    assert ApiClient().form("/token", username=OLD, password=PASSWORD).status == 200
    assert verify(inbox.token(NEW)).status == 204
    assert addresses(alice) == (NEW, True, None)
    assert len(recorded("email_changed")) == 1
    assert ApiClient().form("/token", username=NEW, password=PASSWORD).status == 200


def test_a_wanted_address_is_confirmed_once_and_not_used_up_by_a_fault(
    verified_only: None, alice: Person, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.api.patch("/users/me", {"email": NEW})
    token = inbox.token(NEW)
    with monkeypatch.context() as outage:
        outage.setattr(updates, "exchange", Mock(side_effect=AutoReconnect("away")))
        assert verify(token).outcome == (503, "store_unavailable")
    assert (addresses(alice), recorded("email_changed")) == ((OLD, True, NEW), [])
    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(lambda _: verify(token).status, range(8)))
    assert answers == [204] + [400] * 7
    assert addresses(alice) == (NEW, True, None)
    assert len(recorded("email_changed")) == 1


def test_the_present_address_again_takes_the_change_back(
    verified_only: None, alice: Person, inbox: Inbox
) -> None:
    alice.api.patch("/users/me", {"email": NEW})
    alice.api.put("/users/me", {"username": "alice", "email": OLD})
    assert addresses(alice) == (OLD, True, None)
    assert verify(inbox.token(NEW)).outcome == (400, "invalid_mail_token")
    assert addresses(alice) == (OLD, True, None)


def test_only_the_newest_wanted_address_can_be_confirmed(
    verified_only: None, alice: Person, inbox: Inbox
) -> None:
    alice.api.patch("/users/me", {"email": NEW})
    alice.api.patch("/users/me", {"email": "newer@example.com"})
    assert verify(inbox.token(NEW)).outcome == (400, "invalid_mail_token")
    assert verify(inbox.token("newer@example.com")).status == 204
    assert addresses(alice) == ("newer@example.com", True, None)


def test_the_link_to_a_wanted_address_is_sent_again(
    verified_only: None, alice: Person, inbox: Inbox
) -> None:
    alice.api.patch("/users/me", {"email": NEW})
    assert alice.api.post("/users/me/verify-email").status == 202
    assert len(inbox.of(NEW)) == 2


def end_every_session(how: str, alice: Person, sam: Person, inbox: Inbox) -> str:
    """Whatever does it; the password from then on."""
    new = "green-kettle-88"
    if how == "a password change":
        change = {"current_password": PASSWORD, "new_password": new}
        assert alice.api.post("/users/me/password", change).status == 200
    elif how == "a password change beside other fields":
        change = {"current_password": PASSWORD, "password": new}
        assert alice.api.patch("/users/me", change).status == 200
    elif how == "a reset":
        ApiClient().post("/password-reset", {"email": OLD})
        body = {"token": inbox.token(OLD), "new_password": new}
        assert ApiClient().post("/password-reset/confirm", body).status == 204
    else:
        new = PASSWORD
        assert end_them_with_the_password_as_it_is(how, alice, sam) in {200, 204}
    return new


def end_them_with_the_password_as_it_is(how: str, alice: Person, sam: Person) -> int:
    if how == "a deactivation":
        assert sam.api.patch(f"/users/{alice.id}", {"is_active": False}).status == 200
        return sam.api.patch(f"/users/{alice.id}", {"is_active": True}).status
    if how == "a log out everywhere else":
        return alice.api.delete("/users/me/sessions?except_current=true").status
    if how == "more log outs than are listed":
        until = utc_now() + timedelta(minutes=5)
        full = [{"session_id": ObjectId(), "until": until} for _ in range(MAX_ENDED_SESSIONS)]
        whose = {"_id": alice.principal.id}
        collection(User).update_one(whose, {"$set": {"ended_sessions": full}})
        session = alice.tokens.refresh_token.partition(".")[0]
        return alice.api.delete(f"/users/me/sessions/{session}").status
    return alice.api.delete("/users/me/sessions").status


@pytest.mark.parametrize(
    "how",
    [
        "a password change",
        "a password change beside other fields",
        "a reset",
        "a deactivation",
        "a log out everywhere",
        "a log out everywhere else",
        "more log outs than are listed",
    ],
)
def test_what_ends_every_session_takes_back_an_address_that_a_thief_asked_for(
    how: str, verified_only: None, alice: Person, sam: Person, inbox: Inbox
) -> None:
    before = alice.api.patch("/users/me", {"email": NEW})["version"]
    token = inbox.token(NEW)
    password = end_every_session(how, alice, sam, inbox)
    assert verify(token).outcome == (400, "invalid_mail_token")
    signed_in = ApiClient().form("/token", username=OLD, password=password)
    alice.api.token = signed_in["access_token"]
    assert addresses(alice) == (OLD, True, None)
    assert alice.api.get("/users/me")["version"] > before, "what it shows is another"
    assert alice.api.post("/users/me/verify-email").outcome == (409, "email_already_verified")
    assert len(inbox.of(NEW)) == 1
    assert recorded("email_changed") == []


def test_a_link_that_waits_to_be_mailed_is_not_sent_once_every_session_has_ended(
    verified_only: None, alice: Person, inbox: Inbox, held_mails: Callable[[], None]
) -> None:
    alice.api.patch("/users/me", {"email": NEW})
    assert alice.api.delete("/users/me/sessions").status == 204
    held_mails()
    assert inbox.of(NEW) == []
    assert collection(MailToken).find_one({}) is None


@pytest.mark.parametrize("must_be_verified", [False, True])
@pytest.mark.parametrize("ended", ["", "?except_current=true", "/{}"])
def test_a_change_that_is_under_way_when_its_session_ends_is_refused(
    ended: str,
    must_be_verified: bool,
    alice: Person,
    inbox: Inbox,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.REQUIRE_VERIFIED_EMAIL = must_be_verified
    owner = ApiClient(ApiClient().form("/token", username=OLD, password=PASSWORD)["access_token"])
    staged, session = emails.staged, alice.tokens.refresh_token.partition(".")[0]

    def late(email: str) -> Any:
        assert owner.delete(f"/users/me/sessions{ended.format(session)}").status == 204
        return staged(email)

    monkeypatch.setattr(emails, "staged", late)
    assert alice.api.patch("/users/me", {"email": NEW}).outcome == (401, "invalid_token")
    alice.api.token = ApiClient().form("/token", username=OLD, password=PASSWORD)["access_token"]
    assert addresses(alice) == (OLD, True, None)
    assert inbox.is_empty


def test_a_change_that_is_under_way_when_its_own_session_ends_the_others_is_made(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged = emails.staged

    def late(email: str) -> Any:
        assert alice.api.delete("/users/me/sessions?except_current=true").status == 204
        return staged(email)

    monkeypatch.setattr(emails, "staged", late)
    assert alice.api.patch("/users/me", {"email": NEW}).status == 200
    assert addresses(alice) == (NEW, False, None)


def test_who_sets_a_password_may_ask_for_an_address_with_it(
    verified_only: None, alice: Person, inbox: Inbox
) -> None:
    alice.api.patch("/users/me", {"email": "thief@example.com"})
    change = {"current_password": PASSWORD, "password": "green-kettle-88", "email": NEW}
    assert alice.api.patch("/users/me", change)["pending_email"] == NEW
    assert verify(inbox.token("thief@example.com")).outcome == (400, "invalid_mail_token")
    assert verify(inbox.token(NEW)).status == 204


def test_a_taken_address_is_refused_before_any_mail(
    verified_only: None, alice: Person, bob: Person, inbox: Inbox
) -> None:
    answer = alice.api.patch("/users/me", {"email": "Bob@example.com"})
    assert (answer.outcome, answer.pointers) == ((409, "duplicate_user"), ["/email"])
    assert inbox.is_empty
    assert addresses(alice) == (OLD, True, None)


def test_of_two_who_confirm_one_address_one_gets_it(
    verified_only: None, alice: Person, bob: Person, inbox: Inbox
) -> None:
    tokens = []
    for person in (alice, bob):
        assert person.api.patch("/users/me", {"email": NEW}).status == 200
        tokens.append(inbox.token(NEW))
    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(lambda token: verify(token).status, tokens))
    assert answers == [204, 409]
    assert sorted(row["email"] for row in collection(User).find({})) in (
        [OLD, NEW], ["bob@example.com", NEW],
    )  # fmt: skip


def test_no_more_than_ten_mails_an_hour_fill_somebodys_mailbox(
    limits_on: None, alice: Person, inbox: Inbox
) -> None:
    for number in range(15):
        alice.api.patch("/users/me", {"email": "victim@example.com"})
        alice.api.patch("/users/me", {"email": f"alice{number}@example.com"})
    links = [m for m in inbox.of("victim@example.com") if "#token=" in str(m.body)]
    assert len(links) == 10
