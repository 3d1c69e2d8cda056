"""How much a cart may hold, and how long it is kept."""

from datetime import timedelta
from typing import Final

MAX_LINES: Final = 100
"""Lines in one cart, and as many saved for later."""
MAX_LINE_QUANTITY: Final = 999
"""Pieces in one line."""
MAX_NOTE: Final = 500
"""Characters in the note of a line."""
MAX_ATTRIBUTES: Final = 10
"""Attributes of a line."""
MAX_ATTRIBUTE: Final = 200
"""Characters in the value of an attribute; its name has at most a quarter of that."""
MAX_OPEN_CARTS: Final = 20
"""Carts that a user has at a time."""
MAX_OPERATIONS: Final = 100
"""Ids of operations that a cart remembers, the newest ones."""
GUEST_LIFETIME: Final = timedelta(days=30)
"""A guest's cart is gone this long after its last change."""
USER_LIFETIME: Final = timedelta(days=90)
"""And a user's cart this long."""
