"""What is stored about carts. Rules live in services; this is fields and indexes only."""

from carts.documents.carts import CartItem, CartRow, LineRow, ShoppingCart

__all__ = ["CartItem", "CartRow", "LineRow", "ShoppingCart"]
