"""Products as they go out in JSON: all of their members, or some."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from catalog.documents import ProductRow, VariantRow
from ecommerce.core.money import to_major

_Member = tuple[tuple[str, ...], Callable[[Any], Any]]


def _as_stored(field: str) -> _Member:
    return (field,), lambda row: row[field]


def _if_stored(field: str, default: Any = None) -> _Member:
    return (field,), lambda row: row.get(field, default)


_MEMBERS: Final[Mapping[str, _Member]] = {
    "id": (("_id",), lambda row: str(row["_id"])),
    "name": _as_stored("name"),
    "description": _as_stored("description"),
    "price": (
        ("price_minor", "currency"),
        lambda row: to_major(row["price_minor"], row["currency"]),
    ),
    "compare_at_price": (
        ("compare_at_price_minor", "currency"),
        lambda row: _optional_price(row, row["currency"]),
    ),
    "currency": _as_stored("currency"),
    "quantity": _as_stored("quantity"),
    "sku": _if_stored("sku"),
    "slug": _if_stored("slug"),
    "brand": _if_stored("brand"),
    "category": _if_stored("category"),
    "tags": _if_stored("tags", []),
    "images": _if_stored("images", []),
    "attributes": (
        ("attributes",),
        lambda row: {one["key"]: one["value"] for one in row.get("attributes", ())},
    ),
    "variants": (
        ("variants", "price_minor", "currency"),
        lambda row: [_present_variant(variant, row) for variant in row.get("variants", ())],
    ),
    "related_ids": (("related_ids",), lambda row: [str(r) for r in row.get("related_ids", ())]),
    "status": _as_stored("status"),
    "version": _as_stored("version"),
    "created_at": _as_stored("created_at"),
    "updated_at": _as_stored("updated_at"),
}
"""Each member of the answer: the stored fields it needs, and how it is made of them."""
_BASIS: Final = ("version", "updated_at")
"""What every answer needs beside its members: for ETag and Last-Modified."""


def present_product(row: ProductRow) -> dict[str, Any]:
    """A whole product; prices are numbers in major units."""
    return {name: make(row) for name, (_, make) in _MEMBERS.items()}


def present_some(fields: Iterable[str]) -> Callable[[Any], dict[str, Any]]:
    """A presenter of these members alone."""
    chosen = {name: _MEMBERS[name][1] for name in fields}
    return lambda row: {name: make(row) for name, make in chosen.items()}


def stored_fields(fields: Iterable[str], *further: str) -> dict[str, int]:
    """The projection that these members, and what the list is ordered by, need."""
    needed = {stored for name in fields for stored in _MEMBERS[name][0]}
    return dict.fromkeys(sorted(needed.union(_BASIS, further)), 1)


def _present_variant(variant: VariantRow, row: ProductRow) -> dict[str, Any]:
    currency = row["currency"]
    return {
        "sku": variant["sku"],
        "options": {option["name"]: option["value"] for option in variant["options"]},
        "price": to_major(variant.get("price_minor", row["price_minor"]), currency),
        "compare_at_price": _optional_price(variant, currency),
        "quantity": variant["quantity"],
    }


def _optional_price(row: Mapping[str, Any], currency: str) -> int | float | None:
    minor = row.get("compare_at_price_minor")
    return None if minor is None else to_major(minor, currency)
