"""`/products/`: the HTTP side of the catalog."""

from typing import Any

from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import IsStaff
from catalog import selectors
from catalog.openapi import products_schema
from catalog.presenters import present_product
from catalog.serializers import ProductInput
from catalog.services import ProductService
from ecommerce.core.conditional import etag, expected_versions, tagged_response
from ecommerce.core.pagination import page_response
from ecommerce.core.rate_limits import WRITES, rate_limited
from ecommerce.core.serializers import PageQuery
from ecommerce.core.viewsets import ShopViewSet


def _is_staff(request: Request) -> bool:
    return bool(getattr(request.user, "is_staff", False))


@products_schema
class ProductViewSet(ShopViewSet):
    """The catalog. Anyone reads what is for sale; staff reads and writes everything."""

    inputs = {"create": ProductInput, "update": ProductInput, "partial_update": ProductInput}
    queries = {"list": PageQuery}

    def get_permissions(self) -> list[BasePermission]:
        """Reading is for anyone, writing for staff."""
        return [AllowAny() if self.action in {"list", "retrieve"} else IsStaff()]

    def list(self, request: Request) -> Response:
        """Products, newest first."""
        page = selectors.product_page(
            PageQuery.page_request(self.query), for_staff=_is_staff(request)
        )
        return page_response(request, page, present_product)

    @rate_limited(WRITES)
    def create(self, request: Request) -> Response:
        """Add a product."""
        product = ProductService.create(values=self.body())
        headers = {"Location": request.build_absolute_uri(f"/products/{product['_id']}")}
        return tagged_response(
            request, present_product(product), etag(product["version"]), status=201, headers=headers
        )

    def retrieve(self, request: Request, pk: str) -> Response:
        """One product."""
        product = selectors.product(pk, for_staff=_is_staff(request))
        return tagged_response(request, present_product(product), etag(product["version"]))

    @rate_limited(WRITES)
    def update(self, request: Request, pk: str) -> Response:
        """Replace or change a product."""
        product = ProductService.update(
            product_id=pk, changes=self.body(), expected_versions=expected_versions(request)
        )
        return tagged_response(request, present_product(product), etag(product["version"]))

    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """As update; `body()` leaves absent fields absent."""
        return self.update(request, **kwargs)

    @rate_limited(WRITES)
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a product out of the shop."""
        ProductService.delete(product_id=pk, expected_versions=expected_versions(request))
        return Response(status=204)
