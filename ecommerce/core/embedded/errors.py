"""Why the embedded store cannot be opened."""

from pathlib import Path


class StoreError(Exception):
    """The embedded store cannot be opened; the message says what to do."""


class StoreLockedError(StoreError):
    """Another process has the store open."""

    def __init__(self, path: Path, pid: str) -> None:
        super().__init__(
            f"The store {path} is in use by process {pid or 'unknown'}, and one process at a time "
            "can use it. Stop that process (or talk to it over HTTP), or set STORE_PATH to another "
            "file, or set MONGODB_URI to a MongoDB server, which many processes can share."
        )


class StoreDamagedError(StoreError):
    """The file cannot be read; it was left as it is."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The store {path} cannot be read: {reason}. The file was not changed. Move it away to "
            "start with an empty store, or put a copy of it back."
        )


class StoreUnopenedError(StoreError):
    """The system does not let us read and write the file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The store {path} cannot be opened: {reason}. Set STORE_PATH to a file that this user "
            "can write, in a folder that they can write too."
        )
