"""`/products/imports`: files of products on their way into the catalog."""

from rest_framework.decorators import action
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import caller_of
from accounts.rules import MANAGES_CATALOG
from catalog import selectors
from catalog.importing.runner import submit
from catalog.openapi import imports_schema
from catalog.presenters import present_import, present_import_result
from catalog.serializers import ImportForm, ImportQuery, ImportResultQuery
from catalog.services import ImportJobService
from catalog.uploads import FILE_PARSERS, uploaded_file
from ecommerce.core.conditional import etag, tagged_response
from ecommerce.core.idempotency import Operation, idempotent
from ecommerce.core.pagination import page_response
from ecommerce.core.rate_limits import IMPORTS, WRITES, rate_limited
from ecommerce.core.serializers import PageQuery
from ecommerce.core.viewsets import ShopViewSet


@imports_schema
class ImportViewSet(ShopViewSet):
    """Imports, of staff: each is a job with its progress and a result for each row."""

    inputs = {"create": ImportForm}
    rows_lead_to = {"list": "/products/imports"}
    queries = {"create": ImportQuery, "list": PageQuery, "rows": ImportResultQuery}
    rules = dict.fromkeys(("create", "list", "retrieve", "rows"), MANAGES_CATALOG)

    def get_parsers(self) -> list[BaseParser]:
        """Files, in place of JSON bodies."""
        return [parser() for parser in FILE_PARSERS]

    def list(self, request: Request) -> Response:
        """Imports of the last 30 days, newest first."""
        page = selectors.import_job_page(PageQuery.page_request(self.query))
        return page_response(request, page, present_import)

    @rate_limited(WRITES, IMPORTS)
    @idempotent
    def create(self, request: Request) -> Response:
        """Take a file; its rows come in afterwards."""
        upload = uploaded_file(request)
        job = submit(
            blocks=upload.blocks,
            format_name=upload.format,
            dry_run=self.query["dry_run"],
            by=caller_of(request).id,
            operation=self.operation,
        )
        location = request.build_absolute_uri(f"/products/imports/{job['_id']}")
        return Response(present_import(job), status=202, headers={"Location": location})

    def refuse_other_body(self, request: Request, operation: Operation) -> None:
        """The file is compared with that of the job, piece by piece as it comes in."""
        upload = uploaded_file(request)
        ImportJobService.refuse_other_file(
            operation=operation, blocks=upload.blocks, format_name=upload.format
        )

    def retrieve(self, request: Request, pk: str) -> Response:
        """How far an import is."""
        job = selectors.import_job(pk)
        return tagged_response(request, lambda: present_import(job), etag(job["version"]))

    @action(detail=True, methods=["get"])
    def rows(self, request: Request, pk: str) -> Response:
        """What became of each row."""
        job = selectors.import_job(pk)
        page = selectors.import_result_page(
            job["_id"],
            ImportResultQuery.page_request(self.query),
            outcome=self.query.get("outcome"),
        )
        return page_response(request, page, present_import_result)
