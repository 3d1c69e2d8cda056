"""A cart says what is wrong with its lines, as data; refresh-prices accepts what has moved."""

from typing import Any

from catalog.documents import ProductRow
from tests.carts.items import MakeProduct, item
from tests.client import ApiClient, Person
from tests.operations import recorded


def new_cart(who: Person, *items: dict[str, Any]) -> str:
    return f"/shopping-carts/{who.api.post('/shopping-carts/', {'items': items})['id']}"


def test_a_line_says_everything_that_is_wrong_with_it(
    lamp: ProductRow, alice: Person, sam: Person
) -> None:
    cart = new_cart(alice, item(lamp, 5))
    sam.api.patch(f"/products/{lamp['_id']}", {"price": 25, "quantity": 2})
    line = alice.api.get(cart)["items"][0]
    assert line["problems"] == [
        {"code": "insufficient_stock", "detail": "Only 2 of this product are left.",
         "available_quantity": 2},
        {"code": "price_changed", "old_price": 19.99, "new_price": 25,
         "detail": "The price was 19.99 and is 25.00 now: POST refresh-prices accepts it."},
    ]  # fmt: skip
    assert line["problem"] == line["problems"][0]
    assert line["price_changed"] is True


def test_what_is_gone_says_only_that(lamp: ProductRow, alice: Person, sam: Person) -> None:
    cart = new_cart(alice, item(lamp, 5))
    sam.api.patch(f"/products/{lamp['_id']}", {"quantity": 2})
    sam.api.delete(f"/products/{lamp['_id']}")
    assert alice.api.get(cart)["items"][0]["problems"] == [
        {"code": "product_unavailable", "detail": "This product is not for sale any more.",
         "available_quantity": 0},
    ]  # fmt: skip


def test_the_subtotal_adds_up_the_lines_that_are_available_whether_or_not_enough_is_left(
    make_product: MakeProduct, alice: Person, sam: Person
) -> None:
    lamp, mug, rug = (make_product(price_minor=price) for price in (2500, 500, 100))
    cart = new_cart(alice, item(lamp, 3), item(mug, 2), item(rug))
    alice.api.post(f"{cart}/items/{rug['_id']}/save")
    sam.api.patch(f"/products/{mug['_id']}", {"quantity": 1})
    sam.api.delete(f"/products/{lamp['_id']}")
    shown = alice.api.get(cart)
    assert [(x["available"], x["line_total"]) for x in shown["items"]] == [(False, 75), (True, 10)]
    assert (shown["subtotal"], shown["total_quantity"]) == (10, 5)
    alice.api.delete(f"{cart}/items/{mug['_id']}")
    left = alice.api.get(cart)
    assert (left["items"][0]["line_total"], left["subtotal"], left["total_quantity"]) == (75, 0, 3)


def test_the_api_document_says_which_lines_the_totals_count(anyone: ApiClient) -> None:
    schemas = anyone.get("/openapi.json")["components"]["schemas"]
    line, cart = (schemas[name]["properties"] for name in ("LineShape", "CartShape"))
    assert {
        "unit_price": line["unit_price"]["description"],
        "line_total": line["line_total"]["description"],
        "subtotal": cart["subtotal"]["description"],
        "total_quantity": cart["total_quantity"]["description"],
    } == {
        "unit_price": "What the catalog asks now; of what is gone from it, `price_at_add`.",
        "line_total": "`unit_price` times `quantity`, of a line that is not available too: "
        "`subtotal` leaves it out.",
        "subtotal": "The sum of `line_total` of the `items` whose `available` is true, also where "
        "fewer are left than the line holds. It may be 0 though there are lines.",
        "total_quantity": "Pieces in all `items`, those of lines that are not available too.",
    }


def test_refreshing_accepts_the_present_prices(
    make_product: MakeProduct, alice: Person, sam: Person
) -> None:
    lamp, mug = make_product(), make_product(name="Mug", price_minor=500)
    cart = new_cart(alice, item(lamp, 2), item(mug))
    alice.api.post(f"{cart}/items/{mug['_id']}/save")
    for product, price in ((lamp, 25), (mug, 6)):
        sam.api.patch(f"/products/{product['_id']}", {"price": price})
    answer = alice.api.post(f"{cart}/refresh-prices")
    assert (answer.status, answer["version"], answer["subtotal"]) == (200, 3, 50)
    for line, price in ((answer["items"][0], 25), (answer["saved_items"][0], 6)):
        assert (line["price_at_add"], line["price_changed"], line["problems"]) == (price, False, [])


def test_refreshing_what_is_fresh_changes_nothing(lamp: ProductRow, alice: Person) -> None:
    cart = new_cart(alice, item(lamp))
    assert alice.api.post(f"{cart}/refresh-prices")["version"] == 1


def test_refreshing_takes_if_match(lamp: ProductRow, alice: Person, sam: Person) -> None:
    cart = new_cart(alice, item(lamp))
    sam.api.patch(f"/products/{lamp['_id']}", {"price": 25})
    refused = alice.api.post(f"{cart}/refresh-prices", If_Match='"v9"')
    assert refused.outcome == (412, "precondition_failed")
    assert alice.api.get(cart)["items"][0]["price_at_add"] == 19.99


def test_one_read_finds_all_products_of_a_full_cart(
    make_product: MakeProduct, alice: Person
) -> None:
    cart = new_cart(alice, *(item(make_product()) for _ in range(100)))
    with recorded() as seen:
        assert len(alice.api.get(cart)["items"]) == 100
    assert [f"{one.collection}.{one.kind}" for one in seen] == [
        "users.find", "shopping_carts.find", "products.find",
    ]  # fmt: skip


def test_the_codes_are_in_the_api_document(anyone: ApiClient) -> None:
    schemas = anyone.get("/openapi.json")["components"]["schemas"]
    codes = schemas["LineProblemShape"]["properties"]["code"]
    name = codes["$ref"].rsplit("/", 1)[-1] if "$ref" in codes else ""
    enum = schemas[name]["enum"] if name else codes["enum"]
    assert enum == ["product_unavailable", "insufficient_stock", "price_changed"]
