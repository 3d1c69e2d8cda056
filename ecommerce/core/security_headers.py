"""What browsers may do with our answers: a Content-Security-Policy for data and one for pages.

OWASP's REST and HTTP Headers cheat sheets: data runs nothing and is framed by nobody; our few pages
run their own scripts, none of them inline, and connect to nobody but us.
"""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Swagger UI and ReDoc set style attributes
        "img-src 'self' data:",
        "worker-src 'self' blob:",  # ReDoc searches in a worker that it makes itself
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_NO_FEATURES: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeadersMiddleware:
    """Adds the policies; Django's SecurityMiddleware adds HSTS, nosniff and Referrer-Policy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Whatever was answered."""
        response = self._get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        response.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else DATA_POLICY)
        response.setdefault("Permissions-Policy", _NO_FEATURES)
        return response
