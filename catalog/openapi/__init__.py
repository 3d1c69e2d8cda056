"""What the API document says of each operation of the catalog."""

from catalog.openapi.categories import categories_schema
from catalog.openapi.imports import exports_schema, imports_schema
from catalog.openapi.products import movements_schema, products_schema

__all__ = [
    "categories_schema",
    "exports_schema",
    "imports_schema",
    "movements_schema",
    "products_schema",
]
