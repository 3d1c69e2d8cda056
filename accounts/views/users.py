"""`/users/`: register, read, change and delete accounts."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.openapi import users_schema
from accounts.permissions import caller_of
from accounts.presenters import present_user
from accounts.rules import ANYONE, READS_ACCOUNT, READS_USERS, SIGNED_IN
from accounts.serializers import RegistrationInput, UserInput
from accounts.services import UserService
from ecommerce.core import rate_limits
from ecommerce.core.client_address import client_address
from ecommerce.core.conditional import etag, expected_versions, tagged_response
from ecommerce.core.idempotency import idempotent
from ecommerce.core.pagination import page_response
from ecommerce.core.rate_limits import PASSWORD_CHANGES, REGISTRATION, WRITES, rate_limited
from ecommerce.core.serializers import PageQuery
from ecommerce.core.viewsets import ShopViewSet


@users_schema
class UserViewSet(ShopViewSet):
    """Accounts. Anyone registers; users see themselves, staff sees everybody."""

    inputs = {"create": RegistrationInput, "update": UserInput, "partial_update": UserInput}
    rows_lead_to = {"list": "/users"}
    queries = {"list": PageQuery}
    rules = {
        "create": ANYONE,
        "list": READS_USERS,
        "retrieve": READS_ACCOUNT,
        "update": SIGNED_IN,
        "partial_update": SIGNED_IN,
        "destroy": SIGNED_IN,
    }

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Registration needs no token, so a stale one does not block it."""
        registers = not self.detail and getattr(self.request, "method", "") == "POST"
        return [] if registers else super().get_authenticators()

    def list(self, request: Request) -> Response:
        """All users, newest first."""
        page = selectors.user_page(PageQuery.page_request(self.query))
        return page_response(request, page, present_user)

    @rate_limited(REGISTRATION)
    @idempotent
    def create(self, request: Request) -> Response:
        """Register a customer."""
        user = UserService.register(operation=self.operation, **self.body())
        headers = {"Location": request.build_absolute_uri(f"/users/{user['_id']}")}
        return tagged_response(
            request, lambda: present_user(user), etag(user["version"]), status=201, headers=headers
        )

    def retrieve(self, request: Request, pk: str) -> Response:
        """One user."""
        user = selectors.user(pk, caller=caller_of(request))
        return tagged_response(request, lambda: present_user(user), etag(user["version"]))

    @rate_limited(WRITES)
    def update(self, request: Request, pk: str) -> Response:
        """Replace or change a user."""
        changes = self.body()
        # Whoever holds a stolen token may not guess on: either field says whether it was right.
        if not changes.keys().isdisjoint({"password", "current_password"}):
            rate_limits.spend(request, PASSWORD_CHANGES)
        user = UserService.update(
            user_id=pk,
            caller=caller_of(request),
            changes=changes,
            expected_versions=expected_versions(request),
            address=client_address(request),
        )
        return tagged_response(request, lambda: present_user(user), etag(user["version"]))

    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """As update; `body()` leaves absent fields absent."""
        return self.update(request, **kwargs)

    @rate_limited(WRITES)
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a user."""
        UserService.delete(
            user_id=pk, caller=caller_of(request), expected_versions=expected_versions(request)
        )
        return Response(status=204)
