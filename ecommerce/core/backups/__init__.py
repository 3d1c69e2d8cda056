"""All that is stored, in one file that can be checked, and back. docs/backup.md says what for.

The file has the tables of the embedded store and, beside them, what must be found in them.
"""

from ecommerce.core.backups.errors import BackupError
from ecommerce.core.backups.file import BackupFile, write_backup
from ecommerce.core.backups.restoring import restore, what_is_stored
from ecommerce.core.backups.sources import source

__all__ = [
    "BackupError",
    "BackupFile",
    "restore",
    "source",
    "what_is_stored",
    "write_backup",
]
