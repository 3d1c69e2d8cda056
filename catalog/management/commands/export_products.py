"""`manage.py export_products`: the catalog into a file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from catalog.exporting import write_csv, write_jsonl
from catalog.selectors import every_product
from ecommerce.core.commands import ShopCommand


class Command(ShopCommand):
    """Streams, so the catalog may have any size."""

    help = "Export every product as CSV in Shopify's columns, or as JSON Lines."
    examples: ClassVar[str] = """
  manage.py export_products products.csv
  manage.py export_products --format jsonl > products.jsonl
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, and how."""
        parser.add_argument("file", type=Path, nargs="?", help="standard output if left out")
        parser.add_argument("--format", choices=["csv", "jsonl"], help="else by the file's name")

    def run(self, **options: Any) -> None:
        """Write, and say how many on standard error."""
        path: Path | None = options["file"]
        by_name = "jsonl" if path and path.suffix in {".jsonl", ".json"} else "csv"
        write = write_jsonl if (options["format"] or by_name) == "jsonl" else write_csv
        if path is None:
            count = write(every_product(), sys.stdout)
        else:
            with path.open("w", encoding="utf-8", newline="") as file:
                count = write(every_product(), file)
        self.stderr.write(f"{count} products exported.")
