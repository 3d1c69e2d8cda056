"""The embedded store: a MongoDB for one process, for laptops and tests.

mongomock gives the query language; this layer makes it trustworthy: every operation atomic under
one lock, every change in a SQLite file before the call returns, equality lookups by index, and one
process at a time. Not for production: one process, everything in memory.
"""

from ecommerce.core.embedded.client import EmbeddedMongoClient, open_embedded_client
from ecommerce.core.embedded.errors import (
    StoreDamagedError,
    StoreError,
    StoreLockedError,
    StoreUnopenedError,
)

__all__ = [
    "EmbeddedMongoClient",
    "StoreDamagedError",
    "StoreError",
    "StoreLockedError",
    "StoreUnopenedError",
    "open_embedded_client",
]
