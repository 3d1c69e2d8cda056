"""The HTTP side of the catalog."""

from catalog.views.categories import CategoryViewSet
from catalog.views.products import ProductViewSet

__all__ = ["CategoryViewSet", "ProductViewSet"]
