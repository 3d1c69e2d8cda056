"""Every way in which carts are asked, with the index, and why some may ask every shard.

A query that is in no row fails the test that sends it. Carts lie on shards by their `_id`: a query
without it goes to all of them, so it must be rare (docs/adr/0004 shows these rows).
"""

from typing import Final

from carts.documents import OpenCarts, ShoppingCart
from ecommerce.core.query_shapes import ANYTHING, BY_ID, QueryShape

_ONE: Final = "at most one document has the value"
_FEW: Final = "a user has few carts"
_TRAITS: Final = ("expires_at", "updated_at", "items.product_id", "user_id")

QUERY_SHAPES: Final = (
    QueryShape(
        "read, change or delete carts by id", ShoppingCart, BY_ID, ("_id",),
        further=ANYTHING, reason=_ONE,
    ),
    QueryShape(
        "list, export or delete the carts of a user", ShoppingCart, "newest_of_user", ("user_id",),
        sort=(("_id", -1),), further=_TRAITS, reason=_FEW,
        broadcast="a shopper lists carts once a visit, if ever; the page bounds it",
    ),
    QueryShape(
        "a cart without lines, to use once more", ShoppingCart, "newest_of_user", ("user_id",),
        sort=(("_id", 1),), further=("expires_at", "items.0", "saved_items.0"), reason=_FEW,
        broadcast="asked only of who has 20 open carts and starts another",
    ),
    QueryShape(
        "the cart that a repeated creation filled", ShoppingCart, "newest_of_user", ("user_id",),
        further=("operations", "expires_at"), reason=_FEW,
        broadcast="asked only when a creation with an Idempotency-Key is tried again",
    ),
    QueryShape(
        "list carts with a product", ShoppingCart, "carts_with_product", ("items.product_id",),
        sort=(("_id", -1),), further=_TRAITS, reason="staff narrows what it looks for",
        broadcast="staff alone looks for other people's carts",
    ),
    QueryShape(
        "list all carts", ShoppingCart, BY_ID, sort=(("_id", -1),), further=_TRAITS,
        reason="nearly every cart that is stored is also shown",
        broadcast="staff alone looks for other people's carts",
    ),
    QueryShape(
        "find what has expired", ShoppingCart, "cart_expiry", ranges=("expires_at",),
        broadcast="a command that runs once a day",
    ),
    QueryShape(
        "the list of a user's open carts", OpenCarts, BY_ID, ("_id",),
        further=ANYTHING, reason=_ONE,
    ),
)  # fmt: skip
