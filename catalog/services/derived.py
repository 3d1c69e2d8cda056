"""Fields of a product that follow from its other fields."""

from collections.abc import Mapping
from typing import Any, Final

from catalog.keys import name_key, search_keys

SEARCHED: Final = ("name", "brand", "tags", "sku", "variants")
"""What `keys`, `name_key` and `skus` are made of."""


def search_fields(product: Mapping[str, Any]) -> dict[str, Any]:
    """`name_key`, `keys` and `skus` of a product whose SEARCHED fields are all known."""
    skus = all_skus(product)
    return {
        "name_key": name_key(product["name"]),
        "keys": search_keys(
            name=product["name"],
            brand=product.get("brand"),
            tags=product.get("tags") or (),
            skus=skus,
        ),
        "skus": skus or None,
    }


def all_skus(product: Mapping[str, Any]) -> list[str]:
    """Its own, then those of its variants."""
    own = [product["sku"]] if product.get("sku") else []
    return [*own, *(variant["sku"] for variant in product.get("variants") or ())]
