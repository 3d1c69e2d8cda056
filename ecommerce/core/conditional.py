"""Conditional requests (RFC 9110 section 13): ETag, 304 for If-None-Match, If-Match on writes."""

import re
from typing import Any, Final

from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.core.errors import PreconditionFailedError

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"', re.ASCII)
_VERSION: Final = re.compile(r"v(\d{1,18})(?:-.*)?", re.ASCII)


def etag(version: int, digest: str = "") -> str:
    """`"v7"`, or `"v7-3f9a…"` where the answer depends on more than the version."""
    return f'"v{version}-{digest}"' if digest else f'"v{version}"'


def expected_versions(request: Request) -> list[int] | None:
    """The versions that `If-Match` accepts; None where any will do (absent, or `*`).

    Only the version part of a tag counts: a cart's tag also covers what its products contribute.

    Raises:
        PreconditionFailedError: no tag in it can ever match a version of ours.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header or header == "*":
        return None
    # A weak tag never matches in If-Match (RFC 9110 section 13.1.1).
    strong = [tag for weak, tag in _TAG.findall(header) if not weak]
    versions = [int(found[1]) for tag in strong if (found := _VERSION.fullmatch(tag))]
    if not versions:
        raise PreconditionFailedError
    return versions


def is_not_modified(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` names the current tag (weak comparison)."""
    header = request.headers.get("If-None-Match", "")
    if header.strip() == "*":
        return True
    wanted = tag.strip('"')
    return any(value == wanted for _, value in _TAG.findall(header))


def tagged_response(
    request: Request,
    body: Any,
    tag: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer with its ETag; for a read that the client already has, a 304 without body."""
    headers = {**(headers or {}), "ETag": tag}
    if request.method in {"GET", "HEAD"} and is_not_modified(request, tag):
        return Response(status=304, headers=headers)
    return Response(body, status=status, headers=headers)
