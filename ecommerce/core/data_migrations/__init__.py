"""Changes of what is stored, each made once, while the shop is open.

An app lists its own in `data_migrations` of its AppConfig; `manage.py migrate` runs them by their
numbers. docs/adr/0008-data-migrations.md says how to write one.
"""

from ecommerce.core.data_migrations.declared import DataMigration, Phase, declared
from ecommerce.core.data_migrations.errors import (
    MigrationBusyError,
    MigrationError,
    MigrationFailedError,
)
from ecommerce.core.data_migrations.plan import Planned, plan
from ecommerce.core.data_migrations.running import Outcome, run

__all__ = [
    "DataMigration",
    "MigrationBusyError",
    "MigrationError",
    "MigrationFailedError",
    "Outcome",
    "Phase",
    "Planned",
    "declared",
    "plan",
    "run",
]
