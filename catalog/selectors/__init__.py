"""All reads of the catalog."""

from catalog.selectors.categories import (
    categories_by_slug,
    category,
    category_page,
    category_slugs,
    category_with_slug,
    child_of,
    has_products,
    subtree,
)
from catalog.selectors.facets import FACET_LIMIT, Facets, facets
from catalog.selectors.lists import ORDERINGS, ProductFilter, product_page, suggestions
from catalog.selectors.products import (
    every_product,
    is_deleted,
    is_empty,
    is_for_sale,
    product,
    product_in_any_state,
    product_with,
    products_for_sale,
    products_in_carts,
    slug_is_taken,
    taken_skus,
    visible,
)
from catalog.selectors.stock import movement_page

__all__ = [
    "FACET_LIMIT",
    "ORDERINGS",
    "Facets",
    "ProductFilter",
    "categories_by_slug",
    "category",
    "category_page",
    "category_slugs",
    "category_with_slug",
    "child_of",
    "every_product",
    "facets",
    "has_products",
    "is_deleted",
    "is_empty",
    "is_for_sale",
    "movement_page",
    "product",
    "product_in_any_state",
    "product_page",
    "product_with",
    "products_for_sale",
    "products_in_carts",
    "slug_is_taken",
    "subtree",
    "suggestions",
    "taken_skus",
    "visible",
]
