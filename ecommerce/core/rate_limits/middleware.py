"""What no view counts is counted here, and every answer that was counted says what is left."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from ecommerce.core.problems import answer_of_plain_view
from ecommerce.core.rate_limits.requests import (
    RateLimitedError,
    add_headers,
    is_unlimited,
    spend_uncounted,
)


class RateLimitMiddleware:
    """Counts pages, unknown paths and what is refused before any view, for the address.

    That is after their answer is made: what is work, or has an effect, is counted by its view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Whatever was answered, or 429."""
        response = self._get_response(request)
        match = request.resolver_match
        if match is None or not is_unlimited(match.func):
            try:
                spend_uncounted(request)
            except RateLimitedError as refusal:
                response = answer_of_plain_view(request, refusal) or response
            add_headers(request, response)
        return response
