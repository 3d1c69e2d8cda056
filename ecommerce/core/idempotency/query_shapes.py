"""Every way in which the records of idempotency are asked: by id, so one shard answers."""

from typing import Final

from ecommerce.core.documents import IdempotencyRecord
from ecommerce.core.query_shapes import ANYTHING, BY_ID, QueryShape

QUERY_SHAPES: Final = (
    QueryShape(
        "claim a key, store or find its answer", IdempotencyRecord, BY_ID, ("_id",),
        further=ANYTHING, reason="at most one document has the value",
    ),
)  # fmt: skip
