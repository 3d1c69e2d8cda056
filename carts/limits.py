"""How much a cart may hold."""

from typing import Final

MAX_LINES: Final = 100
"""Lines in one cart."""
MAX_LINE_QUANTITY: Final = 999
"""Pieces in one line."""
