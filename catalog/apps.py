"""The catalog: what the shop sells."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Products."""

    name = "catalog"

    def ready(self) -> None:
        """Make documents, their rules and queries known, and what staff has done."""
        from accounts.lifecycle import on_user_exported
        from catalog import documents, selectors
        from catalog.invariants import CHECKED
        from catalog.query_shapes import QUERY_SHAPES
        from ecommerce.core.invariants import register

        self.documents_module = documents
        register(*CHECKED)
        self.query_shapes = QUERY_SHAPES
        on_user_exported("stock_movements", selectors.stored_movements_by)
        on_user_exported("imports", selectors.stored_imports_by)
