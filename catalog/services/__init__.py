"""All writes of the catalog."""

from catalog.services.bulk import BulkService
from catalog.services.categories import CategoryService
from catalog.services.imports import ImportJobService
from catalog.services.products import ProductService
from catalog.services.stock import StockService

__all__ = [
    "BulkService",
    "CategoryService",
    "ImportJobService",
    "ProductService",
    "StockService",
]
