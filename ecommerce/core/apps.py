"""The shared kernel as a Django app: its commands, checks and schema extensions."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Holds what every app needs and imports none of them."""

    name = "ecommerce.core"
    label = "core"

    def ready(self) -> None:
        """Make the documents known to the index command."""
        from ecommerce.core import documents

        self.documents_module = documents
