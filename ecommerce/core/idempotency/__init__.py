"""`Idempotency-Key`: whatever crashes where, a POST and its retries have one effect.

A view method stands under `@idempotent` and hands `self.operation` to its service, which writes the
operation's id in the same atomic update as the effect. docs/adr/0005 has the whole rule.
"""

from ecommerce.core.idempotency.decorator import (
    IDEMPOTENCY_KEY,
    REPLAYED,
    idempotent,
    is_idempotent,
)
from ecommerce.core.idempotency.errors import KeyReusedError
from ecommerce.core.idempotency.operations import Operation

__all__ = [
    "IDEMPOTENCY_KEY",
    "REPLAYED",
    "KeyReusedError",
    "Operation",
    "idempotent",
    "is_idempotent",
]
