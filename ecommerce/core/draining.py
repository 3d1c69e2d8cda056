"""A server that is about to end says so first, and serves on until the balancer has heard it.

On SIGTERM gunicorn closes its port at once: a POST that is on its way in that moment gets no
answer. So the first SIGTERM only turns `/readyz` to 503; the server ends DRAIN_SECONDS later, or at
a second SIGTERM. gunicorn's master imports this before it forks: the workers share the mark.
"""

import mmap
import os
import signal
import threading
from types import FrameType
from typing import Final

_mark: Final = mmap.mmap(-1, 1)


def is_draining() -> bool:
    """Whether this server was told to end."""
    return _mark[0] != 0


def drain_before_end(seconds: float) -> None:
    """In the master, after gunicorn has set its handlers: delay what the first SIGTERM does.

    Args:
        seconds: from SIGTERM to the end; 0 leaves everything as it is.
    """
    if not seconds:
        return
    end = signal.getsignal(signal.SIGTERM)

    def drain(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what signals give
        signal.signal(signal.SIGTERM, end)
        _mark[0] = 1
        again = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM))
        again.daemon = True
        again.start()

    signal.signal(signal.SIGTERM, drain)
