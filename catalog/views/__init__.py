"""The HTTP side of the catalog."""

from catalog.views.categories import CategoryViewSet
from catalog.views.exports import ExportViewSet
from catalog.views.imports import ImportViewSet
from catalog.views.products import ProductViewSet

__all__ = ["CategoryViewSet", "ExportViewSet", "ImportViewSet", "ProductViewSet"]
