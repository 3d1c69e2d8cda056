"""The catalog: what the shop sells."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Products."""

    name = "catalog"

    def ready(self) -> None:
        """Make the documents known to the index command."""
        from catalog import documents

        self.documents_module = documents
