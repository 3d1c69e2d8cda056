"""One id for each request: on the answer, in every problem document and in every log line."""

import logging
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from django.http import HttpRequest, HttpResponse

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{8,128}", re.ASCII)
_current: ContextVar[str] = ContextVar("request_id", default="-")


def current_request_id() -> str:
    """The id of the request being answered, `-` outside of one."""
    return _current.get()


def accepted_or_new(given: str) -> str:
    """The id that a client or a proxy sent, if it is well-formed; else a new one."""
    return given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(16)


class RequestIdMiddleware:
    """Accepts a well-formed X-Request-ID, else makes one; answers with it. Outermost of all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Set the id before anything else runs."""
        request_id = accepted_or_new(request.META.get("HTTP_X_REQUEST_ID", ""))
        token = _current.set(request_id)
        try:
            response = self._get_response(request)
        finally:
            _current.reset(token)
        response["X-Request-ID"] = request_id
        return response


class RequestIdFilter(logging.Filter):
    """Gives every log record the id of the request it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a record."""
        record.request_id = current_request_id()
        return True
