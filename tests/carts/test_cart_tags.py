"""The tag of a cart's answer changes whenever the catalog makes the answer another one."""

from typing import Any, Final

import pytest
from bson import ObjectId

from carts.presenters import cart_etag
from carts.pricing import PricedCart

_ID: Final = ObjectId("65f000000000000000000001")
_CART: Final[Any] = {
    "version": 3,
    "items": [
        {
            "key": f"{_ID}:MUG-S", "product_id": _ID, "sku": "MUG-S", "quantity": 5,
            "name_at_add": "Mug", "price_at_add_minor": 999,
        }
    ],
    "saved_items": [],
}  # fmt: skip


def product(**changes: Any) -> Any:
    variant = {
        "sku": "MUG-S",
        "options": [{"name": "size", "value": changes.pop("size", "S")}],
        "price_minor": changes.pop("price_minor", 999),
        "quantity": changes.pop("quantity", 10),
    }
    return {"_id": _ID, "name": "Mug", "price_minor": 1999, "quantity": 10, "status": "active",
            "variants": [variant], **changes}  # fmt: skip


def tag(*products: Any) -> str:
    return cart_etag(PricedCart(_CART, {one["_id"]: one for one in products}))


def test_the_same_products_give_the_same_tag_with_the_carts_version_in_it() -> None:
    assert tag(product()) == tag(product(description="a longer one", quantity=9))
    assert tag(product()).startswith('"v3-')


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Cup"}, {"price_minor": 998}, {"size": "M"}, {"quantity": 4}, {"quantity": 3},
        {"status": "archived"},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_line_shows_of_its_product_is_in_the_tag(change: dict[str, Any]) -> None:
    changed = tag(product(**change))

    assert changed not in {tag(product()), tag()}, "neither as it was nor as if it were gone"


def test_each_change_has_a_tag_of_its_own() -> None:
    states = [
        product(), product(name="Cup"), product(price_minor=998), product(size="M"),
        product(quantity=4), product(quantity=3), product(status="archived"),
    ]  # fmt: skip
    assert len({tag(), *map(tag, states)}) == 8
