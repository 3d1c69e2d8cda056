"""`/users/{id}/sessions`: who is signed in where, and ending that."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.clients import client_of
from accounts.openapi import end_sessions_schema, sessions_schema
from accounts.permissions import caller_of
from accounts.presenters import present_session
from accounts.selectors.sessions import session_page
from accounts.serializers import EndSessionsQuery
from accounts.services import SessionService
from ecommerce.core.pagination import page_response
from ecommerce.core.rate_limits import WRITES, rate_limited
from ecommerce.core.serializers import PageQuery
from ecommerce.core.viewsets import ShopViewSet


@sessions_schema
class SessionViewSet(ShopViewSet):
    """The caller's sessions; staff sees anybody's, and admins end them."""

    queries = {"list": PageQuery, "destroy_all": EndSessionsQuery}

    def list(self, request: Request, pk: str) -> Response:
        """The living sessions of a user."""
        caller = caller_of(request)
        page = session_page(PageQuery.page_request(self.query), user_id=pk, caller=caller)
        return page_response(request, page, lambda row: present_session(row, caller.session_id))

    @rate_limited(WRITES)
    def destroy(self, request: Request, pk: str, session_id: str) -> Response:
        """End one session."""
        SessionService.end(
            user_id=pk,
            session_id=session_id,
            caller=caller_of(request),
            address=client_of(request).address,
        )
        return Response(status=204)

    @end_sessions_schema
    @rate_limited(WRITES)
    def destroy_all(self, request: Request, pk: str) -> Response:
        """End every session."""
        SessionService.end_all(
            user_id=pk,
            caller=caller_of(request),
            except_current=self.query["except_current"],
            address=client_of(request).address,
        )
        return Response(status=204)
