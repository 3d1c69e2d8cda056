"""Requests to WSGI applications, without Django's test client, and what they add to the metrics."""

import io
import sys
from collections.abc import Callable
from typing import Any

from prometheus_client import REGISTRY

Sent = tuple[str, list[tuple[str, str]], bytes]


class Calls:
    """Sends one request to a WSGI application."""

    def __init__(self, application: Any) -> None:
        self.application = application

    def __call__(self, path: str, method: str = "GET", **headers: str) -> Sent:
        address, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": address, "QUERY_STRING": query,
            "SERVER_NAME": "testserver", "SERVER_PORT": "80", "HTTP_HOST": "testserver",
            "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0),
            "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http",
            "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
            "HTTP_X_REQUEST_ID": "request-0001", **headers,
        }  # fmt: skip
        sent: list[Any] = []
        answer = self.application(environ, lambda *given: sent.extend(given))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        return sent[0], sent[1], body


def _series() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every counted value; times differ from run to run."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if (
            sample.name.startswith("django_http")
            and not sample.name.endswith(("_sum", "_created"))
            and "latency" not in sample.name
        )
        or sample.name.endswith("latency_seconds_by_view_method_count")
    }


def added(call: Callable[[], Sent]) -> dict[Any, float]:
    before = _series()
    call()
    return {k: v - before.get(k, 0) for k, v in _series().items() if v != before.get(k, 0)}
