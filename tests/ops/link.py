"""A link to a database that a test can make slow."""

import socket
import threading
import time
from contextlib import suppress

from tests.live.server import free_port


class SlowLink:
    """Passes bytes on between its port and another; answers wait for `delay` seconds."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.delay = 0.0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                for ends in ((near, far, False), (far, near, True)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, to: socket.socket, answers: bool) -> None:
        with suppress(OSError), source, to:
            while data := source.recv(65536):
                if answers:
                    time.sleep(self.delay)
                to.sendall(data)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()
