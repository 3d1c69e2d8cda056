"""All writes of carts."""

from carts.services.access import Access
from carts.services.carts import ShoppingCartService
from carts.services.items import Item
from carts.services.merge_plan import MergeMode, Shortfall
from carts.services.merging import Merged

__all__ = ["Access", "Item", "MergeMode", "Merged", "ShoppingCartService", "Shortfall"]
