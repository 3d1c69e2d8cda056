"""`/shopping-carts/`: the HTTP side of carts."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import caller_of
from accounts.principal import Principal
from accounts.rules import ANYONE, READS_CART, SIGNED_IN
from carts import selectors
from carts.errors import ProductMismatchError
from carts.openapi import carts_schema, change_item_schema, remove_item_schema
from carts.presenters import cart_etag, present_cart, present_merged
from carts.pricing import PricedCart
from carts.serializers import (
    AddInput,
    CartInput,
    CartQuery,
    LineInput,
    LineQuery,
    MergeInput,
    MergeQuery,
)
from carts.services import Access, MergeMode, ShoppingCartService
from carts.shopper import Shopper
from carts.tokens import hash_of
from ecommerce.core.conditional import expected_versions, tagged_response
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.idempotency import idempotent
from ecommerce.core.pagination import page_response
from ecommerce.core.rate_limits import WRITES, rate_limited
from ecommerce.core.viewsets import ShopViewSet

Links = list[tuple[str, str]]
_LINE_PATH = r"items/(?P<product_id>[^/]+)"
_SAVED_PATH = r"saved-items/(?P<product_id>[^/]+)"
_OF_ITS_OWNER = (
    "create", "retrieve", "update", "partial_update", "destroy", "add_item", "set_item",
    "change_item", "remove_item", "save_item", "restore_item", "remove_saved_item", "clear",
    "refresh_prices",
)  # fmt: skip
"""Nobody needs an account for these: the cart itself asks for its owner or for its secret."""


@carts_schema
class ShoppingCartViewSet(ShopViewSet):
    """Carts of users, and of guests who have a cart's secret. Staff answers for any customer."""

    inputs = {
        "create": CartInput,
        "update": CartInput,
        "partial_update": CartInput,
        "add_item": AddInput,
        "set_item": LineInput,
        "change_item": LineInput,
        "merge": MergeInput,
    }
    rows_lead_to = {"list": "/shopping-carts"}
    varies_by = (*ShopViewSet.varies_by, "X-Cart-Token")
    queries = {
        "list": CartQuery,
        "set_item": LineQuery,
        "change_item": LineQuery,
        "remove_item": LineQuery,
        "save_item": LineQuery,
        "restore_item": LineQuery,
        "remove_saved_item": LineQuery,
        "merge": MergeQuery,
    }
    rules = dict.fromkeys(_OF_ITS_OWNER, ANYONE) | {"list": READS_CART, "merge": SIGNED_IN}

    def handle_exception(self, exc: Exception) -> Response:
        """A failed `If-Match` shows the cart as it is now, so that nobody has to ask again."""
        if isinstance(exc, PreconditionFailedError) and "pk" in self.kwargs:
            try:
                cart = selectors.cart(self.kwargs["pk"], shopper=self._shopper())
            except Exception as gone:  # noqa: BLE001 - whatever it is, it is answered
                return super().handle_exception(gone)
            exc.members["cart"] = present_cart(cart)
        return super().handle_exception(exc)

    def links(self, data: Mapping[str, Any]) -> Links:
        """From a cart to the forms for its lines."""
        if "user_id" not in data:
            return super().links(data)
        cart = f"/shopping-carts/{data['id']}"
        lines = [(line["name"], f"{cart}/items/{_named(line)}") for line in data["items"]]
        return [
            ("Cart", cart),
            ("Add an item", f"{cart}/items"),
            *lines,
            ("Accept new prices", f"{cart}/refresh-prices"),
            ("Clear", f"{cart}/clear"),
        ]

    def list(self, request: Request) -> Response:
        """The caller's own carts, newest first; for staff, those of anybody."""
        page, carts = selectors.cart_page(
            CartQuery.page_request(self.query),
            caller=caller_of(request),
            wanted=CartQuery.wanted(self.query),
        )
        by_id = {cart.row["_id"]: cart for cart in carts}
        return page_response(request, page, lambda row: present_cart(by_id[row["_id"]]))

    @rate_limited(WRITES)
    @idempotent
    def create(self, request: Request) -> Response:
        """A new cart, empty or with items. A guest gets its secret, this once."""
        cart, token = ShoppingCartService.create(
            shopper=self._shopper(), operation=self.operation, **self.body()
        )
        headers = {"Location": request.build_absolute_uri(f"/shopping-carts/{cart.row['_id']}")}
        if token is None:
            return _answer(request, cart, status=201, headers=headers)
        body, headers["Cache-Control"] = {**present_cart(cart), "cart_token": token}, "no-store"
        return tagged_response(request, lambda: body, cart_etag(cart), status=201, headers=headers)

    def retrieve(self, request: Request, pk: str) -> Response:
        """One cart with present prices."""
        return _answer(request, selectors.cart(pk, shopper=self._shopper()))

    @rate_limited(WRITES)
    def update(self, request: Request, pk: str) -> Response:
        """Have the cart hold these items and nothing else.

        A line that stays keeps its `price_at_add`, which `refresh-prices` alone renews, and the
        note and attributes that are not sent. A new line has the price of now.
        """
        cart = ShoppingCartService.replace(access=self._access(pk), **self.body())
        return _answer(request, cart)

    @rate_limited(WRITES)
    def partial_update(self, request: Request, pk: str) -> Response:
        """As PUT, and so a line that stays keeps its `price_at_add`; without `items` all stay."""
        body = {"items": None, **self.body()}
        return _answer(request, ShoppingCartService.replace(access=self._access(pk), **body))

    @rate_limited(WRITES)
    def destroy(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Delete the cart."""
        ShoppingCartService.delete(access=self._access(pk))
        return Response(status=204)

    @action(detail=True, methods=["post"], url_path="items")
    @rate_limited(WRITES)
    @idempotent
    def add_item(self, request: Request, pk: str) -> Response:
        """Add one item or several: 201 if a line was started, 200 if lines were only raised."""
        added = ShoppingCartService.add(access=self._access(pk), **self.body())
        return _answer(request, added.cart, status=201 if added.is_new else 200)

    @action(detail=True, methods=["put"], url_path=_LINE_PATH)
    @rate_limited(WRITES)
    def set_item(self, request: Request, pk: str, product_id: str) -> Response:
        """Set how many of a product the cart holds."""
        return _answer(request, self._set(pk, product_id))

    @set_item.mapping.patch
    @change_item_schema
    @rate_limited(WRITES)
    def change_item(self, request: Request, pk: str, product_id: str) -> Response:
        """As PUT; what is left out stays."""
        return _answer(request, self._set(pk, product_id))

    @set_item.mapping.delete
    @remove_item_schema
    @rate_limited(WRITES)
    def remove_item(self, request: Request, pk: str, product_id: str) -> Response:
        """Take a product out of the cart."""
        cart = ShoppingCartService.remove_line(**self._line(pk, product_id))
        return _answer(request, cart)

    @action(detail=True, methods=["post"], url_path=f"{_LINE_PATH}/save")
    @rate_limited(WRITES)
    @idempotent
    def save_item(self, request: Request, pk: str, product_id: str) -> Response:
        """Move a line to what is saved for later."""
        # Of an action without fields, a body is empty or refused.
        line = {**self._line(pk, product_id), **self.body()}
        return _answer(request, ShoppingCartService.save_for_later(**line))

    @action(detail=True, methods=["post"], url_path=f"{_SAVED_PATH}/restore")
    @rate_limited(WRITES)
    @idempotent
    def restore_item(self, request: Request, pk: str, product_id: str) -> Response:
        """Move a saved line back into the cart."""
        line = {**self._line(pk, product_id), **self.body()}
        return _answer(request, ShoppingCartService.restore(**line))

    @action(detail=True, methods=["delete"], url_path=_SAVED_PATH)
    @rate_limited(WRITES)
    def remove_saved_item(self, request: Request, pk: str, product_id: str) -> Response:
        """Take a product out of what is saved for later."""
        cart = ShoppingCartService.remove_line(**self._line(pk, product_id), place="saved_items")
        return _answer(request, cart)

    @action(detail=True, methods=["delete"])
    @rate_limited(WRITES)
    def clear(self, request: Request, pk: str) -> Response:
        """Take everything out of the cart."""
        return _answer(request, ShoppingCartService.clear(access=self._access(pk)))

    @action(detail=True, methods=["post"], url_path="refresh-prices")
    @rate_limited(WRITES)
    @idempotent
    def refresh_prices(self, request: Request, pk: str) -> Response:
        """Accept the present prices."""
        cart = ShoppingCartService.refresh_prices(access=self._access(pk), **self.body())
        return _answer(request, cart)

    @action(detail=True, methods=["post"])
    @rate_limited(WRITES)
    @idempotent
    def merge(self, request: Request, pk: str) -> Response:
        """Merge a guest's cart into one of the caller's, or make it theirs."""
        body, dry_run = self.body(), self.query["dry_run"]
        merged = ShoppingCartService.merge(
            access=self._access(pk),
            user_id=caller_of(request).id,
            into=body["into"],
            mode=MergeMode(body["mode"]),
            dry_run=dry_run,
        )
        body = present_merged(merged, dry_run=dry_run)
        if dry_run:  # no cart is as this one
            return Response(body)
        return tagged_response(request, lambda: body, cart_etag(merged.cart))

    def _set(self, cart_id: str, product_id: str) -> PricedCart:
        body, line = self.body(), self._line(cart_id, product_id)
        if body.pop("product_id", product_id.lower()) != product_id.lower():
            raise ProductMismatchError
        if "sku" in body and line.setdefault("sku", body["sku"]) != body.pop("sku"):
            raise ProductMismatchError("`sku` in the body is not the one of the query.")
        return ShoppingCartService.set_line(**line, **body)

    def _line(self, cart_id: str, product_id: str) -> dict[str, Any]:
        """What every write of one line names."""
        return {"access": self._access(cart_id), "product_id": product_id, **self.query}

    def _access(self, cart_id: str) -> Access:
        """What every write of a cart names."""
        return Access(
            cart_id=cart_id,
            shopper=self._shopper(),
            operation=self.operation,
            versions=expected_versions(self.request),
            action=self.action or "",
        )

    def _shopper(self) -> Shopper:
        user = self.request.user
        return Shopper(
            principal=user if isinstance(user, Principal) else None,
            token_hash=hash_of(self.request.headers.get("X-Cart-Token", "")),
        )


def _named(line: Mapping[str, Any]) -> str:
    sku = line["sku"]
    return line["product_id"] if sku is None else f"{line['product_id']}?{urlencode({'sku': sku})}"


def _answer(
    request: Request, cart: PricedCart, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return tagged_response(
        request, lambda: present_cart(cart), cart_etag(cart), status=status, headers=headers
    )
