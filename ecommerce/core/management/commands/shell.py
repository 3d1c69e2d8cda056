"""`manage.py shell`: a Python shell with the documents imported and the store connected."""

from typing import Any

from django.core.management.commands import shell

from ecommerce.core import mongo
from ecommerce.core.indexes import documents


class Command(shell.Command):
    """Django's shell; its automatic imports are our documents."""

    help = "A Python shell with every document class imported, e.g. `Product.objects.count()`."

    def get_auto_imports(self) -> list[str]:
        """The documents, by their import paths."""
        return [f"{document.__module__}.{document.__name__}" for document in documents()]

    def handle(self, **options: Any) -> None:
        """Connect before the first line is typed."""
        mongo.connect()
        super().handle(**options)
