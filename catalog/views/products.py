"""`/products/`: the HTTP side of products."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import caller_of
from accounts.rules import ANYONE, MANAGES_CATALOG, MOVES_STOCK, READS_STOCK
from catalog import selectors
from catalog.documents import ProductRow
from catalog.openapi import movements_schema, products_schema
from catalog.presenters import (
    present_facets,
    present_movement,
    present_product,
    present_results,
)
from catalog.serializers import (
    BulkInput,
    FacetQuery,
    ProductInput,
    ProductQuery,
    RetrieveQuery,
    StockInput,
    SuggestQuery,
)
from catalog.services import BulkService, ProductService, StockService
from catalog.topics import PRODUCTS, TREE
from catalog.views.reads import answer, chosen_products, product_read, products_read
from ecommerce.core.conditional import (
    Representation,
    etag,
    expected_versions,
    tag_of,
    tagged_response,
)
from ecommerce.core.idempotency import idempotent
from ecommerce.core.pagination import page_response
from ecommerce.core.parsers import MergePatchParser
from ecommerce.core.rate_limits import WRITES, rate_limited
from ecommerce.core.response_cache import PublicRead
from ecommerce.core.serializers import PageQuery
from ecommerce.core.viewsets import ShopViewSet

_SUGGESTIONS = 10


@products_schema
class ProductViewSet(ShopViewSet):
    """The catalog. Anyone reads what is for sale; staff reads and writes everything."""

    inputs = {
        "create": ProductInput,
        "update": ProductInput,
        "partial_update": ProductInput,
        "bulk": BulkInput,
        "stock": StockInput,
    }
    rows_lead_to = {"list": "/products"}
    queries = {
        "list": ProductQuery,
        "retrieve": RetrieveQuery,
        "facets": FacetQuery,
        "suggest": SuggestQuery,
        "movements": PageQuery,
    }
    rules = {
        "list": ANYONE,
        "retrieve": ANYONE,
        "facets": ANYONE,
        "suggest": ANYONE,
        "create": MANAGES_CATALOG,
        "update": MANAGES_CATALOG,
        "partial_update": MANAGES_CATALOG,
        "destroy": MANAGES_CATALOG,
        "bulk": MANAGES_CATALOG,
        "stock": MOVES_STOCK,
        "movements": READS_STOCK,
    }
    further_parsers = {"partial_update": [MergePatchParser]}

    def list(self, request: Request) -> Response:
        """Products that match, in order."""
        read = products_read(request, self.query, lambda: chosen_products(request, self.query))
        return answer(request, read)

    @action(detail=False, methods=["get"])
    def facets(self, request: Request) -> Response:
        """How many products each further filter would leave."""
        return answer(request, PublicRead((PRODUCTS, TREE), self._facets))

    def _facets(self) -> Representation:
        found = selectors.facets(chosen_products(self.request, self.query))
        return Representation(lambda: present_facets(found, settings.CURRENCY), tag_of(found))

    @action(detail=False, methods=["get"])
    def suggest(self, request: Request) -> Response:
        """Names of products that go on like this."""
        return answer(request, PublicRead((PRODUCTS,), self._suggestions))

    def _suggestions(self) -> Representation:
        names = selectors.suggestions(self.query["q"], limit=_SUGGESTIONS)
        return Representation(lambda: {"items": names}, tag_of(names))

    @rate_limited(WRITES)
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a product."""
        product = ProductService.create(values=self.body(), operation=self.operation)
        location = request.build_absolute_uri(f"/products/{product['_id']}")
        return _answer(request, product, status=201, headers={"Location": location})

    def retrieve(self, request: Request, pk: str) -> Response:
        """One product, or some of its members."""
        return answer(request, product_read(request, self.query, pk))

    @rate_limited(WRITES)
    def update(self, request: Request, pk: str) -> Response:
        """Replace or change a product."""
        product = ProductService.update(
            product_id=pk,
            changes=self.body(),
            expected_versions=expected_versions(request),
            merge_attributes=self.is_merge_patch,
        )
        return _answer(request, product)

    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """As update; `body()` leaves absent fields absent."""
        return self.update(request, **kwargs)

    @rate_limited(WRITES)
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a product out of the shop."""
        ProductService.delete(product_id=pk, expected_versions=expected_versions(request))
        return Response(status=204)

    @action(detail=False, methods=["post"])
    @rate_limited(WRITES)
    @idempotent
    def bulk(self, request: Request) -> Response:  # noqa: ARG002
        """Many writes at once, each with its own result."""
        results = BulkService.run(**self.body(), operation=self.operation)
        return Response(present_results(results))

    @action(detail=True, methods=["post"])
    @rate_limited(WRITES)
    @idempotent
    def stock(self, request: Request, pk: str) -> Response:
        """Add or take away pieces."""
        product = StockService.move(
            product_id=pk,
            by=caller_of(request).id,
            expected_versions=expected_versions(request),
            operation=self.operation,
            **self.body(),
        )
        return _answer(request, product)

    @stock.mapping.get
    @movements_schema
    def movements(self, request: Request, pk: str) -> Response:
        """What changed the stock, newest first."""
        product = selectors.product(pk, for_staff=True)
        page = selectors.movement_page(product["_id"], PageQuery.page_request(self.query))
        return page_response(request, page, present_movement)


def _answer(
    request: Request,
    product: ProductRow,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return tagged_response(
        request,
        lambda: present_product(product),
        etag(product["version"]),
        status=status,
        headers=headers,
    )
