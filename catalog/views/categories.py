"""`/categories/`: the HTTP side of the category tree."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rules import ANYONE, MANAGES_CATALOG
from catalog import selectors
from catalog.documents import CategoryRow
from catalog.openapi import categories_schema
from catalog.presenters import present_category
from catalog.selectors import ProductFilter
from catalog.serializers import (
    CategoryInput,
    CategoryProductQuery,
    CategoryQuery,
    DeleteCategoryQuery,
)
from catalog.services import CategoryService
from catalog.topics import TREE
from catalog.views.reads import answer, chosen_products, products_read
from ecommerce.core.conditional import Representation, etag, expected_versions, tagged_response
from ecommerce.core.idempotency import idempotent
from ecommerce.core.pagination import page_representation, page_tag
from ecommerce.core.rate_limits import WRITES, rate_limited
from ecommerce.core.response_cache import PublicRead, public_answer
from ecommerce.core.viewsets import ShopViewSet


@categories_schema
class CategoryViewSet(ShopViewSet):
    """The category tree. A category is named by its id or by its slug."""

    inputs = {"create": CategoryInput, "update": CategoryInput, "partial_update": CategoryInput}
    rows_lead_to = {"list": "/categories", "products": "/products"}
    queries = {
        "list": CategoryQuery,
        "destroy": DeleteCategoryQuery,
        "products": CategoryProductQuery,
    }
    rules = {
        "list": ANYONE,
        "retrieve": ANYONE,
        "products": ANYONE,
        "create": MANAGES_CATALOG,
        "update": MANAGES_CATALOG,
        "partial_update": MANAGES_CATALOG,
        "destroy": MANAGES_CATALOG,
    }

    def list(self, request: Request) -> Response:
        """The tree from its top to its bottom, or what stands right below one category."""
        return self._public(request, self._page)

    def _page(self) -> Representation:
        page = selectors.category_page(
            CategoryQuery.page_request(self.query), parent=self.query.get("parent")
        )
        above = selectors.categories_by_slug({slug for row in page.rows for slug in row["path"]})
        return page_representation(
            self.request,
            page,
            lambda row: present_category(row, above),
            tag=page_tag(page, sorted((slug, row["version"]) for slug, row in above.items())),
        )

    def _public(self, request: Request, load: Callable[[], Representation]) -> Response:
        return public_answer(request, PublicRead((TREE,), load), same_for_everyone=True)

    @rate_limited(WRITES)
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a category."""
        values: Any = self.body()
        row = CategoryService.create(values=values, operation=self.operation)
        location = request.build_absolute_uri(f"/categories/{row['slug']}")
        return _answer(request, row, status=201, headers={"Location": location})

    def retrieve(self, request: Request, pk: str) -> Response:
        """One category."""
        return self._public(request, lambda: _representation(selectors.category(pk)))

    @rate_limited(WRITES)
    def update(self, request: Request, pk: str) -> Response:
        """Rename or move a category."""
        row = CategoryService.update(
            reference=pk, changes=self.body(), expected_versions=expected_versions(request)
        )
        return _answer(request, row)

    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """As update; `body()` leaves absent fields absent."""
        return self.update(request, **kwargs)

    @rate_limited(WRITES)
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a category away; `products_to` says where its products go."""
        CategoryService.delete(
            reference=pk,
            products_to=self.query.get("products_to"),
            expected_versions=expected_versions(request),
        )
        return Response(status=204)

    @action(detail=True, methods=["get"])
    def products(self, request: Request, pk: str) -> Response:
        """The products of a category and of everything below it."""
        return answer(request, products_read(request, self.query, lambda: self._below(pk)))

    def _below(self, reference: str) -> ProductFilter:
        chosen = chosen_products(self.request, self.query)
        return replace(chosen, categories=(selectors.category(reference)["slug"],))


def _representation(row: CategoryRow) -> Representation:
    above = selectors.categories_by_slug(row["path"])
    # The names of those above stand in the answer too; and a slug may go to another category.
    versions = (str(above[slug]["version"]) for slug in row["path"] if slug in above)
    digest = "-".join([str(row["_id"]), *versions])
    return Representation(lambda: present_category(row, above), etag(row["version"], digest))


def _answer(
    request: Request,
    row: CategoryRow,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    made = _representation(row)
    return tagged_response(request, made.data, made.etag, status=status, headers=headers)
