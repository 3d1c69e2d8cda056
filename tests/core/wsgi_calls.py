"""Requests to WSGI applications, without Django's test client, and what they leave behind them:
in the metrics and in the access log."""

import io
import json
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from prometheus_client import REGISTRY

from ecommerce.core.logs.server import access_line
from ecommerce.core.response_cache import topics

Sent = tuple[str, list[tuple[str, str]], bytes]
LIMITS: Final = frozenset({"RateLimit", "RateLimit-Policy"})
"""The headers of a request that is limited."""


class Calls:
    """Sends one request to a WSGI application."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.line: dict[str, Any] = {}
        """What the access log says of the last request, but for when it was and how long."""

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
        self.line = _access(environ, sent[0], sent[1], body)
        return sent[0], sent[1], body


def _access(
    environ: dict[str, Any], status: str, headers: list[tuple[str, str]], body: bytes
) -> dict[str, Any]:
    line = access_line(environ, int(status[:3]), headers, len(body), timedelta(milliseconds=1))
    return {name: value for name, value in json.loads(line).items() if name != "@timestamp"}


def whatever_is_left(answer: Sent) -> Sent:
    """The answer without how many requests, and seconds, its rate limit has left."""
    status, headers, body = answer
    masked = [(n, re.sub(r"r=\d+;t=\d+", "r=_;t=_", v)) for n, v in headers]
    return status, masked, body


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


def found(call: Callable[[], Sent]) -> dict[str, float]:
    """Where what the call answers was found, as the metrics count it."""
    places = ("process", "shared", "miss")
    asked = [("shop_kept_answers_total", {"found": place}) for place in places]
    before = [REGISTRY.get_sample_value(*one) or 0 for one in asked]
    call()
    after = [REGISTRY.get_sample_value(*one) or 0 for one in asked]
    return {p: n - b for p, n, b in zip(places, after, before, strict=True) if n != b}


def read_before_new_tokens(read: Callable[[], Sent], monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """Have something read at the moment before topics get new tokens, once; what was answered."""
    store, between = topics._set, list[Sent]()

    def store_after_a_read(values: dict[str, bytes], seconds: float) -> bool:
        if not between and any(name.startswith("topic:") for name in values):
            between.append(read())
        return store(values, seconds)

    monkeypatch.setattr(topics, "_set", store_after_a_read)
    return between
