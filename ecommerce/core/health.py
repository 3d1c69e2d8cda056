"""Probes. Liveness touches nothing; readiness asks the database, at most once a second."""

import time
from threading import Lock
from typing import Final

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from pymongo.errors import PyMongoError

from ecommerce.core import draining, mongo
from ecommerce.core.rate_limits import unlimited

_CACHED_SECONDS: Final = 1.0
_lock = Lock()
_last: tuple[float, str] = (float("-inf"), "")


@unlimited
@require_safe
def livez(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 while the process can answer at all."""
    return _uncached({"status": "ok"})


@unlimited
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 when requests can be served; 503 when the database does not answer or the end is near."""
    fault = "the server is about to end" if draining.is_draining() else _database_fault()
    body = {
        "status": "unavailable" if fault else "ok",
        "store": "embedded (development only)" if mongo.uses_embedded_store() else "mongodb",
    }
    if fault:
        body["fault"] = fault
    return _uncached(body, status=503 if fault else 200)


def _uncached(body: dict[str, str], status: int = 200) -> JsonResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def _database_fault() -> str:
    """Empty when the database answered within the last second."""
    global _last
    with _lock:  # one asks, the others wait for its answer
        asked, fault = _last
        if time.monotonic() - asked >= _CACHED_SECONDS:
            fault = _ask()
            _last = (time.monotonic(), fault)
        return fault


def _ask() -> str:
    try:
        mongo.ping()
    except PyMongoError:
        return "the database does not answer"
    return ""
