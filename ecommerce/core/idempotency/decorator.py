"""`@idempotent`: one POST and its retries have one effect and one answer."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Concatenate, Final, ParamSpec

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.idempotency import records
from ecommerce.core.idempotency.records import Claim, Done, StoredAnswer
from ecommerce.core.idempotency.requests import fingerprint, record_id

P = ParamSpec("P")
Method = Callable[Concatenate[Any, Request, P], Response]

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
_KEPT_HEADERS: Final = ("Content-Type", "ETag", "Location")


def idempotent(method: Method[P]) -> Method[P]:
    """Honour `Idempotency-Key` on a POST method of a `ShopViewSet`; without the header, do nothing.

    Stands inside `@rate_limited`: limits are counted first, also for a replay. The method hands
    `self.operation` to its service. An answer with `Cache-Control: no-store` (it holds a secret) is
    not stored: the retry runs the method again under the same operation, and the service finds its
    effect done.
    """

    @wraps(method)
    def once(view: Any, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get(IDEMPOTENCY_KEY)
        if key is None:
            return method(view, request, *args, **kwargs)
        found = records.claim(record_id(request, key), fingerprint=fingerprint(request))
        if isinstance(found, Done):
            view.refuse_other_body(request, found.operation)
            return _Replay(found.answer)
        checkpoint("idempotency.claimed")
        view.operation = found.operation
        return _answered(found, lambda: method(view, request, *args, **kwargs))

    vars(once)["is_idempotent"] = True  # for the API document and the test over all routes
    return once


def is_idempotent(method: Any) -> bool:
    """Whether a view method honours `Idempotency-Key`."""
    return bool(getattr(method, "is_idempotent", False))


def _answered(claim: Claim, work: Callable[[], Response]) -> Response:
    try:
        response = work()
    except Exception as fault:
        records.release(claim, refused=_is_refusal(fault))
        raise
    checkpoint("idempotency.effect")
    if claim.replays:
        response[REPLAYED] = "true"
    secret = "no-store" in response.get("Cache-Control", "")  # said by the view, not its default
    response.add_post_render_callback(partial(_keep, claim, secret))
    return response


def _is_refusal(fault: Exception) -> bool:
    """A domain error or one of DRF's below 500; of anything else nobody knows what it left."""
    status: int = getattr(fault, "status", 0) or getattr(fault, "status_code", 500)
    return status < 500


def _keep(claim: Claim, secret: bool, response: HttpResponse) -> None:  # noqa: FBT001
    """Store the bytes that go out. No secret is stored, and nothing that is very large."""
    if secret or len(response.content) > records.MAX_STORED_BODY:
        records.finish_unstored(claim)
    else:
        kept = {name: response[name] for name in _KEPT_HEADERS if name in response}
        records.finish(claim, StoredAnswer(response.status_code, kept, response.content))
    checkpoint("idempotency.stored")


class _Replay(Response):
    """The stored answer, equal to the byte."""

    def __init__(self, answer: StoredAnswer) -> None:
        headers = {**answer.headers, REPLAYED: "true"}
        super().__init__(status=answer.status, headers=headers)
        self._stored = answer.body

    @property
    def rendered_content(self) -> bytes:  # type: ignore[override]  # renderers give bytes too
        """What a renderer made when the work was done."""
        return self._stored
