"""`/openapi.json`, `/docs`, `/redoc`: drf-spectacular's views, with our errors and OPTIONS."""

from typing import Any

from drf_spectacular.views import (
    SpectacularJSONAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.core import rate_limits
from ecommerce.core.methods import NamesMethods
from ecommerce.core.renderers import ORJSONRenderer


class _Documentation(NamesMethods):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Counted first: the document is made anew for everyone who asks."""
        rate_limits.spend_uncounted(request)
        super().initial(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        """A problem, which is none of the media types of the documentation."""
        self.request.accepted_renderer = ORJSONRenderer()
        self.request.accepted_media_type = ORJSONRenderer.media_type
        return super().handle_exception(exc)


class OpenAPIView(_Documentation, SpectacularJSONAPIView):
    """The OpenAPI document."""


class DocsView(_Documentation, SpectacularSwaggerSplitView):
    """Swagger UI."""


class RedocView(_Documentation, SpectacularRedocView):
    """ReDoc."""
