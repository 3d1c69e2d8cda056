"""What names a request: whose key it is, and what was asked for."""

import hashlib
import re
from typing import Final

from django.conf import settings
from django.http.request import RawPostDataException
from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from ecommerce.core.client_address import client_address
from ecommerce.core.idempotency.errors import GuessableKeyError, MalformedKeyError
from ecommerce.core.parsers import refuse_incomplete

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_LEAST_UNGUESSED: Final = 16
"""Characters: a counter has fewer."""


def record_id(request: Request, key: str) -> str:
    """The id of the record of this key, for whoever is calling.

    Raises:
        MalformedKeyError: it cannot be a key.
        GuessableKeyError: nothing but the address tells the caller from others, and it is short.
    """
    if not _KEY.fullmatch(key):
        raise MalformedKeyError
    principal = _principal(request)
    if principal is None and len(key) < _LEAST_UNGUESSED:
        raise GuessableKeyError
    return _digest(principal or f"address:{client_address(request)}", key)


def _principal(request: Request) -> str | None:
    """Keys of different callers are different keys; nobody can replay what is another's."""
    if getattr(request.user, "is_authenticated", False):
        return f"user:{request.user.pk}"
    if token := request.headers.get("X-Cart-Token"):
        return f"guest:{_digest(token)}"
    return None


def _digest(*parts: str) -> str:
    # NUL stands in no part: it keeps ("a", "bc") and ("ab", "c") apart.
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def fingerprint(request: Request) -> str:
    """What tells this request from another one under the same key.

    Keyed with the server's secret: the body may hold a password that a plain digest would give
    away to whoever tries many.

    Raises:
        IncompleteBodyError: the connection broke. What has come must not claim the key: the retry
            brings the whole body, and would be another request under it.
    """
    path = request.path.rstrip("/") or "/"
    query = request.META.get("QUERY_STRING", "")
    head = f"{request.method}\0{path}\0{query}\0".encode("utf-8", "surrogateescape")
    return salted_hmac("idempotency", head + _body(request), algorithm="sha256").hexdigest()


def _body(request: Request) -> bytes:
    """The body as it was sent; reading it here keeps it for the parser.

    A file that is stored while it comes in is never held in memory: its type and length stand for
    it here, and its bytes are compared by the view and the service (`refuse_other_body`).
    """
    if request.path.rstrip("/") in settings.FILE_UPLOAD_LIMITS:
        kind = request._request.content_type  # without the boundary of a form, which retries change
        return f"{kind}\0{request.META.get('CONTENT_LENGTH')}".encode()
    try:
        body: bytes = request._request.body
    except RawPostDataException:  # a form of the browsable pages, read by the check of its token
        return request._request.POST.urlencode().encode()
    refuse_incomplete(body, request)
    return body
