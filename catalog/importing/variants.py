"""The variants of a row, completed with what is stored of them and the row does not say."""

from collections.abc import Mapping
from typing import Any, Final

from catalog.documents import ProductRow, VariantRow
from catalog.importing.rows import ImportRow
from catalog.serializers import VariantInput

_STORED_AS: Final = {
    name: str(field.source or name) for name, field in VariantInput().fields.items()
}
"""What each member of a variant is stored as."""


def completed(
    row: ImportRow, values: Mapping[str, Any], stored: ProductRow | None
) -> list[dict[str, Any]]:
    """Those of the row, as they are to be stored: what the file has no place for stays.

    Args:
        values: of the product, as ProductInput has typed them.
    """
    there = stored.get("variants", []) if stored else []
    present = {variant["sku"]: variant for variant in there}
    return [
        _completed(row, said, variant, present.get(variant["sku"]), price=values["price_minor"])
        for said, variant in zip(row.values["variants"], values["variants"], strict=True)
    ]


def _completed(
    row: ImportRow,
    said: Mapping[str, Any],
    variant: Mapping[str, Any],
    present: VariantRow | None,
    *,
    price: int,
) -> dict[str, Any]:
    unsaid = {stored for name, stored in _STORED_AS.items() if name not in said}
    kept = {name: value for name, value in (present or {}).items() if name in unsaid}
    made = {**variant, **kept}
    if made.get("price_minor") == price and not _has_its_own_price(row, present):
        del made["price_minor"]
    return made


def _has_its_own_price(row: ImportRow, present: VariantRow | None) -> bool:
    """Whether a variant that costs what its product costs does so by itself.

    Exports say what each variant costs, whoever's price that is: one that follows the product's
    must not be kept at today's. In Shopify's own files products have no price, so a new variant
    comes with its own.
    """
    if present is None:
        return "price" not in row.covers
    return "price_minor" in present
