"""Lines of variants, and what shoppers say about a line."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.documents import ProductRow
from tests.carts.items import item
from tests.client import Person

SIZES = [
    {"sku": "TEE-S", "options": [{"name": "size", "value": "S"}], "quantity": 3},
    {"sku": "TEE-M", "options": [{"name": "size", "value": "M"}], "quantity": 5,
     "price_minor": 2499},
]  # fmt: skip


@pytest.fixture
def tee(make_product: Callable[..., ProductRow]) -> ProductRow:
    """A shirt in two sizes; M has a price of its own."""
    return make_product(name="Tee", price_minor=1999, quantity=8, variants=SIZES)


def test_variants_are_separate_lines_at_their_own_price(
    cart: str, tee: ProductRow, alice: Person
) -> None:
    alice.api.post(f"{cart}/items", item(tee, 2, sku="TEE-S"))
    alice.api.post(f"{cart}/items", item(tee, 1, sku="TEE-M"))
    answer = alice.api.post(f"{cart}/items", item(tee, 2, sku="TEE-M"))
    assert [
        (x["sku"], x["options"], x["quantity"], x["unit_price"], x["line_total"])
        for x in answer["items"]
    ] == [("TEE-S", {"size": "S"}, 2, 19.99, 39.98), ("TEE-M", {"size": "M"}, 3, 24.99, 74.97)]
    assert (answer.status, answer["subtotal"]) == (200, 114.95)


def test_the_stock_is_that_of_the_variant(cart: str, tee: ProductRow, alice: Person) -> None:
    alice.api.post(f"{cart}/items", item(tee, 2, sku="TEE-S"))
    answer = alice.api.post(f"{cart}/items", item(tee, 2, sku="TEE-S"))
    assert answer.outcome == (409, "insufficient_stock")
    assert (answer["sku"], answer["available_quantity"], answer["in_cart"]) == ("TEE-S", 3, 2)


@pytest.mark.parametrize("sku", [{}, {"sku": None}, {"sku": "TEE-XL"}])
def test_a_product_with_variants_needs_one_of_them(
    sku: dict[str, Any], cart: str, tee: ProductRow, alice: Person
) -> None:
    for path, body in (
        (f"{cart}/items", item(tee, **sku)),
        (f"{cart}/items", {"items": [item(tee, **sku)]}),
        ("/shopping-carts/", {"items": [item(tee, **sku)]}),
    ):
        answer = alice.api.post(path, body)
        assert (answer.outcome, answer["skus"]) == ((409, "unknown_variant"), ["TEE-S", "TEE-M"])
    assert alice.api.get(cart)["version"] == 1


def test_a_product_without_variants_takes_no_sku(
    cart: str, lamp: ProductRow, alice: Person
) -> None:
    answer = alice.api.post(f"{cart}/items", item(lamp, sku="TEE-S"))
    assert (answer.outcome, answer["skus"]) == ((409, "unknown_variant"), [])


def test_a_path_to_one_of_several_variants_names_it(
    cart: str, tee: ProductRow, alice: Person
) -> None:
    body = {"items": [item(tee, sku="TEE-S"), item(tee, sku="TEE-M")]}
    alice.api.post(f"{cart}/items", body)
    line = f"{cart}/items/{tee['_id']}"
    for refused in (
        alice.api.put(line, {"quantity": 2}), alice.api.delete(line), alice.api.post(f"{line}/save")
    ):  # fmt: skip
        assert refused.outcome == (409, "ambiguous_item")
        assert refused["skus"] == ["TEE-S", "TEE-M"]
    answer = alice.api.put(f"{line}?sku=TEE-M", {"quantity": 4})
    assert [x["quantity"] for x in answer["items"]] == [1, 4]
    assert alice.api.put(line, {"quantity": 2, "sku": "TEE-S"})["total_quantity"] == 6
    both = alice.api.put(f"{line}?sku=TEE-M", {"quantity": 2, "sku": "TEE-S"})
    assert both.outcome == (409, "product_mismatch")
    none = alice.api.patch(f"{line}?sku=TEE-M", {"quantity": 2, "sku": None})
    assert none.outcome == (409, "product_mismatch")
    blank, form = b"quantity=4&sku=", "application/x-www-form-urlencoded"
    answer = alice.api.send("PUT", f"{line}?sku=TEE-M", raw=blank, content_type=form)
    assert answer.status == 200
    assert alice.api.delete(f"{line}?sku=TEE-L").outcome == (404, "item_not_in_cart")
    left = alice.api.delete(f"{line}?sku=TEE-S")
    assert [x["sku"] for x in left["items"]] == ["TEE-M"]
    assert alice.api.put(line, {"quantity": 1})["total_quantity"] == 1, "one left: no question"


def test_a_variant_that_is_gone_is_unavailable(
    cart: str, tee: ProductRow, alice: Person, sam: Person
) -> None:
    alice.api.post(f"{cart}/items", item(tee, 2, sku="TEE-S"))
    left = {"sku": "TEE-M", "options": {"size": "M"}, "quantity": 5}
    assert sam.api.patch(f"/products/{tee['_id']}", {"variants": [left]}).status == 200
    line = alice.api.get(cart)["items"][0]
    assert (line["available"], line["problem"]["code"]) == (False, "product_unavailable")
    assert (line["name"], line["unit_price"], line["price_changed"]) == ("Tee", 19.99, False)
    refused = alice.api.put(f"{cart}/items/{tee['_id']}", {"quantity": 1})
    assert refused.outcome == (409, "product_unavailable")
    assert alice.api.delete(f"{cart}/items/{tee['_id']}")["items"] == []


def test_a_line_keeps_what_the_shopper_says_of_it(
    cart: str, lamp: ProductRow, alice: Person
) -> None:
    said: dict[str, Any] = {
        "note": "For Ada, with love",
        "attributes": {"wrapping": "red", "$where": "a.b"},
    }
    first = alice.api.post(f"{cart}/items", item(lamp, **said))["items"][0]
    assert {name: first[name] for name in said} == said
    raised = alice.api.post(f"{cart}/items", item(lamp, 2))["items"][0]
    assert (raised["quantity"], raised["note"]) == (3, "For Ada, with love")
    again = alice.api.post(f"{cart}/items", item(lamp, note="For Bob"))["items"][0]
    assert (again["quantity"], again["note"]) == (4, "For Bob")
    assert again["attributes"] == said["attributes"]
    path = f"{cart}/items/{lamp['_id']}"
    assert alice.api.put(path, {"quantity": 1})["items"][0]["note"] == "For Bob"
    cleared = alice.api.patch(path, {"note": "", "attributes": {}})["items"][0]
    assert (cleared["note"], cleared["attributes"], cleared["quantity"]) == ("", {}, 1)


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"note": "x" * 501}, "/note"),
        ({"note": 5}, "/note"),
        ({"attributes": {str(n): "x" for n in range(11)}}, "/attributes"),
        ({"attributes": {"": "x"}}, "/attributes"),
        ({"attributes": {"x" * 51: "x"}}, "/attributes"),
        ({"attributes": {"a": "x" * 201}}, "/attributes/a"),
        ({"attributes": {"a": 1}}, "/attributes/a"),
        ({"attributes": {"a": {"$ne": 1}}}, "/attributes/a"),
        ({"attributes": ["a"]}, "/attributes"),
        ({"sku": {"$ne": 1}}, "/sku"),
        ({"sku": ""}, "/sku"),
    ],
)
def test_what_is_said_is_small_text(
    said: dict[str, Any], pointer: str, cart: str, lamp: ProductRow, alice: Person
) -> None:
    answer = alice.api.post(f"{cart}/items", item(lamp, **said))
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), [pointer])
    assert alice.api.get(cart)["version"] == 1


def test_a_note_of_500_characters_fits(cart: str, lamp: ProductRow, alice: Person) -> None:
    note = "\U0001f600" * 500
    assert alice.api.post(f"{cart}/items", item(lamp, note=note))["items"][0]["note"] == note
