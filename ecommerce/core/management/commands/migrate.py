"""`manage.py migrate`: make the indexes that the documents declare. There is no SQL to migrate."""

from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.db.migrations.autodetector import MigrationAutodetector

from ecommerce.core.commands import ShopCommand
from ecommerce.core.indexes import IndexConflictError, ensure_indexes
from ecommerce.core.query_shapes import purposes_by_index, query_shapes


class Command(ShopCommand):
    """Safe to repeat; run it before the server starts."""

    autodetector = MigrationAutodetector  # a system check of Django's wants the name to be there
    help = "Make every declared index that is missing. Safe to repeat; changes no data."
    examples: ClassVar[str] = """
  manage.py migrate
"""

    def run(self, **options: Any) -> None:  # noqa: ARG002
        """Refuses with a list when existing duplicates forbid a unique index."""
        purposes = purposes_by_index(query_shapes())
        try:
            for name in ensure_indexes():
                self.stdout.write(f"ok  {name:32}  {'; '.join(purposes.get(name, []))}".rstrip())
        except IndexConflictError as conflict:
            raise CommandError(
                f"Some indexes could not be made; nothing was changed by them:\n{conflict}\n"
                "Remove or change one document of each group, then run this again."
            ) from None
