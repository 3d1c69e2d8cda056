"""A whole product is all the members that a client may ask for one by one."""

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from bson import ObjectId

from catalog.presenters import present_product, present_some
from catalog.serializers.queries import PRODUCT_FIELDS

_BARE: Final[Any] = {
    "_id": ObjectId("65f000000000000000000001"),
    "name": "Mug",
    "description": "",
    "price_minor": 1999,
    "currency": "USD",
    "quantity": 3,
    "status": "active",
    "version": 2,
    "created_at": datetime(2026, 1, 2, tzinfo=UTC),
    "updated_at": datetime(2026, 1, 3, tzinfo=UTC),
}
_FULL: Final[Any] = {
    **_BARE,
    "compare_at_price_minor": 2999,
    "sku": "MUG",
    "slug": "mug",
    "brand": "Acme",
    "category": "mugs",
    "tags": ["blue", "new"],
    "images": [{"url": "https://i.example/1.jpg", "alt": "a mug"}],
    "attributes": [{"key": "material", "value": "clay"}, {"key": "grams", "value": 300}],
    "variants": [
        {
            "sku": "MUG-S",
            "options": [{"name": "size", "value": "S"}],
            "price_minor": 999,
            "compare_at_price_minor": 1099,
            "quantity": 1,
        },
        {"sku": "MUG-M", "options": [], "quantity": 2},
    ],
    "related_ids": [ObjectId("65f000000000000000000002")],
}
_EMPTY: Final[Any] = {
    **_BARE, "tags": [], "images": [], "attributes": [], "variants": [], "related_ids": [],
}  # fmt: skip


@pytest.mark.parametrize("row", [_BARE, _FULL, _EMPTY], ids=["bare", "full", "empty"])
def test_a_whole_product_is_all_members_that_may_be_asked_for_in_their_order(
    row: Any,
) -> None:
    whole = present_product(row)

    assert list(whole.items()) == list(present_some(PRODUCT_FIELDS)(row).items())


def test_what_a_product_does_not_store_goes_out_as_null_or_empty() -> None:
    assert present_product(_BARE) == {
        "id": "65f000000000000000000001",
        "name": "Mug",
        "description": "",
        "price": 19.99,
        "compare_at_price": None,
        "currency": "USD",
        "quantity": 3,
        "sku": None,
        "slug": None,
        "brand": None,
        "category": None,
        "tags": [],
        "images": [],
        "attributes": {},
        "variants": [],
        "related_ids": [],
        "status": "active",
        "version": 2,
        "created_at": datetime(2026, 1, 2, tzinfo=UTC),
        "updated_at": datetime(2026, 1, 3, tzinfo=UTC),
    }


def test_a_variant_without_a_price_of_its_own_has_the_products() -> None:
    whole = present_product(_FULL)

    assert whole["variants"] == [
        {
            "sku": "MUG-S",
            "options": {"size": "S"},
            "price": 9.99,
            "compare_at_price": 10.99,
            "quantity": 1,
        },
        {
            "sku": "MUG-M", "options": {}, "price": 19.99, "compare_at_price": None, "quantity": 2,
        },
    ]  # fmt: skip
    assert whole["attributes"] == {"material": "clay", "grams": 300}
    assert whole["related_ids"] == ["65f000000000000000000002"]
