"""Catalog rows as they go out in JSON."""

from catalog.presenters.bulk import present_results
from catalog.presenters.categories import present_category
from catalog.presenters.facets import present_facets
from catalog.presenters.imports import present_import, present_import_result
from catalog.presenters.products import (
    present_product,
    present_some,
    stored_fields,
)
from catalog.presenters.stock import present_movement

__all__ = [
    "present_category",
    "present_facets",
    "present_import",
    "present_import_result",
    "present_movement",
    "present_product",
    "present_results",
    "present_some",
    "stored_fields",
]
