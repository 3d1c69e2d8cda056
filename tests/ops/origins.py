"""Servers that are told how to behave, where the API itself would have to be broken for a test."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.live.server import free_port
from tests.ops.fleet import Names


class Origin:
    """Counts what it is asked, keeps with which headers; `/vanish` may end without an answer."""

    def __init__(self, address: str, port: int) -> None:
        self.port = port
        self.address = address
        self.seen: Counter[str] = Counter()
        self.ready = self.vanishes = True
        self.delay = 0.0
        self.headers: dict[str, str] = {}
        self.heard: dict[str, Message] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer((address, port), _handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def status(self, path: str) -> int:
        """What it answers; 0 for nothing."""
        with self._lock:
            self.seen[path] += 1
        if path == "/readyz" and not self.ready:
            return 503
        if path == "/livez" or path == "/readyz":
            return 200
        time.sleep(self.delay)
        return 0 if path == "/vanish" and self.vanishes else 200

    def end(self) -> None:
        """Refuse connections from now on."""
        self._server.shutdown()
        self._server.server_close()


def _handler(origin: Origin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            origin.heard[self.path.partition("?")[0]] = self.headers
            status = origin.status(self.path.partition("?")[0])
            if not status:
                self.close_connection = True
                return
            body = b'{"padding": "%s"}' % (b"x" * 2000)
            self.send_response(status)
            for name, value in origin.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names are given

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


@contextmanager
def origins(folder: Path, count: int) -> Iterator[tuple[Names, list[Origin]]]:
    """So many of them, known to DNS."""
    names, port = Names(folder), free_port()
    found = [Origin(f"127.0.2.{number + 1}", port) for number in range(count)]
    names.answer([origin.address for origin in found])
    try:
        yield names, found
    finally:
        for origin in found:
            origin.end()
        names.end()
