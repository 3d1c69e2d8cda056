"""Work that each server process looks for: at its start, now and then, and when it is woken.

So what a process that ended has left is taken up by whoever is there, and nobody has to ask for it.
Several processes look at once: the work itself must be right then, and safe to repeat.
"""

import logging
from collections.abc import Callable
from threading import Event, Thread

from pymongo.errors import PyMongoError

logger = logging.getLogger(__name__)


class Periodic:
    """A thread of the server that does one kind of work."""

    def __init__(self, name: str, work: Callable[[Event], None], *, seconds: float) -> None:
        """Nothing runs before `start`: threads do not survive a fork.

        Args:
            name: what the log calls the work, as a plural noun.
            work: does what there is to do, and soon comes back once the event is set.
            seconds: how long it rests between two looks.
        """
        self._name = name
        self._do = work
        self._seconds = seconds
        self._thread: Thread | None = None
        self._woken = Event()
        self._stopping = Event()

    def start(self) -> None:
        """Begin with what was left unfinished."""
        self._stopping.clear()
        self._thread = Thread(target=self._work, name=self._name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    def ask_to_stop(self) -> None:
        """Begin nothing more; `stop` waits for what is under way."""
        self._stopping.set()
        self._woken.set()

    def stop(self, *, seconds: float = 10.0) -> None:
        """Finish what is under way, or leave it to the next process after so many seconds."""
        self.ask_to_stop()
        if self._thread is not None:
            self._thread.join(seconds)
            self._thread = None

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                self._do(self._stopping)
            except PyMongoError as fault:
                logger.warning("%s wait for the database: %s", self._name.capitalize(), fault)
            except Exception:  # the next look may fare better; without the thread nothing does
                logger.exception("Work on %s was interrupted.", self._name)
            if not self._stopping.is_set():
                self._woken.wait(self._seconds)
