"""Keyset pages: a cursor names the row it stands at, so page 500 costs what page 1 costs."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import bson
from bson import ObjectId
from bson.codec_options import CodecOptions
from pymongo.collection import Collection
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.core.errors import FieldError, ValidationFailedError

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100
MAX_COUNT: Final = 10_000
"""A total is counted up to here: counting a whole collection grows with it."""
_SCALARS: Final = (ObjectId, datetime, int, str)
_CODEC: Final[CodecOptions[dict[str, Any]]] = CodecOptions(tz_aware=True)

Ordering = tuple[tuple[str, int], ...]


class InvalidCursorError(ValidationFailedError):
    """The cursor was not made by this list with this ordering."""

    def __init__(self) -> None:
        super().__init__(
            FieldError(
                "/cursor",
                "invalid_cursor",
                "This is not a cursor of this list: start without one, or follow `next`.",
            )
        )


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a client asks of a list."""

    limit: int = DEFAULT_LIMIT
    cursor: str = ""
    count: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page, in the list's order, and the cursors beside it."""

    rows: list[dict[str, Any]]
    next: str | None
    previous: str | None
    total: int | None = None


def fetch_page(
    source: Collection[dict[str, Any]],
    *,
    where: Mapping[str, Any],
    ordering: Ordering,
    request: PageRequest,
    projection: Mapping[str, Any] | None = None,
) -> Page:
    """One page of `source`, in one read (two with a count).

    `ordering` must end in a unique field, so that every row has one place.

    Raises:
        InvalidCursorError: the cursor is not of this list.
    """
    backwards, position = _decode(request.cursor, ordering) if request.cursor else (False, None)
    direction = -1 if backwards else 1
    walk = [(field, sign * direction) for field, sign in ordering]
    bounded = {"$and": [where, _after(position, walk)]} if position else where
    rows = list(
        source.find(bounded, projection)
        .sort(walk)
        .limit(request.limit + 1)  # one more: is there a next?
    )
    has_more = len(rows) > request.limit
    rows = rows[: request.limit]
    if backwards:
        rows.reverse()
    has_next, has_previous = (bool(rows), has_more) if backwards else (has_more, bool(position))
    return Page(
        rows=rows,
        next=_encode(rows[-1], ordering, backwards=False) if has_next and rows else None,
        previous=_encode(rows[0], ordering, backwards=True) if has_previous and rows else None,
        total=source.count_documents(where, limit=MAX_COUNT) if request.count else None,
    )


def _after(position: list[Any], walk: list[tuple[str, int]]) -> dict[str, Any]:
    """The filter for rows behind a position: (a > x) or (a = x and b > y) or …"""
    branches = []
    for depth, (field, sign) in enumerate(walk):
        branch = {walk[i][0]: position[i] for i in range(depth)}
        branch[field] = {"$gt" if sign > 0 else "$lt": position[depth]}
        branches.append(branch)
    return branches[0] if len(branches) == 1 else {"$or": branches}


def _encode(row: Mapping[str, Any], ordering: Ordering, *, backwards: bool) -> str:
    values = [row[field] for field, _ in ordering]
    packed = bson.encode({"b": backwards, "o": _name(ordering), "v": values})
    return base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def _decode(cursor: str, ordering: Ordering) -> tuple[bool, list[Any]]:
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        content = bson.decode(packed, _CODEC)
    except (ValueError, binascii.Error, bson.errors.BSONError):
        raise InvalidCursorError from None
    values = content.get("v")
    if content.get("o") != _name(ordering) or not isinstance(values, list):
        raise InvalidCursorError
    if len(values) != len(ordering) or not all(isinstance(value, _SCALARS) for value in values):
        raise InvalidCursorError
    return content.get("b") is True, values


def _name(ordering: Ordering) -> str:
    return ",".join(f"{field}:{sign}" for field, sign in ordering)


def page_response(
    request: Request, page: Page, present: Callable[[Any], dict[str, Any]]
) -> Response:
    """`{"items", "next", "previous"}` with absolute links, and the same as a `Link` header."""
    links = {"next": _link(request, page.next), "previous": _link(request, page.previous)}
    body: dict[str, Any] = {"items": [present(row) for row in page.rows], **links}
    if page.total is not None:
        body["count"] = page.total
        body["count_is_exact"] = page.total < MAX_COUNT
    relations = {"next": "next", "previous": "prev"}  # RFC 8288 registers "prev"
    header = ", ".join(f'<{url}>; rel="{relations[name]}"' for name, url in links.items() if url)
    return Response(body, headers={"Link": header} if header else {})


def _link(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = {**request.query_params.dict(), "cursor": cursor}
    query.pop("count", None)  # the total does not change from page to page
    return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")
