"""Input of the catalog, and the shape of its answers for OpenAPI."""

from catalog.serializers.bulk import BulkInput, BulkShape
from catalog.serializers.categories import (
    CategoryInput,
    CategoryPageShape,
    CategoryQuery,
    CategoryShape,
    DeleteCategoryQuery,
)
from catalog.serializers.faults import CatalogProblemShape
from catalog.serializers.imports import (
    ExportQuery,
    ImportForm,
    ImportJobPageShape,
    ImportJobShape,
    ImportQuery,
    ImportResultPageShape,
    ImportResultQuery,
)
from catalog.serializers.products import (
    ProductInput,
    ProductPageShape,
    ProductShape,
    SparseProductShape,
    VariantInput,
)
from catalog.serializers.queries import (
    CategoryProductQuery,
    FacetQuery,
    FacetsShape,
    ProductQuery,
    RetrieveQuery,
    SuggestionsShape,
    SuggestQuery,
)
from catalog.serializers.stock import MovementPageShape, StockInput

__all__ = [
    "BulkInput",
    "BulkShape",
    "CatalogProblemShape",
    "CategoryInput",
    "CategoryPageShape",
    "CategoryProductQuery",
    "CategoryQuery",
    "CategoryShape",
    "DeleteCategoryQuery",
    "ExportQuery",
    "FacetQuery",
    "FacetsShape",
    "ImportForm",
    "ImportJobPageShape",
    "ImportJobShape",
    "ImportQuery",
    "ImportResultPageShape",
    "ImportResultQuery",
    "MovementPageShape",
    "ProductInput",
    "ProductPageShape",
    "ProductQuery",
    "ProductShape",
    "RetrieveQuery",
    "SparseProductShape",
    "StockInput",
    "SuggestQuery",
    "SuggestionsShape",
    "VariantInput",
]
