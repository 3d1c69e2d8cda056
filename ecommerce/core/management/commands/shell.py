"""`manage.py shell`: a Python shell with the documents imported and the store connected."""

from typing import Any, ClassVar

from django.core.management.commands import shell

from ecommerce.core import mongo
from ecommerce.core.commands import ShopCommand
from ecommerce.core.document_classes import documents


class Command(ShopCommand, shell.Command):
    """Django's shell; its automatic imports are our documents."""

    help = "A Python shell with every document class imported."
    examples: ClassVar[str] = """
  manage.py shell
  manage.py shell -c 'print(Product.objects.count())'
"""

    def get_auto_imports(self) -> list[str]:
        """The documents, by their import paths."""
        return [f"{document.__module__}.{document.__name__}" for document in documents()]

    def run(self, **options: Any) -> None:
        """Connect before the first line is typed."""
        mongo.connect()
        shell.Command.handle(self, **options)
