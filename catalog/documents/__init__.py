"""What is stored about the catalog. Rules live in services; this is fields and indexes only."""

from catalog.documents.categories import Category, CategoryRow, CategoryTree, CategoryTreeRow
from catalog.documents.imports import (
    FileFormat,
    ImportChunk,
    ImportChunkRow,
    ImportJob,
    ImportJobRow,
    ImportOutcome,
    ImportResult,
    ImportResultRow,
    ImportState,
)
from catalog.documents.products import (
    Attribute,
    AttributeRow,
    Image,
    ImageRow,
    Product,
    ProductRow,
    ProductStatus,
    Variant,
    VariantOption,
    VariantOptionRow,
    VariantRow,
)
from catalog.documents.stock import StockMovement, StockMovementRow

__all__ = [
    "Attribute",
    "AttributeRow",
    "Category",
    "CategoryRow",
    "CategoryTree",
    "CategoryTreeRow",
    "FileFormat",
    "Image",
    "ImageRow",
    "ImportChunk",
    "ImportChunkRow",
    "ImportJob",
    "ImportJobRow",
    "ImportOutcome",
    "ImportResult",
    "ImportResultRow",
    "ImportState",
    "Product",
    "ProductRow",
    "ProductStatus",
    "StockMovement",
    "StockMovementRow",
    "Variant",
    "VariantOption",
    "VariantOptionRow",
    "VariantRow",
]
