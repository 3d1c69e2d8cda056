"""What tests of carts put into them."""

from collections.abc import Callable
from typing import Any

from catalog.documents import ProductRow

MakeProduct = Callable[..., ProductRow]
"""The fixture `make_product`."""


def item(product: ProductRow, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """As the API takes it."""
    return {"product_id": str(product["_id"]), "quantity": quantity, **more}
