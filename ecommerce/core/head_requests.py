"""HEAD: the headers of GET, and nothing of its body (RFC 9110 section 9.3.2).

Django leaves the body to the server. gunicorn drops it too, but has all of it made first, such as a
whole export, and logs a warning for each.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ecommerce.core.public_reads.layer import StartResponse, WSGIApplication


class HeadWithoutBody:
    """The WSGI layer around everything that answers."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        response = self._application(environ, start_response)
        return _Bodiless(response) if environ["REQUEST_METHOD"] == "HEAD" else response


class _Bodiless:
    """An answer of which nothing is read; the server closes it as it would have."""

    def __init__(self, response: Iterable[bytes]) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        """Django ends its request with this."""
        getattr(self._response, "close", lambda: None)()
