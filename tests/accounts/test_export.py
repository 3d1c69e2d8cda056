"""GET /users/me/export and `manage.py export_user`: all that is stored about a user, no secrets."""

import json
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from mongoengine import Document

from accounts import lifecycle
from accounts.documents import ApiKey, AuditEvent, MailToken, RefreshFamily, User
from accounts.selectors import WITHHELD, exports
from accounts.services import AuditService, ExportService
from catalog.documents import ProductRow
from ecommerce.core.mongo import collection
from tests.client import PASSWORD, ApiClient, Person
from tests.inbox import Inbox
from tests.operations import recorded

DECIDED: dict[type[Document], set[str]] = {
    User: {
        "_id", "username", "username_key", "email", "email_key", "verified_email_key",
        "pending_email", "pending_email_key", "role", "is_staff", "is_active", "token_version",
        "ended_sessions", "kept_session", "erasing_at", "erasing_by", "erasing_event", "version",
        "created_at",
        "updated_at",
    },
    RefreshFamily: {
        "_id", "user_id", "token_version", "address", "user_agent", "used_at", "expires_at",
        "idle_expires_at", "revoked_at", "version", "created_at", "updated_at",
    },
    MailToken: {
        "user_id", "purpose", "email", "email_key", "token_version", "used_event",
        "expires_at", "created_at",
    },
    ApiKey: {
        "_id", "name", "prefix", "scopes", "created_by", "expires_at", "last_used_at", "revoked_at",
        "version", "created_at", "updated_at",
    },
    AuditEvent: {
        "_id", "event", "actor_id", "subject_id", "target", "address", "request_id", "details",
        "created_at",
    },
}  # fmt: skip
"""What a user is shown of themselves. A new field belongs here, or into WITHHELD."""


@pytest.mark.parametrize("document", DECIDED)
def test_of_every_field_it_is_decided_whether_it_is_exported(document: type[Document]) -> None:
    stored = set(document._db_field_map.values())
    assert DECIDED[document] | WITHHELD[document] == stored
    assert not DECIDED[document] & WITHHELD[document]
    assert not {name for name in DECIDED[document] if "hash" in name or "secret" in name}


def export(person: Person) -> Any:
    answer = person.api.get("/users/me/export")
    assert answer.status == 200
    return answer.json()


def test_it_holds_account_sessions_mails_carts_and_audit_entries(
    alice: Person, lamp: ProductRow
) -> None:
    items = {"items": [{"product_id": str(lamp["_id"]), "quantity": 2}]}
    cart = alice.api.post("/shopping-carts/", items)["id"]
    alice.api.patch("/users/me", {"email": "new@example.com"})
    ApiClient().form("/token", username="alice", password=PASSWORD)
    found = export(alice)
    assert found["account"]["id"] == alice.id
    assert (found["account"]["username"], found["account"]["email"]) == ("alice", "new@example.com")
    assert len(found["sessions"]) == 2
    assert [mail["email"] for mail in found["mails_under_way"]] == ["new@example.com"]
    assert [(one["id"], one["items"][0]["quantity"]) for one in found["shopping_carts"]] == [
        (cart, 2)
    ]
    events = [entry["event"] for entry in found["audit_events"]]
    assert {"email_changed", "user_exported"} <= set(events)
    assert datetime.fromisoformat(found["exported_at"]).tzinfo is not None


def test_every_registered_section_is_there_even_when_it_is_empty(alice: Person) -> None:
    own = {"exported_at", "account", "sessions", "mails_under_way", "api_keys", "audit_events"}
    assert export(alice).keys() == own | lifecycle._on_export.keys()
    assert "shopping_carts" in lifecycle._on_export


def test_it_holds_no_secret(alice: Person, inbox: Inbox) -> None:
    ApiClient().post("/password-reset", {"email": "alice@example.com"})
    token = inbox.token("alice@example.com")
    text = json.dumps(export(alice))
    stored = collection(User).find_one({"_id": alice.principal.id}) or {}
    family = collection(RefreshFamily).find_one({}) or {}
    mail = collection(MailToken).find_one({}) or {}
    secrets = [token, alice.tokens.refresh_token, alice.tokens.access_token, PASSWORD]
    for secret in [*secrets, stored["hashed_password"], family["current_hash"], mail["_id"]]:
        assert secret not in text


def test_it_is_read_in_parts_that_a_slow_client_may_take_any_time_over(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_BATCH", 2)
    for number in range(5):
        AuditService.record(f"event_{number}", subject_id=alice.principal.id)
    sections = dict(exports.stored_sections(alice.principal.id))
    with recorded() as seen:
        events = [row["event"] for row in sections["audit_events"]]
    assert events == [f"event_{number}" for number in range(5)]
    assert len(seen) == 4


def test_it_holds_nothing_of_anybody_else(alice: Person, bob: Person) -> None:
    bob.api.post("/shopping-carts/", {})
    bob.api.patch("/users/me", {"email": "bobby@example.com"})
    text = json.dumps(export(alice))
    assert bob.id not in text
    assert "bob" not in text


def test_of_what_staff_did_to_the_account_it_does_not_say_from_where(
    alice: Person, sam: Person
) -> None:
    office = ApiClient(sam.tokens.access_token, address="203.0.113.9")
    for active in (False, True):
        assert office.patch(f"/users/{alice.id}", {"is_active": active}).status == 200
    alice.api.token = ApiClient().form("/token", username="alice", password=PASSWORD)[
        "access_token"
    ]
    entries = {entry["event"]: entry for entry in export(alice)["audit_events"]}
    assert entries["user_deactivated"]["subject_id"] == alice.id
    assert "203.0.113.9" not in json.dumps(export(alice))
    assert entries["login"]["address"] == "127.0.0.1"
    assert "203.0.113.9" in json.dumps(export(sam))


def test_it_is_a_file_that_no_cache_keeps(alice: Person) -> None:
    headers = alice.api.get("/users/me/export").headers
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/users/me/export", "/users/me/export/"])
def test_it_is_for_the_user_alone(path: str, alice: Person, sam: Person, anyone: ApiClient) -> None:
    assert anyone.get(path).outcome == (401, "not_authenticated")
    assert alice.api.get(path).status == 200
    assert sam.api.get(path).json()["account"]["id"] == sam.id
    assert sam.api.get(f"/users/{alice.id}/export").status == 404
    assert alice.api.get(f"{path}?format=csv").outcome == (400, "validation_error")


def test_it_is_recorded(alice: Person) -> None:
    export(alice)
    (row,) = collection(AuditEvent).find({"event": "user_exported"})
    assert (row["actor_id"], row["subject_id"]) == (alice.principal.id, alice.principal.id)
    assert row["address"] == "127.0.0.1"


def test_it_is_limited(limits_on: None, alice: Person) -> None:
    assert [alice.api.get("/users/me/export").status for _ in range(11)] == [200] * 10 + [429]


def test_the_command_writes_the_same_for_the_operator(alice: Person, tmp_path: Path) -> None:
    file, out = tmp_path / "alice.json", StringIO()
    call_command("export_user", "Alice@example.com", str(file), stdout=out)
    assert out.getvalue() == f"All about alice is in {file}.\n"
    assert file.stat().st_mode & 0o077 == 0
    written, own = json.loads(file.read_text()), export(alice)
    assert written["account"] == own["account"]
    assert written.keys() == own.keys()
    (row,) = collection(AuditEvent).find({"event": "user_exported", "actor_id": None})
    assert row["subject_id"] == alice.principal.id


def test_the_command_writes_to_standard_output(
    alice: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("export_user", "alice")
    assert json.loads(capsys.readouterr().out)["account"]["username"] == "alice"


def test_an_unknown_user_is_a_sentence_and_no_file(alice: Person, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        call_command("export_user", "nobody", str(tmp_path / "x.json"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_others_could_read_is_closed_before_anything_is_written(
    alice: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, modes = tmp_path / "alice.json", []
    target.write_text("what was there before, and is longer than " + "x" * 10_000)
    target.chmod(0o644)

    def pieces(**_: Any) -> Any:
        modes.append(target.stat().st_mode & 0o777)
        yield b"{}"

    monkeypatch.setattr(ExportService, "export", pieces)
    call_command("export_user", "alice", str(target), stdout=StringIO())
    assert modes == [0o600]
    assert target.read_bytes() == b"{}"
