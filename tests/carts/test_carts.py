"""/shopping-carts/: making, reading, replacing and deleting carts."""

from collections.abc import Callable
from typing import Any

import pytest

from carts.documents import ShoppingCart
from carts.services import checks
from catalog.documents import ProductRow
from ecommerce.core.mongo import collection
from tests.carts.items import MakeProduct, item
from tests.client import ApiClient, Person


@pytest.mark.parametrize("path", ["/shopping-carts/", "/shopping-carts"])
@pytest.mark.parametrize("body", [None, {}, {"items": []}])
def test_a_customer_starts_an_empty_cart(path: str, body: Any, alice: Person) -> None:
    answer = alice.api.post(path, body)
    assert answer.status == 201
    assert answer.json().items() >= {
        "user_id": alice.id, "items": [], "total_quantity": 0, "subtotal": 0, "currency": "USD",
        "version": 1,
    }.items()  # fmt: skip
    assert answer.headers["Location"] == f"http://testserver/shopping-carts/{answer['id']}"


def test_a_cart_shows_lines_with_totals(make_product: MakeProduct, alice: Person) -> None:
    lamp, mug = make_product(), make_product(name="Mug", price_minor=333, quantity=2)
    answer = alice.api.post("/shopping-carts/", {"items": [item(lamp, 2), item(mug, 2)]})
    assert answer["items"][0] == {
        "product_id": str(lamp["_id"]), "sku": None, "options": {}, "quantity": 2, "note": "",
        "attributes": {}, "name": "Lamp", "unit_price": 19.99, "line_total": 39.98,
        "price_at_add": 19.99, "price_changed": False, "available": True, "problem": None,
        "problems": [],
    }  # fmt: skip
    assert (answer["total_quantity"], answer["subtotal"]) == (4, 46.64)
    assert alice.api.get(f"/shopping-carts/{answer['id']}").json() == answer.json()


def test_the_largest_cart_has_an_exact_total(make_product: MakeProduct, alice: Person) -> None:
    products = [make_product(price_minor=9_999_999_999, quantity=999) for _ in range(100)]
    answer = alice.api.post("/shopping-carts/", {"items": [item(p, 999) for p in products]})
    assert b'"subtotal":9989999999001.0,' in answer.body


def test_the_owner_may_name_themselves_but_nobody_else(
    alice: Person, bob: Person, sam: Person
) -> None:
    assert alice.api.post("/shopping-carts/", {"user_id": alice.id}).status == 201
    assert alice.api.post("/shopping-carts/", {"user_id": bob.id}).outcome == (403, "foreign_user")
    assert sam.api.post("/shopping-carts/", {"user_id": bob.id})["user_id"] == bob.id
    missing = sam.api.post("/shopping-carts/", {"user_id": "0" * 24})
    assert missing.outcome == (404, "user_not_found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"items": [{"product_id": "x", "quantity": 1}]}, "/items/0/product_id"),
        ({"items": [{"product_id": "0" * 24, "quantity": 0}]}, "/items/0/quantity"),
        ({"items": [{"product_id": "0" * 24, "quantity": 1000}]}, "/items/0/quantity"),
        ({"items": [{"product_id": "0" * 24, "quantity": "2"}]}, "/items/0/quantity"),
        ({"items": [{"product_id": "0" * 24}]}, "/items/0/quantity"),
        ({"items": [{"product_id": "0" * 24, "quantity": 1}] * 101}, "/items"),
        ({"items": {}}, "/items"),
        ({"user_id": {"$ne": None}}, "/user_id"),
        ({"total": 3}, "/total"),
    ],
)
def test_bad_input_names_the_field_and_stores_nothing(
    body: Any, pointer: str, alice: Person
) -> None:
    answer = alice.api.post("/shopping-carts/", body)
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), [pointer])
    assert collection(ShoppingCart).count_documents({}) == 0


def test_a_cart_cannot_start_with_what_cannot_be_bought(
    make_product: MakeProduct, alice: Person
) -> None:
    draft, scarce = make_product(status="draft"), make_product(quantity=1)
    post = alice.api.post
    unknown = {"product_id": "0" * 24, "quantity": 1}
    assert post("/shopping-carts/", {"items": [unknown]}).outcome == (404, "product_not_found")
    assert post("/shopping-carts/", {"items": [item(draft)]}).outcome == (
        409,
        "product_unavailable",
    )
    answer = post("/shopping-carts/", {"items": [item(scarce, 2)]})
    assert (answer.outcome, answer["available_quantity"]) == ((409, "insufficient_stock"), 1)
    assert collection(ShoppingCart).count_documents({}) == 0


def test_the_list_holds_only_the_callers_carts(alice: Person, bob: Person, sam: Person) -> None:
    mine = [alice.api.post("/shopping-carts/", {})["id"] for _ in range(3)]
    bob.api.post("/shopping-carts/", {})
    listed = alice.api.get("/shopping-carts/?limit=2")
    assert [cart["id"] for cart in listed["items"]] == mine[:0:-1]
    assert [c["id"] for c in alice.api.get(listed["next"])["items"]] == mine[:1]
    assert sam.api.get(f"/shopping-carts/?user_id={sam.id}")["items"] == []


def test_a_guest_has_no_list_of_carts(anyone: ApiClient) -> None:
    assert anyone.get("/shopping-carts/").outcome == (401, "not_authenticated")


ROUTES: list[tuple[str, str, Any]] = [
    ("get", "", None),
    ("put", "", {"items": []}),
    ("patch", "", {"items": []}),
    ("delete", "", None),
    ("post", "/items", {"product_id": "LAMP", "quantity": 1}),
    ("put", "/items/LAMP", {"quantity": 5}),
    ("patch", "/items/LAMP", {"quantity": 5}),
    ("delete", "/items/LAMP", None),
    ("delete", "/clear", None),
]


def call(api: ApiClient, route: tuple[str, str, Any], cart_id: str, lamp: ProductRow) -> Any:
    method, path, body = route
    product = str(lamp["_id"])
    if body and body.get("product_id"):
        body = body | {"product_id": product}
    path = f"/shopping-carts/{cart_id}{path.replace('LAMP', product)}"
    return getattr(api, method)(path, *([body] if body is not None else []))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: " ".join(route[:2]))
def test_a_foreign_cart_is_404_and_stays_as_it_is(
    route: tuple[str, str, Any], lamp: ProductRow, alice: Person, bob: Person, anyone: ApiClient
) -> None:
    cart_id = alice.api.post("/shopping-carts/", {"items": [item(lamp, 2)]})["id"]
    before = list(collection(ShoppingCart).find({}))
    assert call(bob.api, route, cart_id, lamp).outcome == (404, "cart_not_found")
    assert call(anyone, route, cart_id, lamp).outcome == (404, "cart_not_found")
    assert list(collection(ShoppingCart).find({})) == before


@pytest.mark.parametrize("cart_id", ["0" * 24, "nonsense", "0" * 25])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: " ".join(route[:2]))
def test_an_unknown_cart_is_404(
    route: tuple[str, str, Any], cart_id: str, lamp: ProductRow, alice: Person
) -> None:
    assert call(alice.api, route, cart_id, lamp).outcome == (404, "cart_not_found")


def test_put_replaces_the_items(make_product: MakeProduct, alice: Person) -> None:
    lamp, mug = make_product(), make_product(name="Mug")
    cart = alice.api.post("/shopping-carts/", {"items": [item(lamp, 2)]})
    answer = alice.api.put(f"/shopping-carts/{cart['id']}", {"items": [item(mug, 3)]})
    assert [(x["name"], x["quantity"]) for x in answer["items"]] == [("Mug", 3)]
    assert (answer["version"], answer["user_id"]) == (2, alice.id)


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_replaced_line_keeps_what_was_seen_and_said_of_it(
    method: str, make_product: MakeProduct, alice: Person, sam: Person
) -> None:
    lamp, mug = make_product(), make_product(name="Mug", price_minor=500)
    said = {"note": "For Ada", "attributes": {"wrapping": "red"}}
    cart = alice.api.post("/shopping-carts/", {"items": [item(lamp, 2) | said]})
    (before,) = collection(ShoppingCart).find({})
    sam.api.patch(f"/products/{lamp['_id']}", {"price": 25, "name": "Lantern"})
    write, path = getattr(alice.api, method), f"/shopping-carts/{cart['id']}"
    held, new = write(path, {"items": [item(lamp, 3), item(mug)]})["items"]
    assert (held["quantity"], held["price_at_add"], held["unit_price"]) == (3, 19.99, 25)
    assert [problem["code"] for problem in held["problems"]] == ["price_changed"]
    assert {name: held[name] for name in said} == said
    assert (new["price_at_add"], new["problems"], new["note"]) == (5, [], "")
    (after,) = collection(ShoppingCart).find({})
    for name in ("added_at", "name_at_add"):
        assert after["items"][0][name] == before["items"][0][name]


def test_a_replaced_line_takes_what_is_said_of_it_this_time(
    lamp: ProductRow, alice: Person
) -> None:
    said = {"note": "For Ada", "attributes": {"wrapping": "red"}}
    cart = alice.api.post("/shopping-carts/", {"items": [item(lamp) | said]})
    path = f"/shopping-carts/{cart['id']}"
    for words in ({"note": "For Bob"}, {"attributes": {"wrapping": "blue"}}, {"note": ""}):
        said |= words
        line = alice.api.put(path, {"items": [item(lamp) | words]})["items"][0]
        assert {name: line[name] for name in said} == said


def test_a_product_that_comes_back_into_the_cart_has_the_price_of_now(
    make_product: MakeProduct, alice: Person, sam: Person
) -> None:
    lamp, mug = make_product(), make_product(name="Mug")
    cart = alice.api.post("/shopping-carts/", {"items": [item(lamp) | {"note": "For Ada"}]})
    path = f"/shopping-carts/{cart['id']}"
    sam.api.patch(f"/products/{lamp['_id']}", {"price": 25})
    alice.api.put(path, {"items": [item(mug)]})
    line = alice.api.put(path, {"items": [item(lamp)]})["items"][0]
    assert (line["price_at_add"], line["problems"], line["note"]) == (25, [], "")


def test_a_cart_keeps_its_owner(alice: Person, bob: Person, sam: Person) -> None:
    cart = alice.api.post("/shopping-carts/", {})
    for api in (alice.api, sam.api):
        answer = api.put(f"/shopping-carts/{cart['id']}", {"user_id": bob.id, "items": []})
        assert answer.outcome == (403, "foreign_user")
    path = f"/shopping-carts/{cart['id']}"
    assert alice.api.put(path, {"user_id": alice.id, "items": []}).status == 200


def test_patch_without_items_keeps_the_lines(lamp: ProductRow, alice: Person) -> None:
    cart = alice.api.post("/shopping-carts/", {"items": [item(lamp, 2)]})
    assert alice.api.patch(f"/shopping-carts/{cart['id']}", {})["total_quantity"] == 2
    assert alice.api.patch(f"/shopping-carts/{cart['id']}", {"items": []})["items"] == []


def test_what_is_nested_in_a_patch_is_whole_or_wrong(lamp: ProductRow, alice: Person) -> None:
    cart = alice.api.post("/shopping-carts/", {})
    items = [{"product_id": str(lamp["_id"])}]
    answer = alice.api.patch(f"/shopping-carts/{cart['id']}", {"items": items})
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), ["/items/0/quantity"])


def test_a_product_named_twice_is_added_up(make_product: MakeProduct, alice: Person) -> None:
    lamp = make_product(quantity=2000)
    cart = alice.api.post("/shopping-carts/", {"items": [item(lamp, 2), item(lamp, 3)]})
    assert [line["quantity"] for line in cart["items"]] == [5]
    refused = alice.api.put(f"/shopping-carts/{cart['id']}", {"items": [item(lamp, 500)] * 2})
    assert refused.outcome == (409, "quantity_limit")


def test_a_deleted_cart_is_gone(alice: Person) -> None:
    path = f"/shopping-carts/{alice.api.post('/shopping-carts/', {})['id']}"
    assert alice.api.delete(path, If_Match='"v7"').status == 412
    assert alice.api.delete(path).status == 204
    assert alice.api.get(path).outcome == (404, "cart_not_found")
    assert alice.api.delete(path).outcome == (404, "cart_not_found")


def test_a_cart_tells_when_the_catalog_moves(
    make_product: MakeProduct, alice: Person, sam: Person
) -> None:
    lamp, mug, rug = (make_product(name=n, quantity=5) for n in ("Lamp", "Mug", "Rug"))
    cart = alice.api.post("/shopping-carts/", {"items": [item(p, 3) for p in (lamp, mug, rug)]})
    path = f"/shopping-carts/{cart['id']}"
    sam.api.patch(f"/products/{lamp['_id']}", {"price": 25})
    sam.api.patch(f"/products/{mug['_id']}", {"quantity": 2})
    sam.api.delete(f"/products/{rug['_id']}")
    answer = alice.api.get(path)
    dearer, scarcer, gone = answer["items"]
    assert (dearer["price_changed"], dearer["unit_price"], dearer["price_at_add"]) == (
        True,
        25,
        19.99,
    )
    assert (scarcer["available"], scarcer["problem"]["code"]) == (True, "insufficient_stock")
    assert scarcer["problem"]["available_quantity"] == 2
    assert (gone["available"], gone["problem"]["code"]) == (False, "product_unavailable")
    assert gone["name"] == "Rug"
    assert answer["subtotal"] == 75 + 59.97


def test_the_etag_follows_the_cart_and_its_products(
    lamp: ProductRow, alice: Person, sam: Person
) -> None:
    cart = alice.api.post("/shopping-carts/", {"items": [item(lamp)]})
    path, tag = f"/shopping-carts/{cart['id']}", cart.headers["ETag"]
    assert tag.startswith('"v1-')
    assert alice.api.get(path, If_None_Match=tag).status == 304
    sam.api.patch(f"/products/{lamp['_id']}", {"price": 25})
    fresh = alice.api.get(path, If_None_Match=tag)
    assert (fresh.status, fresh["subtotal"]) == (200, 25)
    assert fresh.headers["ETag"].startswith('"v1-')
    written = alice.api.put(path, {"items": []}, If_Match=tag)
    assert written.status == 200, "If-Match compares the version part only"
    assert alice.api.put(path, {"items": []}, If_Match=tag).status == 412


def meanwhile(monkeypatch: pytest.MonkeyPatch, step: Callable[[], Any]) -> None:
    """Have this happen once, between what the next PUT of a cart reads and what it writes."""
    real = checks.offers_for

    def read_then(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(checks, "offers_for", real)
        found = real(*args, **kwargs)
        assert step().status in (200, 201)
        return found

    monkeypatch.setattr(checks, "offers_for", read_then)


def test_a_line_saved_while_the_cart_is_replaced_is_as_good_as_before(
    make_product: MakeProduct, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamp, mug = (make_product(name=name) for name in ("Lamp", "Mug"))
    cart = alice.api.post("/shopping-carts/", {"items": [item(lamp)]})
    path = f"/shopping-carts/{cart['id']}"
    meanwhile(monkeypatch, lambda: alice.api.post(f"{path}/items/{lamp['_id']}/save"))
    answer = alice.api.put(path, {"items": [item(mug, 2)]})
    (saved,) = answer["saved_items"]
    assert (saved["name"], saved["available"], saved["problem"]) == ("Lamp", True, None)
    assert answer.headers["ETag"] == alice.api.get(path).headers["ETag"]


def test_a_price_accepted_while_the_cart_is_replaced_stays_accepted(
    lamp: ProductRow, alice: Person, sam: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/shopping-carts/{alice.api.post('/shopping-carts/', {'items': [item(lamp)]})['id']}"
    sam.api.patch(f"/products/{lamp['_id']}", {"price": 25})
    meanwhile(monkeypatch, lambda: alice.api.post(f"{path}/refresh-prices"))
    answer = alice.api.put(path, {"items": [item(lamp, 3)]})
    (line,) = answer["items"]
    assert (line["quantity"], line["price_at_add"], line["problems"]) == (3, 25, [])
    assert answer["version"] == 3


def test_a_line_started_while_the_cart_is_replaced_keeps_its_note(
    make_product: MakeProduct, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamp, mug = make_product(), make_product(name="Mug")
    path = f"/shopping-carts/{alice.api.post('/shopping-carts/', {})['id']}"
    noted = item(mug) | {"note": "For Ada"}
    meanwhile(monkeypatch, lambda: alice.api.post(f"{path}/items", noted))
    lines = alice.api.put(path, {"items": [item(lamp), item(mug, 2)]})["items"]
    assert [(x["name"], x["quantity"], x["note"]) for x in lines] == [
        ("Lamp", 1, ""), ("Mug", 2, "For Ada"),
    ]  # fmt: skip


def test_a_cart_is_replaced_at_the_version_that_was_named_or_not_at_all(
    lamp: ProductRow, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    cart = alice.api.post("/shopping-carts/", {})
    path = f"/shopping-carts/{cart['id']}"
    meanwhile(monkeypatch, lambda: alice.api.post(f"{path}/items", item(lamp)))
    refused = alice.api.put(path, {"items": []}, If_Match=cart.headers["ETag"])
    assert refused.outcome == (412, "precondition_failed")
    assert alice.api.get(path)["total_quantity"] == 1
