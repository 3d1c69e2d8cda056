"""`/audit-events/`: what happened to accounts, and who did it."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.openapi import audit_schema
from accounts.presenters import present_audit_event
from accounts.rules import READS_AUDIT_LOG
from accounts.selectors.audit import AuditFilter, audit_page
from accounts.serializers import AuditQuery
from ecommerce.core.pagination import page_response
from ecommerce.core.viewsets import ShopViewSet


@audit_schema
class AuditEventViewSet(ShopViewSet):
    """The audit log. It is only read: what is recorded stays until it expires."""

    queries = {"list": AuditQuery}
    rules = {"list": READS_AUDIT_LOG}

    def list(self, request: Request) -> Response:
        """Events, newest first."""
        wanted = AuditFilter(**AuditQuery.filters(self.query))
        page = audit_page(wanted, AuditQuery.page_request(self.query))
        return page_response(request, page, present_audit_event)
