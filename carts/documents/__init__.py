"""What is stored about carts. Rules live in services; this is fields and indexes only."""

from carts.documents.carts import CartRow, ShoppingCart
from carts.documents.lines import CartItem, LineAttribute, LineAttributeRow, LineRow, line_key

__all__ = [
    "CartItem",
    "CartRow",
    "LineAttribute",
    "LineAttributeRow",
    "LineRow",
    "ShoppingCart",
    "line_key",
]
