"""`/products/exports`: the catalog as a file."""

from typing import Final

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from accounts.rules import SEES_DRAFTS
from catalog import selectors
from catalog.documents import FileFormat
from catalog.exporting import export
from catalog.openapi import exports_schema
from catalog.serializers import ExportQuery
from catalog.views.reads import chosen_products
from ecommerce.core.mongo import utc_now
from ecommerce.core.renderers import ORJSONRenderer
from ecommerce.core.viewsets import ShopViewSet


class _CSVRenderer(ORJSONRenderer):
    """Lets a client ask for CSV; a refusal is a problem in JSON all the same."""

    media_type = "text/csv"
    format = "csv"


class _JSONLinesRenderer(ORJSONRenderer):
    """The same for JSON Lines."""

    media_type = "application/x-ndjson"
    format = "jsonl"


_MEDIA_TYPES: Final = {
    FileFormat.CSV: "text/csv; charset=utf-8; header=present",
    FileFormat.JSONL: "application/x-ndjson",
}


class ExportViewSet(ShopViewSet):
    """The catalog as a file, for staff. It is sent while it is read, so it may have any size."""

    queries = {"list": ExportQuery}
    rules = {"list": SEES_DRAFTS}

    def get_renderers(self) -> list[BaseRenderer]:
        """What the file may be, beside what every answer may be."""
        return [*super().get_renderers(), _CSVRenderer(), _JSONLinesRenderer()]

    @exports_schema
    def list(self, request: Request) -> StreamingHttpResponse:
        """The products that match, oldest first."""
        name = FileFormat(self.query["format"])
        chosen = chosen_products(request, self.query)
        file_name = f"products-{utc_now():%Y-%m-%d}.{name}"
        return StreamingHttpResponse(
            export(selectors.every_product(chosen.where()), name),
            content_type=_MEDIA_TYPES[name],
            headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
        )
