"""One id for each request: on the answer, in every problem document and in every log line."""

import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{8,128}", re.ASCII)
_current: ContextVar[str] = ContextVar("request_id", default="-")


def current_request_id() -> str:
    """The id of the request being answered, `-` outside of one."""
    return _current.get()


def accepted_or_new(given: str) -> str:
    """The id that a client or a proxy sent, if it is well-formed; else a new one."""
    return given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(16)


@contextmanager
def request_id_of(environ: dict[str, Any]) -> Iterator[str]:
    """Work under the id of a request, which is its only one from now on."""
    request_id = accepted_or_new(environ.get("HTTP_X_REQUEST_ID", ""))
    environ["HTTP_X_REQUEST_ID"] = request_id
    token = _current.set(request_id)
    try:
        yield request_id
    finally:
        _current.reset(token)


class RequestIdMiddleware:
    """Accepts a well-formed X-Request-ID, else makes one; answers with it. Outermost of all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Set the id before anything else runs."""
        with request_id_of(request.META) as request_id:
            response = self._get_response(request)
        response["X-Request-ID"] = request_id
        return response


class RequestIdFilter(logging.Filter):
    """Gives every log record the id of the request it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a record."""
        record.request_id = current_request_id()
        return True
