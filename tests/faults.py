"""Ends the process between two steps of a write: see `ecommerce.core.checkpoints`."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

DiesAt = Callable[[str], None]
"""Arms the fixture `dies_at` with the name of a checkpoint."""
FAULT_FILE: Final = "FAULT_FILE"
"""Names, in the environment of a live server, the file that says where its next worker dies."""


class KilledError(BaseException):
    """The process dies here. Nothing that looks for an Exception sees it."""


def die_where_told(reached: str) -> None:
    """kill -9 this process at the checkpoint that the fault file names, once.

    Set as CHECKPOINT of a live server (settings of the tests only).
    """
    told = Path(os.environ[FAULT_FILE])
    try:
        wanted = told.read_text(encoding="ascii")
    except FileNotFoundError:
        return
    if reached == wanted:
        told.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
