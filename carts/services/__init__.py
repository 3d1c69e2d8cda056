"""All writes of carts."""

from carts.services.access import Access
from carts.services.carts import ShoppingCartService
from carts.services.items import Item

__all__ = ["Access", "Item", "ShoppingCartService"]
