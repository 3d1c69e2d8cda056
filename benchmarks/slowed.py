"""Our server with a fault of the kind that the guard is there to find: every request computes
something that nobody needs. `tests/performance` shows by it that the guard fails."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from benchmarks.settings import *  # noqa: F403
from benchmarks.settings import MIDDLEWARE

_STEPS = 70_000
"""About as much as reading a product costs, on any machine."""


def needless_work(get_response: Callable[[HttpRequest], HttpResponse]) -> object:
    """A middleware."""

    def respond(request: HttpRequest) -> HttpResponse:
        sum(range(_STEPS))
        return get_response(request)

    return respond


MIDDLEWARE = ["benchmarks.slowed.needless_work", *MIDDLEWARE]
