"""Facets as they go out in JSON."""

from typing import Any

from catalog.selectors import Facets
from ecommerce.core.money import to_major


def present_facets(found: Facets, currency: str) -> dict[str, Any]:
    """Each facet: its values, the most frequent first, with their counts; and which has more."""
    return {
        "category": [
            {"value": slug, "name": found.category_names.get(slug, slug), "count": count}
            for slug, count in found.category
        ],
        "brand": [{"value": value, "count": count} for value, count in found.brand],
        "tag": [{"value": value, "count": count} for value, count in found.tag],
        "price": [
            {
                "min_price": to_major(low, currency),
                "max_price": None if high is None else to_major(high, currency),
                "count": count,
            }
            for low, high, count in found.price
        ],
        "in_stock": [
            {"value": value, "count": found.in_stock[value]}
            for value in (True, False)
            if value in found.in_stock
        ],
        "more": found.more,
    }
