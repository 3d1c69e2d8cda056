"""Fields of a product that follow from its other fields."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from catalog.errors import RepeatedSkuError
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


def refuse_repeated_sku(skus: Sequence[str], changes: Mapping[str, Any]) -> None:
    """Unique indexes do not compare the values inside one document: this must be asked before.

    Args:
        skus: of a product as `changes` leave it. What they say nothing of may be wrong already.

    Raises:
        RepeatedSkuError: one stands there twice.
    """
    changed = [name for name in ("variants", "sku") if name in changes]
    if changed and len(set(skus)) < len(skus):
        raise RepeatedSkuError(changed[0])
