"""All writes of carts."""

from carts.services.carts import ShoppingCartService
from carts.services.checks import Item

__all__ = ["Item", "ShoppingCartService"]
