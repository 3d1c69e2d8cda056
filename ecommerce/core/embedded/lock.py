"""One process at a time: an exclusive lock beside the store's file, with the holder's pid in it."""

import fcntl
import os
from pathlib import Path

from ecommerce.core.embedded.errors import StoreLockedError


class FileLock:
    """Held from creation until `release`; the kernel lets go of it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._file = path.with_name(f"{path.name}.lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            pid = self._file.read().strip()
            self._file.close()
            raise StoreLockedError(path, pid) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let the next process in."""
        self._file.close()
