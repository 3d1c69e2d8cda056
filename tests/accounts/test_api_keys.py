"""API keys: what a machine may with one, how it ends, and that nobody finds it in the store."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.documents import ApiKey, AuditEvent
from accounts.errors import ApiKeyExpiredError, ApiKeyNotFoundError
from accounts.rules import Scope
from accounts.services import ApiKeyService
from accounts.services.audit import AuditService
from catalog.documents import Product, ProductRow
from ecommerce.core.mongo import collection, utc_now
from tests.client import Answer, ApiClient, Person
from tests.commands import run
from tests.operations import recorded

PRODUCT = {"name": "Chair", "price": "20.00"}


def api_keys(*arguments: str) -> str:
    return run("api_keys", *arguments, stderr=StringIO())


def make(*scopes: Scope, lifetime: timedelta = timedelta(days=1)) -> str:
    _, text = ApiKeyService.create(name="Robot", scopes=scopes, lifetime=lifetime)
    return text


def machine(text: str) -> ApiClient:
    """A client that sends the key."""
    return ApiClient(authorization=f"Api-Key {text}")


def row() -> dict[str, Any]:
    (only,) = collection(ApiKey).find({})
    return only


def recorded_events() -> list[str]:
    return [entry["event"] for entry in collection(AuditEvent).find({}).sort([("_id", 1)])]


def set_row(**values: object) -> None:
    collection(ApiKey).update_one({}, {"$set": values})


def test_a_key_writes_the_catalog_with_its_scope_and_not_without() -> None:
    assert machine(make(Scope.CATALOG_WRITE)).post("/products/", PRODUCT).status == 201
    others = [scope for scope in Scope if scope is not Scope.CATALOG_WRITE]
    answer = machine(make(*others)).post("/products/", PRODUCT)
    assert answer.outcome == (403, "permission_denied")
    assert answer["detail"] == (
        "This is for staff and admins, and API keys with `catalog:write` only."
    )
    assert collection(Product).count_documents({}) == 1


def test_the_scheme_is_written_in_any_case_and_a_bearer_token_is_no_key(alice: Person) -> None:
    text = make(Scope.USERS_READ)
    for scheme in ("Api-Key", "api-key", "API-KEY"):
        assert ApiClient(authorization=f"{scheme} {text}").get("/users/").status == 200
    assert ApiClient(text).get("/users/").outcome == (401, "invalid_token")
    assert machine(alice.tokens.access_token).get("/users/me").outcome == (401, "invalid_api_key")


def test_drafts_are_for_keys_that_read_the_catalog(make_product: Any) -> None:
    draft = make_product(status="draft")
    path = f"/products/{draft['_id']}"
    assert machine(make(Scope.CATALOG_READ)).get(path)["status"] == "draft"
    assert machine(make(Scope.CATALOG_WRITE)).get(path).outcome == (404, "product_not_found")


def test_a_key_moves_stock_in_its_own_name(lamp: ProductRow, sam: Person) -> None:
    path = f"/products/{lamp['_id']}/stock"
    answer = machine(make(Scope.STOCK_WRITE)).post(path, {"delta": -3, "reason": "sold"})
    assert (answer.status, answer["quantity"]) == (200, 7)
    assert sam.api.get(path)["items"][0]["by"] == str(row()["_id"])


def test_a_key_reads_every_cart_and_account_but_is_nobody_itself(alice: Person) -> None:
    cart = alice.api.post("/shopping-carts/", {})["id"]
    robot = machine(make(*Scope))
    assert robot.get(f"/shopping-carts/{cart}")["user_id"] == alice.id
    assert robot.get(f"/users/{alice.id}")["username"] == "alice"
    assert robot.get("/users/me").outcome == (404, "user_not_found")
    for answer in (
        robot.patch("/users/me", {"username": "robot"}),
        robot.patch(f"/users/{alice.id}", {"is_active": False}),
        robot.delete(f"/users/{alice.id}"),
    ):
        assert answer.outcome == (403, "permission_denied")
    for answer in (
        robot.delete(f"/shopping-carts/{cart}"),
        robot.put(f"/shopping-carts/{cart}", {"items": []}),
    ):
        assert answer.outcome == (404, "cart_not_found")
    assert [row["id"] for row in robot.get("/shopping-carts/")["items"]] == [cart]
    assert robot.post("/shopping-carts/", {})["user_id"] is None, "as any guest may"
    assert alice.api.get(f"/shopping-carts/{cart}")["version"] == 1


def refused(text: str) -> Answer:
    answer = machine(text).get("/users/")
    assert answer.outcome == (401, "invalid_api_key")
    return answer


def test_wrong_revoked_and_expired_look_the_same() -> None:
    text = make(Scope.USERS_READ)
    prefix, _, secret = text.partition(".")
    bad = [
        refused(f"{prefix}.{'x' * 43}"),
        refused(f"shop_{'0' * 12}.{secret}"),
        refused("nonsense"),
        refused(""),
        refused(f"{text}x"),
        refused(f"{prefix}.{row()['secret_hash']}"),
        refused('{"$ne": ""}'),
    ]
    ApiKeyService.revoke(prefix=prefix)
    bad.append(refused(text))
    expired = make(Scope.USERS_READ, lifetime=timedelta(0))
    bad.append(refused(expired))
    said = [{k: v for k, v in b.json().items() if k != "request_id"} for b in bad]
    assert said == [said[0]] * len(said)
    assert bad[0].headers["WWW-Authenticate"] == 'Bearer realm="api", Api-Key realm="api"'


def test_a_bad_key_is_refused_where_nobody_needs_one(anyone: ApiClient) -> None:
    assert machine("nonsense").get("/products/").outcome == (401, "invalid_api_key")


def test_the_store_holds_a_hash_and_the_prefix_that_finds_it() -> None:
    prefix, _, secret = make(Scope.CATALOG_READ).partition(".")
    stored = row()
    assert len(secret) == 43, "256 bits"
    assert stored["prefix"] == prefix
    assert stored["secret_hash"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in repr(stored)


def test_a_call_reads_the_key_once_and_notes_its_use_once_a_minute(alice: Person) -> None:
    robot = machine(make(Scope.USERS_READ))

    def asked() -> list[str]:
        with recorded() as seen:
            assert robot.get(f"/users/{alice.id}").status == 200
        return [f"{operation.collection}.{operation.kind}" for operation in seen]

    assert asked() == ["api_keys.find", "api_keys.update", "users.find"]
    assert asked() == ["api_keys.find", "users.find"]
    used = row()["last_used_at"]
    set_row(last_used_at=used - timedelta(seconds=61))
    assert asked() == ["api_keys.find", "api_keys.update", "users.find"]
    assert row()["last_used_at"] >= used
    assert row()["version"] == 1


def test_of_parallel_first_calls_all_are_answered() -> None:
    text = make(Scope.USERS_READ)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: machine(text).get("/users/").status, range(8)))
    assert statuses == [200] * 8
    assert row()["last_used_at"] <= utc_now()


def test_a_scope_that_the_product_does_not_know_any_more_opens_nothing() -> None:
    text = make(Scope.USERS_READ)
    set_row(scopes=["users:read", "orders:write"])
    assert machine(text).get("/users/").status == 200
    set_row(scopes=["orders:write"])
    assert machine(text).get("/users/").status == 403


def test_a_key_has_limits_of_its_own(limits_on: None) -> None:
    first, second = machine(make(Scope.CATALOG_WRITE)), machine(make(Scope.CATALOG_WRITE))
    remaining = [
        robot.post("/products/", {}).headers["RateLimit"] for robot in (first, first, second)
    ]
    assert [text.split(";")[1] for text in remaining] == ["r=299", "r=298", "r=299"]


def test_the_command_makes_a_key_and_shows_it_once(ada: Person) -> None:
    text = api_keys("create", "Feed", "--scope", "users:read", "--days", "30", "--by", "ada")
    assert machine(text.strip()).get("/users/").status == 200
    stored = row()
    assert stored["created_by"] == ada.principal.id
    assert (stored["expires_at"] - stored["created_at"]).days in {29, 30}
    secret = text.strip().partition(".")[2]
    for shown in (api_keys("list"), api_keys("list", "--json"), api_keys("show", stored["prefix"])):
        assert stored["prefix"] in shown
        assert "Feed" in shown
        assert "users:read" in shown
        assert secret not in shown
        assert stored["secret_hash"] not in shown


def test_only_an_admin_is_named_as_the_one_who_asks(sam: Person) -> None:
    with pytest.raises(CommandError, match="Only an admin"):
        api_keys("create", "Feed", "--scope", "users:read", "--by", "sam")
    assert collection(ApiKey).count_documents({}) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "Feed"),
        ("create", "Feed", "--scope", "everything"),
        ("create", "Feed", "--scope", "users:read", "--days", "0"),
        ("create", "Feed", "--scope", "users:read", "--days", "3651"),
        ("create", " ", "--scope", "users:read"),
        ("create", "two\nlines", "--scope", "users:read"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        api_keys(*arguments)
    assert collection(ApiKey).count_documents({}) == 0


def test_a_rotated_key_has_another_secret_at_once() -> None:
    old = make(Scope.USERS_READ)
    new = api_keys("rotate", old.partition(".")[0], "--yes").strip()
    refused(old)
    assert machine(new).get("/users/").status == 200
    assert row()["version"] == 2


def test_a_revoked_key_is_out_at_the_next_call_and_stays_out() -> None:
    text = make(Scope.USERS_READ)
    prefix, robot = text.partition(".")[0], machine(text)
    assert robot.get("/users/").status == 200
    assert api_keys("revoke", prefix, "--yes") == f"Robot ({prefix}) is revoked.\n"
    assert robot.get("/users/").outcome == (401, "invalid_api_key")
    for action in ("rotate", "revoke"):
        with pytest.raises(CommandError, match="There is no living API key"):
            api_keys(action, prefix, "--yes")
        with pytest.raises(ApiKeyNotFoundError):
            getattr(ApiKeyService, action)(prefix=prefix)
    assert "revoked" in api_keys("list")
    assert recorded_events() == ["api_key_created", "api_key_revoked"]


def test_an_expired_key_gets_no_other_secret_which_could_never_work() -> None:
    prefix = make(Scope.USERS_READ, lifetime=timedelta(0)).partition(".")[0]
    before = row()
    with pytest.raises(CommandError) as refused:
        api_keys("rotate", prefix)
    assert str(refused.value) == f"The API key {prefix!r} has expired: create another."
    with pytest.raises(ApiKeyExpiredError):
        ApiKeyService.rotate(prefix=prefix)
    assert (row(), recorded_events()) == (before, ["api_key_created"])
    assert api_keys("revoke", prefix, "--yes") == f"Robot ({prefix}) is revoked.\n"


def test_a_key_that_expires_while_it_is_rotated_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prefix = make(Scope.USERS_READ).partition(".")[0]
    record = AuditService.record

    def expiring(event: str, **facts: Any) -> None:
        record(event, **facts)
        set_row(expires_at=utc_now())

    monkeypatch.setattr(AuditService, "record", expiring)
    with pytest.raises(ApiKeyExpiredError):
        ApiKeyService.rotate(prefix=prefix)
    assert row()["version"] == 1


def test_revoking_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    text = make(Scope.USERS_READ)
    monkeypatch.setattr("builtins.input", lambda: "n")
    with pytest.raises(CommandError, match="Nothing was changed"):
        api_keys("revoke", text.partition(".")[0])
    assert machine(text).get("/users/").status == 200


def test_a_key_that_goes_into_a_file_has_no_question_before_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    prefix = make(Scope.USERS_READ).partition(".")[0]
    monkeypatch.setattr("sys.stdin", StringIO("y\n"))
    call_command("api_keys", "rotate", prefix)
    out, asked = capfd.readouterr()
    assert machine(out.removesuffix("\n")).get("/users/").status == 200
    assert asked.startswith("Robot will get another secret; the present one ends at once. Go on?")


def test_the_list_says_which_keys_are_active() -> None:
    make(Scope.USERS_READ, lifetime=timedelta(0))
    make(Scope.USERS_READ)
    assert [line.split()[1] for line in api_keys("list").splitlines()] == ["active", "expired"]
    assert {json.loads(line)["name"] for line in api_keys("list", "--json").splitlines()} == {
        "Robot"
    }


def test_what_is_done_to_keys_is_in_the_audit_log(ada: Person) -> None:
    text = api_keys("create", "Feed", "--scope", "users:read", "--by", "ada").strip()
    prefix = text.partition(".")[0]
    new = api_keys("rotate", prefix, "--yes").strip()
    api_keys("revoke", prefix, "--yes")
    rows = list(collection(AuditEvent).find({}).sort([("_id", 1)]))
    assert [entry["event"] for entry in rows] == [
        "api_key_created", "api_key_rotated", "api_key_revoked",
    ]  # fmt: skip
    assert {entry["target"] for entry in rows} == {f"api-keys/{prefix}"}
    assert rows[0]["actor_id"] == ada.principal.id
    assert rows[0]["details"] == {"name": "Feed", "scopes": "users:read"}
    for secret in (text.partition(".")[2], new.partition(".")[2]):
        assert secret not in repr(rows)
