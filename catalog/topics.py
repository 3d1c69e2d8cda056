"""What public answers of the catalog are made of (see `ecommerce.core.response_cache`)."""

import zlib
from typing import Final

from bson import ObjectId

PRODUCTS: Final = "products"
"""Any product: what lists, facets and suggestions are made of."""
TREE: Final = "categories"
"""Any category. A product's answer names its category, and a move of that raises its version."""


_BUCKETS: Final = 4096
"""Products share topics, so that requests for ids that nobody has cannot fill the shared cache."""


def product_topic(product_id: ObjectId | str) -> str:
    """This product, and the few others in its bucket."""
    return f"product:{zlib.crc32(str(product_id).encode()) % _BUCKETS}"
