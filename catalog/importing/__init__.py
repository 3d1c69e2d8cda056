"""Products from files: each format becomes rows, and rows go through the same rules as the API."""

from catalog.importing.formats import Source, file_source, inspected, read_rows
from catalog.importing.rows import ImportRow, RowResult, Tally, UnreadableFileError
from catalog.importing.run import RowImporter

__all__ = [
    "ImportRow",
    "RowImporter",
    "RowResult",
    "Source",
    "Tally",
    "UnreadableFileError",
    "file_source",
    "inspected",
    "read_rows",
]
