"""How many products each further filter would leave."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from catalog.documents import Product
from catalog.selectors.lists import ProductFilter
from ecommerce.core.mongo import collection

FACET_LIMIT: Final = 100
"""Values of one facet: the most frequent ones."""
_PRICE_STEPS: Final = (0, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000)
"""Where price ranges begin, in minor units; the last is open."""


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts by value; each leaves out its own filter, so that a shopper can widen."""

    category: list[tuple[str, int]]
    brand: list[tuple[str, int]]
    tag: list[tuple[str, int]]
    price: list[tuple[int, int | None, int]]
    """From (inclusive), up to (inclusive, None for no end), how many."""
    in_stock: dict[bool, int]


def facets(chosen: ProductFilter) -> Facets:
    """The counts, in one read."""
    shared = replace(
        chosen, categories=(), brands=(), tags=(), min_price=None, max_price=None, in_stock=None
    )
    pipeline = [
        {"$match": shared.where()},
        {"$project": {"_id": 1, **dict.fromkeys(_FIELDS, 1)}},
        {
            "$facet": {
                "category": _by_value(chosen, "category", "category_path"),
                "brand": _by_value(chosen, "brand", "brand"),
                "tag": _by_value(chosen, "tag", "tags"),
                "price": [
                    {"$match": chosen.narrowing(without="price")},
                    {
                        "$bucket": {
                            "groupBy": "$price_minor",
                            "boundaries": [*_PRICE_STEPS, 2**62],
                            "output": {"count": {"$sum": 1}},
                        }
                    },
                ],
                "stock": [
                    {"$match": chosen.narrowing(without="stock")},
                    {"$group": {"_id": "$in_stock", "count": {"$sum": 1}}},
                ],
            }
        },
    ]
    (found,) = collection(Product).aggregate(pipeline)
    return Facets(
        category=_pairs(found["category"]),
        brand=_pairs(found["brand"]),
        tag=_pairs(found["tag"]),
        price=[_price_range(row) for row in found["price"]],
        in_stock={row["_id"]: row["count"] for row in found["stock"]},
    )


_FIELDS: Final = (
    "status", "keys", "category_path", "brand", "tags", "price_minor", "in_stock",
)  # fmt: skip


def _by_value(chosen: ProductFilter, facet: str, field: str) -> list[dict[str, Any]]:
    return [
        {"$match": chosen.narrowing(without=facet)},
        {"$unwind": f"${field}"},
        {"$group": {"_id": f"${field}", "count": {"$sum": 1}}},
        {"$sort": {"count": -1, "_id": 1}},
        {"$limit": FACET_LIMIT},
    ]


def _pairs(rows: list[Mapping[str, Any]]) -> list[tuple[str, int]]:
    return [(row["_id"], row["count"]) for row in rows]


def _price_range(row: Mapping[str, Any]) -> tuple[int, int | None, int]:
    start = row["_id"]
    following = _PRICE_STEPS.index(start) + 1
    end = _PRICE_STEPS[following] - 1 if following < len(_PRICE_STEPS) else None
    return start, end, row["count"]
