"""B: gunicorn and nothing else. What a WSGI answer of a product's size costs at least."""

from collections.abc import Callable, Iterable
from typing import Any

BODY = b'{"id":"0123456789abcdef01234567","description":"' + b"x" * 500 + b'"}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The same bytes for every path."""
    start_response("200 OK", HEADERS)
    return [BODY]
