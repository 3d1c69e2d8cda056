"""Keyset pages: a cursor names the row it stands at, so page 500 costs what page 1 costs."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import bson
from bson.codec_options import CodecOptions
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest
from pymongo.collection import Collection
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.core.conditional import Representation, tag_of
from ecommerce.core.errors import FieldError, ValidationFailedError

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100
MAX_COUNT: Final = 10_000
"""A total is counted up to here: counting a whole collection grows with it."""
_CODEC: Final[CodecOptions[dict[str, Any]]] = CodecOptions(tz_aware=True)

Ordering = tuple[tuple[str, int], ...]


class InvalidCursorError(ValidationFailedError):
    """The cursor was not made by this list with this ordering, or was changed."""

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
    tiers: Sequence[Mapping[str, Any]],
    ordering: Ordering,
    request: PageRequest,
    projection: Mapping[str, Any] | None = None,
) -> Page:
    """One page of what the filters in `tiers` find: all of the first, then all of the second …

    No document may match two tiers. `ordering` holds within each and must end in a unique field, so
    that every row has one place. A page takes one read for each tier that it reaches, and one more
    for each where it counts.

    Raises:
        InvalidCursorError: the cursor is not of this list.
    """
    signer = _signer(source.name, ordering, len(tiers))
    start = _decode(request.cursor, signer) if request.cursor else None
    backwards = start is not None and start.backwards
    walk = [(field, -sign if backwards else sign) for field, sign in ordering]
    rows: list[tuple[int, dict[str, Any]]] = []
    for tier in _tiers_from(start, len(tiers)):
        where = tiers[tier]
        if start is not None and tier == start.tier:
            where = {"$and": [where, _from(start, walk)]}
        missing = request.limit + 1 - len(rows)  # one more: is there a next?
        rows += [(tier, row) for row in source.find(where, projection).sort(walk).limit(missing)]
        if len(rows) > request.limit:
            break
    has_more = len(rows) > request.limit
    rows = rows[: request.limit]
    if backwards:
        rows.reverse()
    ends = _ends(rows, ordering, start, has_more=has_more)
    return Page(
        rows=[row for _, row in rows],
        next=_encode(ends[1], signer),
        previous=_encode(ends[0], signer),
        total=_total(source, tiers) if request.count else None,
    )


def _ends(
    rows: Sequence[tuple[int, Mapping[str, Any]]],
    ordering: Ordering,
    start: "_Start | None",
    *,
    has_more: bool,
) -> "tuple[_Start | None, _Start | None]":
    """Where the pages before and behind begin; None where there is none.

    A page that was emptied leads back the way its reader came, over the row that led to it.
    """
    backwards = start is not None and start.backwards
    if not rows:
        back = start and replace(start, backwards=not backwards, inclusive=True)
        return (None, back) if backwards else (back, None)
    first, last = (_at(tier, row, ordering) for tier, row in (rows[0], rows[-1]))
    has_previous, has_next = (has_more, True) if backwards else (start is not None, has_more)
    return replace(first, backwards=True) if has_previous else None, last if has_next else None


def _tiers_from(start: "_Start | None", count: int) -> range:
    if start is None:
        return range(count)
    return range(start.tier, -1, -1) if start.backwards else range(start.tier, count)


def _total(source: Collection[dict[str, Any]], tiers: Sequence[Mapping[str, Any]]) -> int:
    total = 0
    for where in tiers:
        if total < MAX_COUNT:
            total += source.count_documents(where, limit=MAX_COUNT - total)
    return total


def _from(start: "_Start", walk: list[tuple[str, int]]) -> dict[str, Any]:
    """The filter for rows behind a position: (a > x) or (a = x and b > y) or …

    `a >= x` is said once more by itself: an index then starts there, which it does not for an or.
    """
    position, same = start.values, "e" if start.inclusive else ""
    branches: list[dict[str, Any]] = []
    for depth, (field, sign) in enumerate(walk):
        branch = {walk[i][0]: position[i] for i in range(depth)}
        at_last = same if depth == len(walk) - 1 else ""
        branch[field] = {f"{'$gt' if sign > 0 else '$lt'}{at_last}": position[depth]}
        branches.append(branch)
    if len(branches) == 1:
        return branches[0]
    first, sign = walk[0]
    return {first: {"$gte" if sign > 0 else "$lte": position[0]}, "$or": branches}


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a cursor stands."""

    tier: int
    values: list[Any]
    backwards: bool = False
    inclusive: bool = False
    """Whether the row at this very place belongs to the page."""


def _at(tier: int, row: Mapping[str, Any], ordering: Ordering) -> _Start:
    return _Start(tier, [row[field] for field, _ in ordering])


def _signer(source: str, ordering: Ordering, tiers: int) -> Signer:
    """Signs the cursors of one list: what another made, or anybody changed, is none of its own.

    So no value reaches a query that this list did not put into a cursor itself.
    """
    order = ",".join(f"{field}:{sign}" for field, sign in ordering)
    return Signer(salt=f"cursor:{source}:{order}:{tiers}", sep=".")


def _encode(start: _Start | None, signer: Signer) -> str | None:
    if start is None:
        return None
    content = {"t": start.tier, "v": start.values, "b": start.backwards, "i": start.inclusive}
    return signer.sign(base64.urlsafe_b64encode(bson.encode(content)).decode("ascii").rstrip("="))


def _decode(cursor: str, signer: Signer) -> _Start:
    try:
        packed = signer.unsign(cursor)
    except BadSignature:
        raise InvalidCursorError from None
    content = bson.decode(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), _CODEC)
    return _Start(content["t"], content["v"], content["b"], content["i"])


def page_response(
    request: Request, page: Page, present: Callable[[Any], dict[str, Any]]
) -> Response:
    """`{"items", "next", "previous"}` with absolute links, and the same as a `Link` header."""
    links = _links(request, page)
    return Response(_content(page, present, links), headers=_link_header(links))


def page_representation(
    request: HttpRequest, page: Page, present: Callable[[Any], dict[str, Any]], *, tag: str
) -> Representation:
    """The same for a page that everyone may see, with its ETag (see `page_tag`)."""
    links = _links(request, page)
    return Representation(lambda: _content(page, present, links), tag, headers=_link_header(links))


def _links(request: HttpRequest, page: Page) -> dict[str, str | None]:
    return {"next": _link(request, page.next), "previous": _link(request, page.previous)}


def _link_header(links: Mapping[str, str | None]) -> dict[str, str]:
    relations = {"next": "next", "previous": "prev"}  # RFC 8288 registers "prev"
    header = ", ".join(f'<{url}>; rel="{relations[name]}"' for name, url in links.items() if url)
    return {"Link": header} if header else {}


def _content(
    page: Page, present: Callable[[Any], dict[str, Any]], links: Mapping[str, str | None]
) -> dict[str, Any]:
    content: dict[str, Any] = {"items": [present(row) for row in page.rows], **links}
    if page.total is not None:
        content["count"] = page.total
        content["count_is_exact"] = page.total < MAX_COUNT
    return content


def page_tag(page: Page, *more: Any) -> str:
    """The ETag of a page whose rows have versions; `more` is what else its answer is made of."""
    rows = [(row["_id"].binary, row["version"]) for row in page.rows]
    return tag_of(rows, page.next, page.previous, page.total, *more)


def _link(request: HttpRequest, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    # Without `count`: the total does not change from page to page.
    kept = [(name, v) for name, v in request.GET.lists() if name not in {"count", "cursor"}]
    query = urlencode([*kept, ("cursor", cursor)], doseq=True)
    return request.build_absolute_uri(f"{request.path}?{query}")
