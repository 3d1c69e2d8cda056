"""`GET /audit-events/` and `manage.py audit`: who reads which part; no secret is in the log."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from bson import ObjectId
from django.core.management import CommandError, call_command

from accounts.documents import ApiKey, AuditEvent, RefreshFamily, User
from accounts.management.commands.audit import followed
from accounts.rules import Scope
from accounts.selectors import audit as audit_selectors
from accounts.selectors.audit import AuditFilter
from accounts.services import ApiKeyService, AuditService
from ecommerce.core.indexes import declared
from ecommerce.core.mongo import collection
from tests.client import PASSWORD, ApiClient, Person
from tests.commands import run
from tests.operations import recorded


def audit(*arguments: str) -> str:
    return run("audit", *arguments)


def at(moment: str, event: str = "login_failed", **known: Any) -> ObjectId:
    """An event of that moment."""
    when = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    tail = ObjectId().binary[4:]
    row_id = ObjectId(int(when.timestamp()).to_bytes(4, "big") + tail)
    row = {"_id": row_id, "event": event, "request_id": "-", "created_at": when, **known}
    collection(AuditEvent).insert_one(row)
    return row_id


def names(answer: Any) -> list[str]:
    return [item["event"] for item in answer["items"]]


def test_staff_reads_what_happened_newest_first(sam: Person, alice: Person) -> None:
    AuditService.record("login_failed", address="192.0.2.7")
    AuditService.record(
        "role_changed",
        actor_id=sam.principal.id,
        subject_id=alice.principal.id,
        target=f"users/{alice.id}",
        details={"from": "customer", "to": "staff"},
    )
    answer = sam.api.get("/audit-events/")
    newest, oldest = answer["items"]
    assert newest.pop("id")
    assert newest.pop("created_at")
    assert newest == {
        "event": "role_changed",
        "actor_id": sam.id,
        "subject_id": alice.id,
        "target": f"users/{alice.id}",
        "address": None,
        "request_id": "-",
        "details": {"from": "customer", "to": "staff"},
    }
    assert (oldest["event"], oldest["actor_id"], oldest["details"]) == ("login_failed", None, {})
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_only_staff_admins_and_keys_for_it_read_the_log(
    alice: Person, sam: Person, ada: Person, anyone: ApiClient
) -> None:
    _, text = ApiKeyService.create(
        name="SIEM", scopes=[Scope.AUDIT_READ], lifetime=timedelta(days=1)
    )
    assert anyone.get("/audit-events/").outcome == (401, "not_authenticated")
    assert alice.api.get("/audit-events/").outcome == (403, "permission_denied")
    for api in (sam.api, ada.api, ApiClient(authorization=f"Api-Key {text}")):
        assert names(api.get("/audit-events/")) == ["api_key_created"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_writes_the_log(method: str, ada: Person) -> None:
    at("2026-01-01T10:00:00")
    assert ada.api.send(method, "/audit-events/", {}).outcome == (405, "method_not_allowed")
    assert collection(AuditEvent).count_documents({}) == 1


def test_filters_narrow_the_list_and_all_must_match(
    sam: Person, alice: Person, bob: Person
) -> None:
    a, b = alice.principal.id, bob.principal.id
    at("2026-01-01T10:00:00", "one", actor_id=a, subject_id=a)
    at("2026-01-02T10:00:00", "two", actor_id=a, subject_id=b)
    at("2026-01-03T10:00:00", "one", actor_id=b)
    queries = {
        "": ["one", "two", "one"],
        "event=one": ["one", "one"],
        f"actor={a}": ["two", "one"],
        f"subject={b}": ["two"],
        f"event=one&actor={a}": ["one"],
        "event=three": [],
        "since=2026-01-02T10:00:00Z": ["one", "two"],
        "since=2026-01-02T10:00:00.001Z": ["one"],
        "until=2026-01-02T10:00:00Z": ["one"],
        "since=2026-01-02T12:00:00%2B02:00&until=2026-01-03T10:00:00Z": ["two"],
    }
    found = {query: names(sam.api.get(f"/audit-events/?{query}")) for query in queries}
    assert found == queries


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("event=No%20Such", "/event"),
        ("event=$ne", "/event"),
        ("actor=alice", "/actor"),
        ("subject[$ne]=x", "/subject[$ne]"),
        ("since=yesterday", "/since"),
        ("since=0001-01-01T00:00:00%2B23:59", "/since"),
        ("since=1969-12-31T00:00:00Z", "/since"),
        ("since=2026-01-0%D9%A1T00:00:00Z", "/since"),
        ("until=9999-12-31T23:59:59-23:59", "/until"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "/until"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-02T00:00:00Z", "/until"),
        ("page=2", "/page"),
        ("cursor=nonsense", "/cursor"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(query: str, pointer: str, sam: Person) -> None:
    answer = sam.api.get(f"/audit-events/?{query}")
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), [pointer])


def test_pages_hold_each_event_once_while_new_ones_come(sam: Person) -> None:
    made = [at(f"2026-01-01T10:00:0{n // 2}", f"event_{'abcdef'[n]}") for n in range(6)]
    page = sam.api.get("/audit-events/?limit=2&until=2026-02-01T00:00:00Z")
    seen = [item["id"] for item in page["items"]]
    at("2026-01-01T10:01:00")
    while page["next"]:
        page = sam.api.get(page["next"].removeprefix("http://testserver"))
        seen += [item["id"] for item in page["items"]]
    assert sorted(seen) == sorted(map(str, made))
    assert len(seen) == len(made)


def test_each_filter_has_an_index_that_gives_the_order_too(sam: Person) -> None:
    indexes = {index.keys for index in declared(AuditEvent)}
    for query, field in (("event=one", "event"), (f"actor={sam.id}", "actor_id"),
                         (f"subject={sam.id}", "subject_id")):  # fmt: skip
        with recorded() as seen:
            sam.api.get(f"/audit-events/?{query}")
        (operation,) = [o for o in seen if o.collection == "audit_events"]
        assert (field in operation.filter, operation.sort) == (True, (("_id", -1),))
        assert ((field, 1), ("_id", -1)) in indexes


def test_the_command_lists_oldest_first_by_name_and_time(alice: Person) -> None:
    AuditService.record("login_failed", subject_id=alice.principal.id, address="192.0.2.7")
    AuditService.record("role_changed", details={"to": "staff"})
    at("2020-01-01T10:00:00", "long_ago")
    events = [line.split()[2] for line in audit().splitlines()]
    assert events == ["login_failed", "role_changed"]
    assert [line.split()[2] for line in audit("--since", "2020-01-01").splitlines()] == [
        "long_ago", "login_failed", "role_changed",
    ]  # fmt: skip
    (line,) = audit("--subject", "alice").splitlines()
    assert line.endswith(f"subject={alice.id} address=192.0.2.7")
    (line,) = audit("--event", "role_changed", "--json").splitlines()
    assert json.loads(line)["details"] == {"to": "staff"}
    assert audit("--until", "1990-01-01", "--since", "1980-01-01") == ""


def test_where_nothing_matches_it_says_so_beside_the_output() -> None:
    out, err = StringIO(), StringIO()
    call_command("audit", "--event", "nonsense", "--json", stdout=out, stderr=err)
    assert out.getvalue() == ""
    assert err.getvalue().startswith("No event matches: look at --event,")


@pytest.mark.parametrize("moment", ["yesterday", "1d2h", "1900-01-01", "0001-01-01", "d", ""])
def test_a_moment_that_is_none_is_explained(moment: str) -> None:
    with pytest.raises(CommandError, match="say 30m, 2h, 7d"):
        audit("--since", moment)


def test_an_entry_cannot_write_lines_or_commands_of_its_own_to_the_terminal() -> None:
    AuditService.record("odd", target="users/1\n2026 forged", details={"x": "\x1b[2J"})
    (line,) = audit().splitlines()
    assert "\x1b" not in line
    assert "users/1\N{REPLACEMENT CHARACTER}2026 forged" in line


def test_following_shows_each_event_once_as_it_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    AuditService.record("first")
    pauses: Iterator[str] = iter(["second", "third"])

    def pause(_: float) -> None:
        AuditService.record(next(pauses))

    monkeypatch.setattr("accounts.management.commands.audit.time.sleep", pause)
    events = followed(AuditFilter())
    assert [next(events)["event"] for _ in range(3)] == ["first", "second", "third"]


def test_following_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("accounts.management.commands.audit.time.sleep", interrupted)
    with pytest.raises(CommandError, match="Stopped"):
        audit("--follow")


def test_no_entry_holds_a_secret(
    alice: Person, sam: Person, anyone: ApiClient, capsys: pytest.CaptureFixture[str]
) -> None:
    new = "green-kettle-88"
    anyone.form("/token", username="alice", password="wrong-kettle-99")
    pair = anyone.form("/token", username="alice", password=PASSWORD).json()
    renewed = anyone.form(
        "/token", grant_type="refresh_token", refresh_token=pair["refresh_token"]
    ).json()
    anyone.form("/token", grant_type="refresh_token", refresh_token=pair["refresh_token"])
    anyone.form("/token/revoke", token=renewed["refresh_token"])
    alice.api.patch("/users/me", {"password": new, "current_password": PASSWORD})
    _, key = ApiKeyService.create(
        name="Robot", scopes=[Scope.USERS_READ], lifetime=timedelta(days=1)
    )
    call_command("users", "promote", "alice", stdout=StringIO())
    sam.api.patch(f"/users/{alice.id}", {"is_active": False})
    text = "".join(repr(row) for row in collection(AuditEvent).find({}))
    assert "api_key_created" in text
    tokens = [pair["access_token"], pair["refresh_token"], renewed["refresh_token"]]
    hashes = [
        str(value)
        for document in (User, RefreshFamily, ApiKey)
        for row in collection(document).find({})
        for name, value in row.items()
        if "hash" in name or "password" in name
    ]
    secrets = [PASSWORD, new, "wrong-kettle-99", key.partition(".")[2], *hashes]
    secrets += [token.rpartition(".")[2] for token in tokens]
    assert len(hashes) >= 3
    assert [secret for secret in secrets if secret in text] == []


def test_the_command_reads_a_long_log_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_selectors, "_BATCH", 2)
    events = [at(f"2026-01-0{day}T00:00:00", f"event_{day}") for day in range(1, 6)]
    with recorded() as seen:
        found = [row["_id"] for row in audit_selectors.audit_events(AuditFilter())]
    assert found == events
    assert [operation.kind for operation in seen] == ["find"] * 4
