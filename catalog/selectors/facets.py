"""How many products each further filter would leave."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from catalog.documents import Product
from catalog.selectors.categories import categories_by_slug
from catalog.selectors.lists import ProductFilter
from ecommerce.core.mongo import collection

FACET_LIMIT: Final = 100
"""Values of one facet: the most frequent ones, and beside them those that are chosen."""
_PRICE_STEPS: Final = (0, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000)
"""Where price ranges begin, in minor units; the last is open."""


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts by value; each leaves out its own filter, so that a shopper can widen."""

    category: list[tuple[str, int]]
    """By slug; their names are in `category_names`."""
    brand: list[tuple[str, int]]
    tag: list[tuple[str, int]]
    price: list[tuple[int, int | None, int]]
    """From (inclusive), up to (inclusive, None for no end), how many."""
    in_stock: dict[bool, int]
    category_names: dict[str, str]
    """By slug."""
    more: dict[str, bool]
    """Whether category, brand and tag have more values than are here."""


def facets(chosen: ProductFilter) -> Facets:
    """The counts, in one read, and one for the names of the categories, if there are any."""
    shared = replace(
        chosen, categories=(), brands=(), tags=(), min_price=None, max_price=None, in_stock=None
    )
    pipeline = [
        {"$match": shared.where()},
        {"$project": {"_id": 1, **dict.fromkeys(_FIELDS, 1)}},
        {
            "$facet": {
                **_by_value(chosen, "category", "category_path", chosen.categories),
                **_by_value(chosen, "brand", "brand", chosen.brands),
                **_by_value(chosen, "tag", "tags", chosen.tags),
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
    (category, more_categories), (brand, more_brands), (tag, more_tags) = (
        _shown(found[facet], found.get(_chosen(facet), ()))
        for facet in ("category", "brand", "tag")
    )
    named = categories_by_slug(slug for slug, _ in category)
    return Facets(
        category=category,
        brand=brand,
        tag=tag,
        price=[_price_range(row) for row in found["price"]],
        in_stock={row["_id"]: row["count"] for row in found["stock"]},
        category_names={slug: row["name"] for slug, row in named.items()},
        more={"category": more_categories, "brand": more_brands, "tag": more_tags},
    )


_FIELDS: Final = (
    "status", "keys", "category_path", "brand", "tags", "price_minor", "in_stock",
)  # fmt: skip


def _by_value(
    chosen: ProductFilter, facet: str, field: str, values: Collection[str]
) -> dict[str, list[dict[str, Any]]]:
    """The most frequent values; and the chosen ones, if there are any, however rare they are.

    So many more are read than are shown that one of them is not chosen, if there is one.
    """
    narrowed: dict[str, Any] = {"$match": chosen.narrowing(without=facet)}
    counted: list[dict[str, Any]] = [
        {"$unwind": f"${field}"},
        {"$group": {"_id": f"${field}", "count": {"$sum": 1}}},
    ]
    ordered: dict[str, Any] = {"$sort": {"count": -1, "_id": 1}}
    wanted = {"$in": list(values)}
    frequent = [narrowed, *counted, ordered, {"$limit": FACET_LIMIT + 1 + len(values)}]
    if not values:
        return {facet: frequent}
    holding, among = {"$match": {field: wanted}}, {"$match": {"_id": wanted}}
    return {facet: frequent, _chosen(facet): [narrowed, holding, *counted, among, ordered]}


def _chosen(facet: str) -> str:
    return f"chosen_{facet}"


def _shown(
    frequent: Sequence[Mapping[str, Any]], chosen: Sequence[Mapping[str, Any]]
) -> tuple[list[tuple[str, int]], bool]:
    """The values that a facet shows with their counts, and whether there are others."""
    shown = {row["_id"]: row["count"] for row in (*frequent[:FACET_LIMIT], *chosen)}
    return list(shown.items()), any(row["_id"] not in shown for row in frequent)


def _price_range(row: Mapping[str, Any]) -> tuple[int, int | None, int]:
    start = row["_id"]
    following = _PRICE_STEPS.index(start) + 1
    end = _PRICE_STEPS[following] - 1 if following < len(_PRICE_STEPS) else None
    return start, end, row["count"]
