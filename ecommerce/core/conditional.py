"""Conditional requests (RFC 9110 section 13): ETag, 304 for If-None-Match, If-Match on writes."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.core.errors import PreconditionFailedError, UnsupportedConditionError

NO_STORE: Final[Mapping[str, str]] = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""Of an answer that holds a token (RFC 6749 section 5.1)."""
_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"', re.ASCII)
_TAGS: Final = re.compile(rf"[\s,]*{_TAG.pattern}(?:\s*,[\s,]*{_TAG.pattern})*[\s,]*", re.ASCII)
"""A list of tags; it may have empty members (RFC 9110 section 5.6.1)."""
_VERSION: Final = re.compile(r"v(\d{1,18})(?:-.*)?", re.ASCII)
_NO_TAGS: Final = (
    '`If-Match` is no list of ETags: send one as you got it, with its quotes, such as `"v3"`, '
    "or `*`, or leave the header out."
)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_UNSUPPORTED: Final = ("If-None-Match", "If-Unmodified-Since")
"""With writes. `If-Modified-Since` means nothing there (RFC 9110 section 13.1.3)."""
_SETTLED: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Representation:
    """What a read answers. The data is made only where it goes out."""

    data: Callable[[], Any]
    etag: str
    last_modified: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def etag(version: int, digest: str = "") -> str:
    """`"v7"`, or `"v7-3f9a…"` where the answer depends on more than the version."""
    return f'"v{version}-{digest}"' if digest else f'"v{version}"'


def expected_versions(request: Request) -> list[int] | None:
    """The versions that `If-Match` accepts; None where any will do (absent, or `*`).

    Only the version part of a tag counts: a cart's tag also covers what its products contribute.

    Raises:
        PreconditionFailedError: it is empty or malformed, or no tag in it can ever match a version
            of ours. Who sends a condition that cannot be read does not want it passed over.
    """
    header = request.headers.get("If-Match", "*").strip()
    if header == "*":
        return None
    if not _TAGS.fullmatch(header):
        raise PreconditionFailedError(_NO_TAGS)
    # A weak tag never matches in If-Match (RFC 9110 section 13.1.1).
    strong = [tag for weak, tag in _TAG.findall(header) if not weak]
    versions = [int(found[1]) for tag in strong if (found := _VERSION.fullmatch(tag))]
    if not versions:
        raise PreconditionFailedError
    return versions


def refuse_other_conditions(request: Request) -> None:
    """Of the conditions that a write may have (RFC 9110 section 13.1) `If-Match` alone counts.

    Raises:
        UnsupportedConditionError: a write has another.
    """
    if request.method in _SAFE:
        return
    for name in _UNSUPPORTED:
        if name in request.headers:
            raise UnsupportedConditionError(name)


def names_tag(header: str, tag: str) -> bool:
    """Whether an `If-None-Match` header names the current tag (weak comparison)."""
    if header.strip() == "*":
        return True
    wanted = tag.strip('"')
    return any(value == wanted for _, value in _TAG.findall(header))


def client_has(environ: Mapping[str, Any], tag: str, last_modified: str | None) -> bool:
    """Whether the client has this representation already.

    RFC 9110 section 13.2.2: If-Modified-Since counts only where there is no If-None-Match.
    """
    if "HTTP_IF_NONE_MATCH" in environ:
        return names_tag(environ["HTTP_IF_NONE_MATCH"], tag)
    return bool(last_modified) and environ.get("HTTP_IF_MODIFIED_SINCE") == last_modified


def tagged_response(
    request: Request,
    body: Callable[[], Any],
    tag: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    last_modified: datetime | None = None,
) -> Response:
    """The answer with its ETag; a read that the client has already is a 304, without a body made.

    `Last-Modified` counts whole seconds. It is sent only once its second is over, so that a client
    that has it cannot miss a later change of that second.
    """
    if request.accepted_renderer.format == "api":
        # A page for people also shows who they are and what they may do: it is nobody's copy.
        page = {**(headers or {}), "Cache-Control": "private, no-store"}
        return Response(body(), status=status, headers=page)
    headers = {**(headers or {}), "ETag": tag}
    if last_modified is not None and is_settled(last_modified):
        headers["Last-Modified"] = http_date(last_modified)
    modified = headers.get("Last-Modified")
    if request.method in {"GET", "HEAD"} and client_has(request.META, tag, modified):
        return Response(status=304, headers=headers)
    return Response(body(), status=status, headers=headers)


def http_date(moment: datetime) -> str:
    """As headers write it (RFC 9110 section 5.6.7)."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def is_settled(last_modified: datetime | None) -> bool:
    """Whether the second of the last change is over, so that `Last-Modified` may name it."""
    return last_modified is None or datetime.now(UTC) - last_modified > _SETTLED


def tag_of(*parts: Any) -> str:
    """A tag for what has no version of its own: a digest of what the answer is made of."""
    return f'"{hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def public_headers(request: Request) -> dict[str, str]:
    """Cache headers of what everyone may see; an answer to somebody who signed in is theirs.

    Browsers ask each time whether what they have is still right (a 304 costs little). A shared
    cache may answer for 30 s without asking, and for 60 s more while it asks.
    """
    if getattr(request.user, "is_authenticated", False):
        return {"Cache-Control": "private, no-cache"}
    return {"Cache-Control": "public, max-age=0, s-maxage=30, stale-while-revalidate=60"}
