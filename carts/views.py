"""`/shopping-carts/`: the HTTP side of carts."""

from collections.abc import Mapping
from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import caller_of
from accounts.rules import READS_CART
from carts import selectors
from carts.errors import ProductMismatchError
from carts.openapi import carts_schema, change_item_schema, remove_item_schema
from carts.presenters import cart_etag, present_cart
from carts.pricing import PricedCart
from carts.serializers import CartInput, ItemInput, QuantityInput
from carts.services import Item, ShoppingCartService
from ecommerce.core.conditional import expected_versions, tagged_response
from ecommerce.core.pagination import page_response
from ecommerce.core.rate_limits import WRITES, rate_limited
from ecommerce.core.serializers import PageQuery
from ecommerce.core.viewsets import ShopViewSet

Links = list[tuple[str, str]]
_LINE_PATH = r"items/(?P<product_id>[^/]+)"


@carts_schema
class ShoppingCartViewSet(ShopViewSet):
    """The caller's carts. Staff sees, replaces and deletes any; lines are the owner's to change."""

    inputs = {
        "create": CartInput,
        "update": CartInput,
        "partial_update": CartInput,
        "add_item": ItemInput,
        "set_item": QuantityInput,
        "change_item": QuantityInput,
    }
    queries = {"list": PageQuery}
    rules = {"retrieve": READS_CART}

    def links(self, data: Mapping[str, Any]) -> Links:
        """From a cart to the forms for its lines."""
        if "user_id" not in data:
            return super().links(data)
        cart = f"/shopping-carts/{data['id']}"
        lines = [(line["name"], f"{cart}/items/{line['product_id']}") for line in data["items"]]
        return [
            ("Cart", cart),
            ("Add an item", f"{cart}/items"),
            *lines,
            ("Clear", f"{cart}/clear"),
        ]

    def list(self, request: Request) -> Response:
        """The caller's own carts, newest first."""
        page, carts = selectors.cart_page(
            PageQuery.page_request(self.query), caller=caller_of(request)
        )
        by_id = {cart.row["_id"]: cart for cart in carts}
        return page_response(request, page, lambda row: present_cart(by_id[row["_id"]]))

    @rate_limited(WRITES)
    def create(self, request: Request) -> Response:
        """A new cart, empty or with items."""
        cart = ShoppingCartService.create(caller=caller_of(request), **self.body())
        headers = {"Location": request.build_absolute_uri(f"/shopping-carts/{cart.row['_id']}")}
        return _answer(request, cart, status=201, headers=headers)

    def retrieve(self, request: Request, pk: str) -> Response:
        """One cart with present prices."""
        return _answer(request, selectors.cart(pk, caller=caller_of(request)))

    @rate_limited(WRITES)
    def update(self, request: Request, pk: str) -> Response:
        """Have the cart hold these items and nothing else."""
        cart = ShoppingCartService.replace(**self._whose(pk), **self.body())
        return _answer(request, cart)

    @rate_limited(WRITES)
    def partial_update(self, request: Request, pk: str) -> Response:
        """As PUT; without `items` the lines stay."""
        body = self.body()
        if "items" not in body:
            body["items"] = None
        return _answer(request, ShoppingCartService.replace(**self._whose(pk), **body))

    @rate_limited(WRITES)
    def destroy(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Delete the cart."""
        ShoppingCartService.delete(**self._whose(pk))
        return Response(status=204)

    @action(detail=True, methods=["post"], url_path="items")
    @rate_limited(WRITES)
    def add_item(self, request: Request, pk: str) -> Response:
        """Add to the product's line, or start one: 201 for a new line, 200 for a raised one."""
        cart, is_new = ShoppingCartService.add(**self._whose(pk), item=Item(**self.body()))
        return _answer(request, cart, status=201 if is_new else 200)

    @action(detail=True, methods=["put"], url_path=_LINE_PATH)
    @rate_limited(WRITES)
    def set_item(self, request: Request, pk: str, product_id: str) -> Response:  # noqa: ARG002
        """Set how many of a product the cart holds."""
        return self._set(pk, product_id)

    @set_item.mapping.patch
    @change_item_schema
    @rate_limited(WRITES)
    def change_item(self, request: Request, pk: str, product_id: str) -> Response:  # noqa: ARG002
        """As PUT; without `quantity` the line stays."""
        return self._set(pk, product_id)

    @set_item.mapping.delete
    @remove_item_schema
    @rate_limited(WRITES)
    def remove_item(self, request: Request, pk: str, product_id: str) -> Response:
        """Take a product out of the cart."""
        cart = ShoppingCartService.remove(**self._whose(pk), product_id=product_id)
        return _answer(request, cart)

    @action(detail=True, methods=["delete"])
    @rate_limited(WRITES)
    def clear(self, request: Request, pk: str) -> Response:
        """Take everything out of the cart."""
        return _answer(request, ShoppingCartService.clear(**self._whose(pk)))

    def _set(self, cart_id: str, product_id: str) -> Response:
        body = self.body()
        if body.get("product_id", product_id.lower()) != product_id.lower():
            raise ProductMismatchError
        cart = ShoppingCartService.set_quantity(
            **self._whose(cart_id), product_id=product_id, quantity=body.get("quantity")
        )
        return _answer(self.request, cart)

    def _whose(self, cart_id: str) -> dict[str, Any]:
        """What every write of a cart names: which, for whom, and at which version."""
        return {
            "cart_id": cart_id,
            "caller": caller_of(self.request),
            "expected_versions": expected_versions(self.request),
        }


def _answer(
    request: Request, cart: PricedCart, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return tagged_response(
        request, lambda: present_cart(cart), cart_etag(cart), status=status, headers=headers
    )
