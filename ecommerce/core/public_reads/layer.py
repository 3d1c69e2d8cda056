"""The WSGI layer around Django that answers what the process keeps."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse

from ecommerce.core.conditional import client_has
from ecommerce.core.metrics import KEPT_ANSWERS
from ecommerce.core.public_reads import metrics
from ecommerce.core.public_reads.direct import DirectReads, made
from ecommerce.core.public_reads.kept import MAX_BYTES, Headers, Kept, KeptAnswers, Key, unpack
from ecommerce.core.rate_limits import Usage, header_items, policy_of_read, spend_read
from ecommerce.core.request_ids import accepted_or_new
from ecommerce.core.response_cache.answers import PROVENANCE, Provenance
from ecommerce.core.response_cache.stored import seconds_left
from ecommerce.core.response_cache.topics import EPOCH, changed_since, generations, keep

StartResponse = Callable[..., Any]
WSGIApplication = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

FRESH_SECONDS: Final = 1.0
"""How long answers are given without asking whether another process has changed anything."""
_PATHS: Final = ("/products", "/categories")
_PLAIN_ACCEPT: Final = frozenset({"", "*/*", "application/json"})
_SPECIAL: Final = (
    "HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_ORIGIN", "HTTP_X_REQUESTED_WITH", "HTTP_RANGE",
    "HTTP_TRANSFER_ENCODING", "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
)  # fmt: skip
"""A request with one of these headers is Django's."""
_NOT_IN_304: Final = frozenset({"content-type", "content-length"})


class PublicReads:
    """Answers public reads from what is kept; keeps what Django answers to them."""

    def __init__(self, django: WSGIApplication, *, in_process: bool = True) -> None:
        """
        Args:
            django: what answers everything else.
            in_process: keep answers in this process too, not in the shared cache alone.
        """
        self._django = django
        self._kept = KeptAnswers(MAX_BYTES if in_process else 0)
        self._direct = DirectReads()
        self._epoch: bytes | None = None
        self._epoch_asked = float("-inf")

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        key = _key(environ)
        if key is None:
            return self._django(environ, start_response)
        began = time.monotonic()
        answer = self._right_answer(key, began)
        way = None if answer else self._direct.choose(environ, _origin(environ))
        if answer is None and way is None:
            return self._through_django(key, began, environ, start_response)
        usage = spend_read(environ, policy_of_read(environ.get("QUERY_STRING", "")))
        if usage is not None and usage.exceeded:
            return self._django(environ, start_response)  # which refuses it, with a problem
        if way is not None:
            answer = made(way, environ, dict(header_items([usage] if usage else [])), began)
            self._keep(key, answer)
        if answer is None:
            return self._through_django(key, began, environ, start_response)
        return _send(answer, usage, began, environ, start_response)

    def _right_answer(self, key: Key, now: float) -> Kept | None:
        """What is kept under the key, here or in the shared layer, if Django would answer it."""
        if settings.RESPONSE_CACHE == "off":
            return None
        answer = self._kept.get(key)
        if answer is None:
            return self._from_shared(key, now)
        made = answer.provenance
        if now > answer.ends or changed_since(made.topics, answer.first_kept):
            return None
        if answer.epoch == self._known_epoch(now):
            KEPT_ANSWERS["process"].inc()
            return answer
        state = generations((EPOCH, *made.topics))
        if state is None or state[0][1:] != made.tokens:
            return None
        answer.epoch = state[0][0]
        KEPT_ANSWERS["process"].inc()
        return answer

    def _known_epoch(self, now: float) -> bytes | None:
        """The epoch as it was within the last second; None while the shared layer is away."""
        if now - self._epoch_asked > FRESH_SECONDS:
            state = generations((EPOCH,))
            self._epoch, self._epoch_asked = (state[0][0] if state else None), now
        return self._epoch

    def _from_shared(self, key: Key, now: float) -> Kept | None:
        """From the shared layer, in one call if nothing at all has changed since it was made."""
        state = generations((EPOCH,), _shared_key(key))
        packed = state[1][0] if state else None
        if state is None or packed is None:
            return None
        answer, epoch = unpack(packed, now), state[0][0]
        if answer is None or now > answer.ends:
            return None
        if answer.epoch != epoch:
            found = generations((EPOCH, *answer.provenance.topics))
            if found is None or found[0][1:] != answer.provenance.tokens:
                return None
            answer.epoch = found[0][0]
        self._kept.put(key, answer)
        KEPT_ANSWERS["shared"].inc()
        return answer

    def _through_django(
        self, key: Key, began: float, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        sent: list[tuple[str, Headers]] = []

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            sent.append((status, headers))
            return start_response(status, headers, exc_info)

        response = self._django(environ, start)
        if not sent or not sent[0][0].startswith("200") or not isinstance(response, HttpResponse):
            return response
        headers = sent[0][1]
        self._direct.learn(environ, _origin(environ), headers)
        provenance: Provenance | None = environ.get(PROVENANCE)
        if provenance is not None and provenance.is_settled:
            known = {name.lower(): value for name, value in headers}
            answer = Kept(
                headers=headers,
                body=response.content,
                etag=known["etag"],
                last_modified=known.get("last-modified", ""),
                provenance=provenance,
                first_kept=began,
                epoch=provenance.epoch,
                ends=began + seconds_left(provenance.ends_at),
            )
            self._keep(key, answer)
        return response

    def _keep(self, key: Key, answer: Kept | None) -> None:
        """Here and in the shared layer, if it will stay as it is until its topics change."""
        if answer is None or not answer.provenance.is_settled:
            return
        left = seconds_left(answer.provenance.ends_at)
        if left > 0:
            self._kept.put(key, answer)
            keep(_shared_key(key), answer.pack(), left)


def _key(environ: Mapping[str, Any]) -> Key | None:
    """What the answer depends on; None for a request that is special.

    Side by side and never joined: a path may hold every character, also the `?` before a query.
    """
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        return None
    path = environ.get("PATH_INFO", "")
    if not path.startswith(_PATHS) or environ.get("HTTP_ACCEPT", "") not in _PLAIN_ACCEPT:
        return None
    if any(name in environ for name in _SPECIAL) or environ.get("CONTENT_LENGTH", "0") > "0":
        return None
    return (*_origin(environ), path, environ.get("QUERY_STRING", ""))


def _origin(environ: Mapping[str, Any]) -> Key:
    """Scheme and host, as the server and the proxy before it say them."""
    proto = environ.get("HTTP_X_FORWARDED_PROTO", "")
    return environ["wsgi.url_scheme"], proto, environ.get("HTTP_HOST", "")


def _shared_key(key: Key) -> str:
    return f"whole:{hashlib.blake2b(repr(key).encode(), digest_size=16).hexdigest()}"


def _send(
    answer: Kept,
    usage: Usage | None,
    began: float,
    environ: Mapping[str, Any],
    start_response: StartResponse,
) -> Iterable[bytes]:
    own = dict(header_items([usage] if usage else []))
    own["X-Request-ID"] = accepted_or_new(environ.get("HTTP_X_REQUEST_ID", ""))
    has_it = client_has(environ, answer.etag, answer.last_modified)
    status, body = ("304 Not Modified", b"") if has_it else ("200 OK", answer.body)
    start_response(status, list(_headers(answer, own, has_it=has_it)))
    metrics.count(
        view_name=answer.provenance.view_name,
        method=environ["REQUEST_METHOD"],
        transport=answer.provenance.transport,
        status=int(status[:3]),
        body_bytes=len(body),
        seconds=time.monotonic() - began,
    )
    return [body]


def _headers(answer: Kept, own: Mapping[str, str], *, has_it: bool) -> Iterable[tuple[str, str]]:
    """The headers that Django sent, with those of this request in their places."""
    for name, value in answer.headers:
        if name in own:
            yield name, own[name]
        elif not has_it:
            yield name, value
        elif name == "Content-Length":
            yield name, "0"
        elif name.lower() not in _NOT_IN_304:
            yield name, value
