"""All writes of the catalog."""

from catalog.services.categories import CategoryService
from catalog.services.products import ProductService
from catalog.services.stock import StockService

__all__ = ["CategoryService", "ProductService", "StockService"]
