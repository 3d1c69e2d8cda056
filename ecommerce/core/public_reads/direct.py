"""Public reads that nothing keeps, made without Django's middleware and DRF: half of their cost.

An app says which addresses are read so, and by what function: the same that its view calls. The
headers are not written a second time: they are those that Django sent with an earlier answer of the
route, to the same host, with the values of this answer in their places. So the first answer is
always Django's, and so is every refusal: what was found, or went wrong, is handed on to the view
(see `public_answer`), which does not ask for it again.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser
from django.core.handlers.wsgi import WSGIRequest

from ecommerce.core.conditional import Representation, http_date, is_settled
from ecommerce.core.json_output import to_json
from ecommerce.core.metrics import REQUESTS_IN_PROGRESS
from ecommerce.core.public_reads.kept import Headers, Kept, Key
from ecommerce.core.request_ids import request_id_of
from ecommerce.core.response_cache.answers import (
    FOUND,
    PROVENANCE,
    PublicRead,
    as_found,
    kept_or_made,
)
from ecommerce.core.response_cache.stored import seconds_left

_OWN: Final = (
    "ETag", "Last-Modified", "Link", "Content-Length", "RateLimit-Policy", "RateLimit",
)  # fmt: skip
"""Headers that differ from answer to answer of a route, and of which some may be missing."""
_MAX_ORIGINS: Final = 64
"""Routes times hosts and ports, which clients name: those that were asked for last are known."""

Shapes = dict[tuple[str, ...], Headers]


@dataclass(frozen=True, slots=True)
class Route:
    """Addresses that are read without Django."""

    view_name: str
    address: re.Pattern[str]
    """Of the whole path; its groups are arguments of `read`."""
    read: Callable[..., PublicRead]
    """What the view does for somebody who is not signed in. Takes the request and the groups."""


_routes: list[Route] = []


def answer_directly(view_name: str, address: str, read: Callable[..., PublicRead]) -> None:
    """Have public reads of these addresses answered without Django.

    Args:
        view_name: the name of the route, for the metrics.
        address: a pattern of the whole path, and of no other route's.
        read: gives what the view answers to everybody.
    """
    _routes.append(Route(view_name, re.compile(address, re.ASCII), read))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A request that can be answered directly."""

    route: Route
    arguments: Mapping[str, str]
    shapes: Shapes


class DirectReads:
    """What this process has learned of the headers of each route; safe for threads."""

    def __init__(self) -> None:
        self._learned: OrderedDict[tuple[Key, str], Shapes] = OrderedDict()
        self._lock = Lock()

    def choose(self, environ: Mapping[str, Any], origin: Key) -> Chosen | None:
        """The way to answer a request, if Django has shown how its answers look."""
        route, arguments = _route_of(environ["PATH_INFO"])
        if route is None:
            return None
        with self._lock:
            shapes = self._learned.get((origin, route.view_name))
            if shapes is None:
                return None
            self._learned.move_to_end((origin, route.view_name))
        return Chosen(route, arguments, shapes)

    def learn(self, environ: Mapping[str, Any], origin: Key, headers: Headers) -> None:
        """Remember the headers of an answer of Django's."""
        route, _ = _route_of(environ["PATH_INFO"])
        names = {name for name, _ in headers}
        if route is None or "ETag" not in names:
            return
        shape = tuple(name for name in _OWN if name in names)
        with self._lock:
            self._learned.setdefault((origin, route.view_name), {})[shape] = headers
            while len(self._learned) > _MAX_ORIGINS:
                self._learned.popitem(last=False)


def _route_of(path: str) -> tuple[Route | None, Mapping[str, str]]:
    for route in _routes:
        if found := route.address.fullmatch(path):
            return route, found.groupdict()
    return None, {}


def made(
    chosen: Chosen, environ: dict[str, Any], limits: Mapping[str, str], began: float
) -> Kept | None:
    """Read and make the answer; None where Django is to say what was found.

    Args:
        chosen: the way.
        environ: of the request.
        limits: its rate limit headers.
        began: `time.monotonic`, before.
    """
    with request_id_of(environ), REQUESTS_IN_PROGRESS.track_inprogress():
        try:
            return _read(chosen, environ, limits, began)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the view raises it again
            environ[FOUND] = as_found(fault)
            return None


def _read(
    chosen: Chosen, environ: dict[str, Any], limits: Mapping[str, str], began: float
) -> Kept | None:
    request = WSGIRequest(environ)
    request.user = AnonymousUser()
    read = chosen.route.read(request, **chosen.arguments)
    found, provenance = kept_or_made(request, read, view_name=chosen.route.view_name)
    data = found.data()
    body = data if isinstance(data, bytes) else to_json(data)
    own = {**_own_headers(found, body), **limits}
    shape = chosen.shapes.get(tuple(name for name in _OWN if name in own))
    if shape is None:
        environ[FOUND], environ[PROVENANCE] = as_found(found), provenance
        return None
    return Kept(
        headers=[(name, own.get(name, value)) for name, value in shape],
        body=body,
        etag=found.etag,
        last_modified=own.get("Last-Modified", ""),
        provenance=provenance,
        first_kept=began,
        epoch=provenance.epoch,
        ends=began + seconds_left(provenance.ends_at),
    )


def _own_headers(found: Representation, body: bytes) -> dict[str, str]:
    own = {"ETag": found.etag, "Content-Length": str(len(body)), **found.headers}
    if found.last_modified is not None and is_settled(found.last_modified):
        own["Last-Modified"] = http_date(found.last_modified)
    return own
