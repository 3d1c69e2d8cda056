"""/users/{id}/sessions: who is signed in where, and ending that."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from django.test import Client

from accounts.documents import MAX_ENDED_SESSIONS, AuditEvent, RefreshFamily, User
from accounts.services.sessions import end_session
from ecommerce.core.mongo import collection, utc_now
from tests.client import PASSWORD, ApiClient, Person
from tests.operations import recorded

MINE = "/users/me/sessions"
NOBODY = "/users/" + "0" * 24


def sign_in(device: str = "", address: str = "127.0.0.1") -> ApiClient:
    """Another session of alice."""
    api = ApiClient(device=device, address=address)
    api.token = api.form("/token", username="alice", password=PASSWORD)["access_token"]
    return api


def session_of(person: Person) -> str:
    return person.tokens.refresh_token.partition(".")[0]


def stored(person: Person) -> dict[str, Any]:
    row = collection(User).find_one({"_id": person.principal.id})
    assert row is not None
    return row


def test_each_login_is_a_session_with_its_device_address_and_times(alice: Person) -> None:
    phone = sign_in("Phone/1.0", "192.0.2.7")
    answer = phone.get(MINE)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
    newest, oldest = answer["items"]
    assert newest.keys() == {
        "id", "device", "address", "created_at", "last_used_at", "expires_at", "current",
    }  # fmt: skip
    assert (newest["device"], newest["address"]) == ("Phone/1.0", "192.0.2.7")
    assert (newest["current"], oldest["current"]) == (True, False)
    assert oldest["id"] == session_of(alice)
    assert newest["created_at"] == newest["last_used_at"]


def test_a_session_shows_where_it_was_last_used(alice: Person) -> None:
    phone = ApiClient(device="Phone/2.0", address="192.0.2.8")
    form = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    assert phone.form("/token", **form).status == 200
    (session,) = alice.api.get(MINE)["items"]
    assert (session["device"], session["address"]) == ("Phone/2.0", "192.0.2.8")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("x" * 500, "x" * 200), ("a\x1b[31mb\x7f\u0085c", "a[31mbc"), ("", "")],
)
def test_a_device_is_shown_without_what_cannot_be_printed(
    sent: str, kept: str, alice: Person
) -> None:
    assert sign_in(sent).get(MINE)["items"][0]["device"] == kept


@pytest.mark.parametrize("field", ["expires_at", "idle_expires_at", "revoked_at"])
def test_what_has_ended_is_not_listed(field: str, alice: Person) -> None:
    past = utc_now() - timedelta(seconds=1)
    collection(RefreshFamily).update_many({}, {"$set": {field: past}})
    assert alice.api.get(MINE)["items"] == []


def test_an_ended_session_is_out_at_the_next_call(alice: Person) -> None:
    phone = sign_in()
    assert phone.delete(f"{MINE}/{session_of(alice)}").status == 204
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")
    form = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    assert phone.form("/token", **form).outcome == (400, "invalid_grant")
    assert [s["current"] for s in phone.get(MINE)["items"]] == [True]
    assert phone.delete(f"{MINE}/{session_of(alice)}").outcome == (404, "session_not_found")


def test_a_call_still_reads_its_user_once_and_nothing_else(alice: Person) -> None:
    sign_in().delete(f"{MINE}/{session_of(alice)}")
    with recorded() as seen:
        assert alice.api.post("/shopping-carts/", {}).status == 401
    assert [f"{operation.collection}.{operation.kind}" for operation in seen] == ["users.find"]


def test_signing_out_changes_nothing_that_the_user_shows(alice: Person) -> None:
    before = alice.api.get("/users/me")
    phone = sign_in()
    phone.delete(f"{MINE}/{session_of(alice)}")
    after = phone.get("/users/me")
    assert (after.json(), after.headers["ETag"]) == (before.json(), before.headers["ETag"])


def test_all_sessions_end_with_the_callers_own(alice: Person, anyone: ApiClient) -> None:
    phone = sign_in()
    assert phone.delete(MINE).status == 204
    for api in (phone, alice.api):
        assert api.get("/users/me").outcome == (401, "invalid_token")
    form = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    assert anyone.form("/token", **form).outcome == (400, "invalid_grant")
    assert len(sign_in().get(MINE)["items"]) == 1, "and who signs in again is in"


def test_all_but_the_callers_own_end(alice: Person, anyone: ApiClient) -> None:
    phone = sign_in()
    assert alice.api.delete(f"{MINE}?except_current=true").status == 204
    assert phone.get("/users/me").outcome == (401, "invalid_token")
    assert [s["id"] for s in alice.api.get(MINE)["items"]] == [session_of(alice)]
    form = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    renewed = anyone.form("/token", **form)
    assert anyone.get("/users/me", Authorization=f"Bearer {renewed['access_token']}").status == 200
    assert alice.api.delete(f"{MINE}?except_current=true").status == 204, "and once more"
    assert alice.api.get("/users/me").status == 200


def test_a_session_that_was_kept_can_be_ended(alice: Person) -> None:
    alice.api.delete(f"{MINE}?except_current=true")
    assert alice.api.delete(f"{MINE}/{session_of(alice)}").status == 204
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")


@pytest.mark.parametrize("how", ["password", "all", "deactivated"])
def test_a_session_that_was_kept_ends_with_all_others(
    how: str, alice: Person, sam: Person, ada: Person
) -> None:
    alice.api.delete(f"{MINE}?except_current=true")
    if how == "password":
        body = {"password": "new-horse-99", "current_password": PASSWORD}
        assert alice.api.patch("/users/me", body).status == 200
    elif how == "all":
        assert ada.api.delete(f"/users/{alice.id}/sessions").status == 204
    else:
        sam.api.patch(f"/users/{alice.id}", {"is_active": False})
        sam.api.patch(f"/users/{alice.id}", {"is_active": True})
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")


def test_the_list_of_ended_sessions_forgets_those_whose_tokens_expired(alice: Person) -> None:
    phone = sign_in()
    phone.delete(f"{MINE}/{session_of(alice)}")
    past = utc_now() - timedelta(seconds=1)
    collection(User).update_one(
        {"_id": alice.principal.id}, {"$set": {"ended_sessions.0.until": past}}
    )
    tablet = sign_in()
    tablet.delete(f"{MINE}/{phone.get(MINE)['items'][1]['id']}")
    assert len(stored(alice)["ended_sessions"]) == 1


def test_one_more_than_the_list_holds_ends_all(alice: Person) -> None:
    other, keeper = sign_in(), sign_in()
    until = utc_now() + timedelta(minutes=5)
    ended = [{"session_id": number, "until": until} for number in range(MAX_ENDED_SESSIONS)]
    collection(User).update_one({"_id": alice.principal.id}, {"$set": {"ended_sessions": ended}})
    assert other.delete(f"{MINE}/{session_of(alice)}").status == 204
    for api in (alice.api, other, keeper):
        assert api.get("/users/me").outcome == (401, "invalid_token")
    assert stored(alice)["token_version"] == 1
    assert "ended_sessions" not in stored(alice)


@pytest.mark.parametrize("at_first", [MAX_ENDED_SESSIONS, 0])
def test_a_session_is_out_though_the_list_changes_while_it_is_ended(
    at_first: int, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = utc_now() + timedelta(minutes=5)
    whose = {"_id": alice.principal.id}

    def listed(count: int) -> None:
        ended = [{"session_id": ObjectId(), "until": until} for _ in range(count)]
        collection(User).update_one(whose, {"$set": {"ended_sessions": ended}})

    class Moving:
        """The list is full for the look for room, and has room for the look for none."""

        def __init__(self) -> None:
            self.seen = 0

        def update_one(self, where: Any, change: Any) -> Any:
            self.seen += 1
            if self.seen in {2, 3}:  # the first one prunes
                listed(MAX_ENDED_SESSIONS if self.seen == 2 else 0)
            return collection(User).update_one(where, change)

    moving = Moving()
    monkeypatch.setattr(
        "accounts.services.sessions.collection",
        lambda kind: moving if kind is User else collection(kind),
    )
    listed(at_first)
    assert end_session(ObjectId(session_of(alice)), event="session_ended", address="192.0.2.1")
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")


Call = Callable[[ApiClient, str, str], Any]


@pytest.mark.parametrize(
    "call",
    [
        lambda api, user, session: api.get(f"/users/{user}/sessions"),
        lambda api, user, session: api.delete(f"/users/{user}/sessions"),
        lambda api, user, session: api.delete(f"/users/{user}/sessions/{session}"),
    ],
)
def test_a_stranger_sees_nothing_and_ends_nothing(
    call: Call, alice: Person, bob: Person, anyone: ApiClient
) -> None:
    before = list(collection(RefreshFamily).find({}))
    assert call(bob.api, alice.id, session_of(alice)).outcome == (404, "user_not_found")
    assert call(anyone, alice.id, session_of(alice)).outcome == (401, "not_authenticated")
    assert call(bob.api, "nonsense", session_of(alice)).outcome == (404, "user_not_found")
    assert list(collection(RefreshFamily).find({})) == before
    assert alice.api.get("/users/me").status == 200


@pytest.mark.parametrize("session", ["nonsense", "0" * 24, "me"])
def test_a_session_that_is_not_there_is_404(session: str, alice: Person) -> None:
    assert alice.api.delete(f"{MINE}/{session}").outcome == (404, "session_not_found")


def test_a_session_of_somebody_else_is_not_under_me(alice: Person, bob: Person) -> None:
    answer = bob.api.delete(f"{MINE}/{session_of(alice)}")
    assert answer.outcome == (404, "session_not_found")
    assert alice.api.get("/users/me").status == 200


def test_staff_sees_sessions_of_others_and_an_admin_ends_them(
    alice: Person, sam: Person, ada: Person
) -> None:
    theirs = f"/users/{alice.id}/sessions"
    (session,) = sam.api.get(theirs)["items"]
    assert (session["id"], session["current"]) == (session_of(alice), False)
    for path in (theirs, f"{theirs}/{session['id']}"):
        assert sam.api.delete(path).outcome == (403, "admin_only")
    assert alice.api.get("/users/me").status == 200
    assert ada.api.delete(f"{theirs}/{session['id']}").status == 204
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")
    assert ada.api.get("/users/me").status == 200
    assert sam.api.get(f"{NOBODY}/sessions").outcome == (404, "user_not_found")
    assert ada.api.delete(f"{NOBODY}/sessions").outcome == (404, "user_not_found")


@pytest.mark.parametrize("path", ["", "/{session}"])
def test_an_admin_ends_no_session_of_another_admin(
    path: str, make_person: Callable[[str], Person], ada: Person
) -> None:
    other = make_person("sam")
    collection(User).update_one({"_id": other.principal.id}, {"$set": {"role": "admin"}})
    theirs = f"/users/{other.id}/sessions{path.format(session=session_of(other))}"
    assert ada.api.delete(theirs).outcome == (403, "same_or_higher_role")
    assert other.api.get("/users/me").status == 200
    assert list(collection(AuditEvent).find({})) == []


def test_except_current_spares_the_session_of_the_pages_that_asks(alice: Person) -> None:
    here, elsewhere = Client(), Client()
    for browser in (here, elsewhere):
        fields = {"username": "alice", "password": PASSWORD}
        assert browser.post("/auth/login/", fields).status_code == 302
    assert here.delete(f"{MINE}?except_current=true").status_code == 204
    json = "application/json"
    assert here.get("/users/me", headers={"Accept": json}).status_code == 200
    assert elsewhere.get("/users/me", headers={"Accept": json}).status_code == 401
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")
    assert here.delete(MINE).status_code == 204
    assert here.get("/users/me", headers={"Accept": json}).status_code == 401


def test_except_current_spares_no_session_of_somebody_else(alice: Person, ada: Person) -> None:
    assert ada.api.delete(f"/users/{alice.id}/sessions?except_current=true").status == 204
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")
    assert ada.api.get("/users/me").status == 200


@pytest.mark.parametrize("query", ["?except_current=perhaps", "?other=1"])
def test_a_wrong_query_is_400_and_ends_nothing(query: str, alice: Person) -> None:
    assert alice.api.delete(f"{MINE}{query}").outcome == (400, "validation_error")
    assert alice.api.get("/users/me").status == 200


def test_ending_is_recorded_with_who_did_it(alice: Person, ada: Person) -> None:
    ada.api.delete(f"/users/{alice.id}/sessions/{session_of(alice)}")
    ada.api.delete(f"/users/{alice.id}/sessions")
    one, every = collection(AuditEvent).find({}).sort("_id", 1)
    for event in (one, every):
        assert event["event"] == "session_ended"
        assert event["actor_id"] == ada.principal.id
        assert event["subject_id"] == alice.principal.id
        assert event["address"] == "127.0.0.1"
    assert one["target"] == f"users/{alice.id}/sessions/{session_of(alice)}"
    assert every["details"] == {"all": True, "except_current": False}


def test_the_list_comes_in_pages(alice: Person) -> None:
    sign_in()
    page = alice.api.get(f"{MINE}?limit=1&count=true")
    assert (len(page["items"]), page["count"]) == (1, 2)
    rest = alice.api.get(page["next"].removeprefix("http://testserver"))
    assert [s["id"] for s in rest["items"]] == [session_of(alice)]
