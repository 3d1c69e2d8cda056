"""Products from files: each format becomes rows, and rows go through the same rules as the API."""

from catalog.importing.formats import UnreadableFileError, read_rows
from catalog.importing.rows import ImportRow, Report
from catalog.importing.run import import_rows

__all__ = ["ImportRow", "Report", "UnreadableFileError", "import_rows", "read_rows"]
