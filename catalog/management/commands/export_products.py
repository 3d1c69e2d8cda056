"""`manage.py export_products`: the catalog into a file."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Final, TextIO

from django.core.management.base import CommandError

from catalog.documents import ProductRow
from catalog.exporting import EXPORT_FORMATS, export
from catalog.selectors import every_product
from ecommerce.core.commands import ShopCommand
from ecommerce.core.drafts import written_whole

_FORMATS: Final = {".csv": "csv", ".jsonl": "jsonl"}


class Command(ShopCommand):
    """Streams, so the catalog may have any size."""

    help = (
        "Export every product as CSV in Shopify's columns, or as JSON Lines. Imported into the "
        "same store, nothing differs. Another store gives products ids of its own, so what names "
        "related products names none there. CSV has no place for those, nor for attributes."
    )
    examples: ClassVar[str] = """
  manage.py export_products products.csv
  manage.py export_products --format jsonl > products.jsonl
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, and how."""
        parser.add_argument("file", type=Path, nargs="?", help="standard output if left out")
        parser.add_argument("--format", choices=EXPORT_FORMATS, help="else by the file's name")

    def run(self, **options: Any) -> None:
        """Write, and say how many on standard error."""
        path: Path | None = options["file"]
        format_name = options["format"] or _format_of(path)
        if path is None:
            count = _write(format_name, sys.stdout)
        else:
            with written_whole(path) as file:
                count = _write(format_name, file)
        self.stderr.write(f"{count} products exported.")


def _format_of(path: Path | None) -> str:
    """Of standard output: CSV."""
    suffix = path.suffix.lower() if path else ".csv"
    if suffix not in _FORMATS:
        raise CommandError(
            f"{path} could be anything: name it {' or '.join(_FORMATS)}, or say --format."
        )
    return _FORMATS[suffix]


def _write(format_name: str, file: TextIO) -> int:
    count = 0

    def counted() -> Iterable[ProductRow]:
        nonlocal count
        for row in every_product():
            count += 1
            yield row

    file.writelines(export(counted(), format_name))
    return count
