"""`manage.py export_categories`: the tree of categories into a file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from catalog.importing.category_files import write_categories
from catalog.selectors import every_category
from ecommerce.core.commands import ShopCommand
from ecommerce.core.drafts import written_whole


class Command(ShopCommand):
    """What `import_categories` reads back without a difference."""

    help = "Export every category as JSON Lines, from the top of the tree to its bottom."
    examples: ClassVar[str] = """
  manage.py export_categories categories.jsonl
  manage.py export_categories | gzip > categories.jsonl.gz
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("file", type=Path, nargs="?", help="standard output if left out")

    def run(self, **options: Any) -> None:
        """Write, and say how many on standard error."""
        path: Path | None = options["file"]
        if path is None:
            count = write_categories(every_category(), sys.stdout)
        else:
            with written_whole(path) as file:
                count = write_categories(every_category(), file)
        self.stderr.write(f"{count} categories exported.")
