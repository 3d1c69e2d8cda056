"""What the shared kernel itself stores."""

from ecommerce.core.documents.data_migrations import (
    DataMigrationRecord,
    DataMigrationRow,
    MigrationState,
)
from ecommerce.core.documents.idempotency import (
    IDEMPOTENCY_KEPT_SECONDS,
    IdempotencyRecord,
    IdempotencyRecordRow,
    IdempotencyState,
)

__all__ = [
    "IDEMPOTENCY_KEPT_SECONDS",
    "DataMigrationRecord",
    "DataMigrationRow",
    "IdempotencyRecord",
    "IdempotencyRecordRow",
    "IdempotencyState",
    "MigrationState",
]
