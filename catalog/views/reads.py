"""Public reads of products, as views and the layer before Django answer them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import caller_may
from accounts.rules import SEES_DRAFTS
from catalog import selectors
from catalog.presenters import present_product, present_some, stored_fields
from catalog.selectors import ProductFilter
from catalog.serializers import ProductQuery, RetrieveQuery
from catalog.topics import PRODUCTS, TREE, product_topic
from ecommerce.core.conditional import Representation, etag
from ecommerce.core.ids import is_id
from ecommerce.core.pagination import page_representation, page_tag
from ecommerce.core.public_reads import answer_directly
from ecommerce.core.query_strings import valid_query
from ecommerce.core.response_cache import PublicRead, public_answer


def answer(request: Request, read: PublicRead) -> Response:
    """Staff sees more than what is kept for everybody."""
    return public_answer(request, read, same_for_everyone=not caller_may(request, SEES_DRAFTS))


def chosen_products(request: HttpRequest, query: Mapping[str, Any]) -> ProductFilter:
    """What the query narrows a list to, for this caller."""
    filters = ProductQuery.filters(query, for_staff=caller_may(request, SEES_DRAFTS))
    filters["categories"] = selectors.category_slugs(filters["categories"])
    return ProductFilter(**filters)


def products_read(
    request: HttpRequest, query: Mapping[str, Any], choose: Callable[[], ProductFilter]
) -> PublicRead:
    """One page of what `choose` chooses, which may ask the database too."""
    return PublicRead((PRODUCTS, TREE), lambda: _page(request, query, choose()))


def product_read(request: HttpRequest, query: Mapping[str, Any], pk: str) -> PublicRead:
    """One product, by its id or its slug, or some of its members."""
    # Whose slug it is, or was, may change with any product.
    topic = product_topic(pk.lower()) if is_id(pk) else PRODUCTS
    return PublicRead((topic, TREE), lambda: _product(request, query, pk))


def _product(request: HttpRequest, query: Mapping[str, Any], pk: str) -> Representation:
    fields = query.get("fields", ())
    product = selectors.product_by_id_or_slug(
        pk,
        for_staff=caller_may(request, SEES_DRAFTS),
        projection=stored_fields(fields) if fields else None,
    )
    present = present_some(fields) if fields else present_product
    # A slug may go to another product, which may have the same version.
    whose = [] if is_id(pk) else [str(product["_id"])]
    return Representation(
        lambda: present(product),
        etag(product["version"], "-".join([*whose, *sorted(fields)])),
        last_modified=product["updated_at"],
    )


def _page(request: HttpRequest, query: Mapping[str, Any], chosen: ProductFilter) -> Representation:
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


def _directly(request: HttpRequest) -> PublicRead:
    query = valid_query(ProductQuery, request)
    return products_read(request, query, lambda: chosen_products(request, query))


answer_directly("product-list", "/products/?", _directly)
answer_directly(
    "product-detail",
    "/products/(?P<pk>[0-9a-fA-F]{24})/?",
    lambda request, pk: product_read(request, valid_query(RetrieveQuery, request), pk),
)
