"""Guests' carts and what they are merged with, as the tests of merges use them."""

from typing import Any, Final

from bson import ObjectId

from carts.documents import ShoppingCart
from catalog.documents import ProductRow
from ecommerce.core.mongo import collection
from tests.carts.items import item
from tests.client import Answer, ApiClient, Person

MODES: Final = ("sum", "max", "keep-guest", "keep-mine")


class GuestCart:
    """A guest's cart and its secret."""

    def __init__(self, *items: dict[str, Any]) -> None:
        made = ApiClient().post("/shopping-carts/", {"items": items})
        self.id: str = made["id"]
        self.token: str = made["cart_token"]
        self.path = f"/shopping-carts/{self.id}"

    def merge(self, who: Person, into: str | None, mode: str = "sum", **more: str) -> Answer:
        query = f"?dry_run={more.pop('dry_run')}" if "dry_run" in more else ""
        body = {"into": into, "mode": mode}
        headers = {"X_Cart_Token": self.token, **more}
        return who.api.post(f"{self.path}/merge{query}", body, **headers)

    def add(self, product: ProductRow, quantity: int = 1) -> Answer:
        return ApiClient().post(
            f"{self.path}/items", item(product, quantity), X_Cart_Token=self.token
        )

    def stored(self) -> Any:
        return collection(ShoppingCart).find_one({"_id": ObjectId(self.id)})


def cart_of(who: Person, *items: dict[str, Any]) -> str:
    cart_id: str = who.api.post("/shopping-carts/", {"items": items})["id"]
    return cart_id


def lines(cart: dict[str, Any], place: str = "items") -> list[tuple[str, int]]:
    return [(line["name"], line["quantity"]) for line in cart[place]]
