"""The catalog: what the shop sells."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Products."""

    name = "catalog"

    def ready(self) -> None:
        """Make documents and queries known to the index command."""
        from catalog import documents
        from catalog.query_shapes import QUERY_SHAPES

        self.documents_module = documents
        self.query_shapes = QUERY_SHAPES
