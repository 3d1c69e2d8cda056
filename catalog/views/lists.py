"""A list of products, as `/products/` and a category's products answer it."""

from collections.abc import Callable, Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import caller_may
from accounts.rules import SEES_DRAFTS
from catalog import selectors
from catalog.presenters import present_product, present_some, stored_fields
from catalog.selectors import ProductFilter
from catalog.serializers import ProductQuery
from catalog.topics import PRODUCTS, TREE
from ecommerce.core.conditional import Representation
from ecommerce.core.pagination import page_representation, page_tag
from ecommerce.core.response_cache import public_answer


def chosen_products(request: Request, query: Mapping[str, Any]) -> ProductFilter:
    """What the query narrows a list to, for this caller."""
    filters = ProductQuery.filters(query, for_staff=caller_may(request, SEES_DRAFTS))
    filters["categories"] = selectors.category_slugs(filters["categories"])
    return ProductFilter(**filters)


def list_products(
    request: Request, query: Mapping[str, Any], choose: Callable[[], ProductFilter]
) -> Response:
    """One page of what `choose` chooses, which may ask the database too."""
    return public_answer(
        request,
        topics=(PRODUCTS, TREE),
        load=lambda: _page(request, query, choose()),
        same_for_everyone=not caller_may(request, SEES_DRAFTS),
    )


def _page(request: Request, query: Mapping[str, Any], chosen: ProductFilter) -> Representation:
    ordering = query.get("ordering") or ("relevance" if chosen.q else "newest")
    fields = query.get("fields", ())
    page = selectors.product_page(
        chosen,
        ordering=ordering,
        request=ProductQuery.page_request(query),
        projection=stored_fields(fields, "_id", "name_key", "price_minor") if fields else None,
    )
    present = present_some(fields) if fields else present_product
    return page_representation(request, page, present, tag=page_tag(page, fields))
