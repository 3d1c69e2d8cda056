"""A link between a server and what it needs, which a test can make slow, silent or broken."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.live.server import free_port

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: closing sends RST, not FIN."""


class Link:
    """Passes bytes on between its port and another, as well as it is told to.

    Answers wait for `delay` seconds.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.delay = 0.0
        self._target = target
        self._flows = threading.Event()
        self._flows.set()
        self._refuses = self._resets = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Every answer comes so much later."""
        self.delay = seconds
        try:
            yield
        finally:
            self.delay = 0.0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Connections stay and new ones are taken, but no byte arrives: the other side hangs."""
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Connections end, and new ones end at once: the other side was stopped."""
        with self._broken(resets=False):
            yield

    @contextmanager
    def reset(self) -> Iterator[None]:
        """The same with RST: the other side crashed, or a firewall forgot about it."""
        with self._broken(resets=True):
            yield

    @contextmanager
    def _broken(self, *, resets: bool) -> Iterator[None]:
        self._refuses, self._resets = True, resets
        self._close_all()
        try:
            yield
        finally:
            self._refuses = False

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()
        self._close_all()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                if self._refuses:
                    self._end(near)
                else:
                    self._join(near)

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:  # nobody listens: to the client it looks the same
            self._end(near)
            return
        with self._lock:
            self._open |= {near, far}
        for ends in ((near, far, False), (far, near, True)):
            threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, to: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if answers:
                    time.sleep(self.delay)
                self._flows.wait()
                to.sendall(data)
        self._end(source)
        self._end(to)

    def _close_all(self) -> None:
        with self._lock:
            ends = tuple(self._open)
        for end in ends:
            self._end(end)

    def _end(self, end: socket.socket) -> None:
        with self._lock:
            self._open.discard(end)
        with suppress(OSError):
            if self._resets:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            # Either wakes the thread that reads from it: before that, closing would close nothing.
            end.shutdown(socket.SHUT_RD if self._resets else socket.SHUT_RDWR)
        end.close()
