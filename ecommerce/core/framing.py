"""Refuses, before any work, a request whose framing, coding or size the product cannot take."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from ecommerce.core.parsers import content_length
from ecommerce.core.problems import problem_response

_READ: Final = frozenset({"", "identity"})
"""Content codings."""


class RequestFramingMiddleware:
    """411 for a chunked body (Django would read it as empty), 413 for one that is too large, 415
    for one that is compressed: it is not unpacked, for a few bytes may be a bomb."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer for the framing alone, or pass on."""
        return self._refusal(request) or self._get_response(request)

    def _refusal(self, request: HttpRequest) -> HttpResponse | None:
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            return problem_response(
                request,
                status=411,
                code="length_required",
                detail="Send the body with a Content-Length; chunked bodies are not read.",
            )
        length, limit = content_length(request), _limit(request)
        coding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        if length and coding not in _READ:
            refusal = problem_response(
                request,
                status=415,
                code="unsupported_content_encoding",
                detail="Compressed bodies are not read: send it as it is, uncompressed.",
            )
            refusal["Accept-Encoding"] = "identity"  # RFC 9110 section 12.5.3
            return refusal
        if length > limit:
            return problem_response(
                request,
                status=413,
                code="body_too_large",
                detail=f"The body is larger than the {limit} bytes that are read.",
            )
        return None


def _limit(request: HttpRequest) -> int:
    """Bytes that this path reads; only a few take files."""
    usual = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    return int(settings.FILE_UPLOAD_LIMITS.get(request.path.rstrip("/"), usual))
