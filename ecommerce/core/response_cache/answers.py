"""How a view answers what everyone may see: from what is kept, or made once for all who wait."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.core import metrics
from ecommerce.core.conditional import (
    Representation,
    is_settled,
    public_headers,
    tagged_response,
)
from ecommerce.core.json_output import to_json
from ecommerce.core.response_cache.single_flight import SingleFlight
from ecommerce.core.response_cache.stored import Stored, end_of, seconds_left, unpack
from ecommerce.core.response_cache.topics import EPOCH, generations, keep, value_of

PROVENANCE: Final = "shop.provenance"
"""Where the WSGI environment says it, for the layer around Django."""
FOUND: Final = "shop.found"
"""And where that layer says what it has found or failed to find: nobody asks for it again."""
_MAX_QUERY: Final = 500
"""Characters: what is longer is hardly asked twice."""
_flights: SingleFlight[Stored] = SingleFlight()


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an answer is made of, and how operators see the request."""

    topics: tuple[str, ...]
    tokens: tuple[bytes, ...]
    """The generations of the topics that it was made at."""
    epoch: bytes
    """That of EPOCH at the same moment."""
    view_name: str
    transport: str
    """http or https."""
    is_settled: bool
    """Whether its headers will not change: `Last-Modified` comes late (see `tagged_response`)."""
    ends_at: float
    """In Unix time: it is kept no longer, wherever."""

    @classmethod
    def unkept(cls, view_name: str, transport: str) -> Self:
        """Of an answer that is made anew for everybody."""
        return cls((), (), b"", view_name, transport, is_settled=False, ends_at=0.0)


@dataclass(frozen=True, slots=True)
class PublicRead:
    """What a read that everyone may send is made of, and how."""

    topics: tuple[str, ...]
    load: Callable[[], Representation]
    """Reads and makes the answer."""


def public_answer(request: Request, read: PublicRead, *, same_for_everyone: bool) -> Response:
    """Answer with what is kept, or with what the read gives now.

    Args:
        request: a GET that everyone may send.
        read: what the answer is made of: it is void once `changed` has named one of its topics.
        same_for_everyone: the answer depends on nothing but the address. Staff sees more.
    """
    if FOUND in request.META:
        return answer_of(request, request.META[FOUND]())
    if not same_for_everyone or request.accepted_media_type != "application/json":
        return answer_of(request, read.load())
    match = request.resolver_match
    answer, request.META[PROVENANCE] = kept_or_made(
        request, read, view_name=match.view_name if match else ""
    )
    return answer_of(request, answer)


def kept_or_made(
    request: HttpRequest, read: PublicRead, *, view_name: str
) -> tuple[Representation, Provenance]:
    """What is kept of a public read, or what it gives now, which may then be kept.

    Args:
        request: whose address it depends on.
        read: what it is made of, and how.
        view_name: the route's, for the metrics.
    """
    transport = "https" if request.is_secure() else "http"
    if not _may_be_kept(request):
        return read.load(), Provenance.unkept(view_name, transport)
    key = _key(request)
    state = generations((EPOCH, *read.topics), key)
    if state is None:
        metrics.KEPT_ANSWERS["miss"].inc()
        return read.load(), Provenance.unkept(view_name, transport)
    (epoch, *tokens), (packed,) = state
    stored = unpack(packed, tokens)
    metrics.KEPT_ANSWERS["miss" if stored is None else "shared"].inc()
    if stored is None:
        # By its generations: who comes after a write never gets what was begun before it.
        flight = f"{key}{b''.join(tokens).hex()}"
        stored = _flights.do(flight, lambda: _found_or_made(key, tokens, read.load))
    settled = is_settled(stored.last_modified)
    provenance = Provenance(
        read.topics, tuple(tokens), epoch, view_name, transport, settled, stored.ends_at
    )
    return _as_representation(stored), provenance


def answer_of(request: Request, made: Representation) -> Response:
    """The answer to a public read, or a 304 for who has it."""
    return tagged_response(
        request,
        made.data,
        made.etag,
        headers={**public_headers(request), **made.headers},
        last_modified=made.last_modified,
    )


def _may_be_kept(request: HttpRequest) -> bool:
    query = request.META.get("QUERY_STRING", "")
    return settings.RESPONSE_CACHE != "off" and len(query) <= _MAX_QUERY


def _key(request: HttpRequest) -> str:
    """The whole address: links in the answer name the host."""
    address = request.build_absolute_uri(request.get_full_path())
    return f"answer:{hashlib.blake2b(address.encode(), digest_size=16).hexdigest()}"


def _found_or_made(key: str, tokens: Sequence[bytes], load: Callable[[], Representation]) -> Stored:
    """Another flight may have landed between the look at the cache and the start of this one."""
    return unpack(value_of(key), tokens) or _made(key, tokens, load)


def _made(key: str, tokens: Sequence[bytes], load: Callable[[], Representation]) -> Stored:
    ends_at = end_of(time.time())
    made = load()
    stored = Stored(
        body=to_json(made.data()),
        etag=made.etag,
        last_modified=made.last_modified,
        link=made.headers.get("Link", ""),
        ends_at=ends_at,
    )
    keep(key, stored.pack(tokens), seconds_left(ends_at))
    return stored


def as_found(found: Representation | Exception) -> Callable[[], Representation]:
    """What was found before the view was asked, for the view to answer or to raise."""

    def give() -> Representation:
        if isinstance(found, Exception):
            raise found
        return found

    return give


def _as_representation(stored: Stored) -> Representation:
    headers = {"Link": stored.link} if stored.link else {}
    return Representation(lambda: stored.body, stored.etag, stored.last_modified, headers)
