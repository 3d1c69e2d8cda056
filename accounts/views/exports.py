"""`/users/me/export`: all that is stored about the caller."""

from typing import Final

from django.http import StreamingHttpResponse
from rest_framework.request import Request

from accounts.openapi import export_schema
from accounts.permissions import caller_of
from accounts.services import ExportService
from ecommerce.core import rate_limits
from ecommerce.core.client_address import client_address
from ecommerce.core.rate_limits import EXPORTS
from ecommerce.core.viewsets import ShopViewSet

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Disposition": 'attachment; filename="my-data.json"',
}


class ExportViewSet(ShopViewSet):
    """The caller's own data; for anybody else's an operator runs `manage.py export_user`."""

    @export_schema
    def export(self, request: Request) -> StreamingHttpResponse:
        """Stream it, for there is no end to how much it may be."""
        rate_limits.spend(request, EXPORTS)
        caller = caller_of(request)
        pieces = ExportService.export(
            user_id=caller.id, actor_id=caller.id, address=client_address(request)
        )
        return StreamingHttpResponse(pieces, content_type="application/json", headers=_HEADERS)
