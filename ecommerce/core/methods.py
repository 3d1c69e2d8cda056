"""OPTIONS: which methods there are, for anyone and in whatever media type (RFC 9110, 9.3.7)."""

from typing import Any

from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ecommerce.core.renderers import ORJSONRenderer


class NamesMethods(APIView):
    """A view that answers OPTIONS, where DRF's own refuses it or makes a page of it."""

    def perform_content_negotiation(
        self, request: Request, *args: Any, **kwargs: Any
    ) -> tuple[BaseRenderer, str]:
        """An answer without a body suits every `Accept`."""
        if request.method == "OPTIONS":
            return ORJSONRenderer(), ORJSONRenderer.media_type
        return super().perform_content_negotiation(request, *args, **kwargs)

    def options(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002
        """204; the methods stand in `Allow`, as in every answer."""
        return Response(status=204)
