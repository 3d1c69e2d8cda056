"""What is stored about carts. Rules live in services; this is fields and indexes only."""

from carts.documents.carts import CartRow, ShoppingCart
from carts.documents.lines import CartItem, LineAttribute, LineAttributeRow, LineRow, line_key
from carts.documents.merges import (
    Adjustment,
    AdjustmentRow,
    Merge,
    MergedSource,
    MergedSourceRow,
    MergeRow,
)
from carts.documents.open_carts import OpenCart, OpenCartRow, OpenCarts, OpenCartsRow

__all__ = [
    "Adjustment",
    "AdjustmentRow",
    "CartItem",
    "CartRow",
    "LineAttribute",
    "LineAttributeRow",
    "LineRow",
    "Merge",
    "MergeRow",
    "MergedSource",
    "MergedSourceRow",
    "OpenCart",
    "OpenCartRow",
    "OpenCarts",
    "OpenCartsRow",
    "ShoppingCart",
    "line_key",
]
