"""Passwords: their owner changes them."""

from typing import Final

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.openapi import password_schema
from accounts.permissions import caller_of
from accounts.presenters import present_token
from accounts.serializers import PasswordChangeInput
from accounts.services import PasswordService
from ecommerce.core.client_address import client_address
from ecommerce.core.rate_limits import PASSWORD_CHANGES, rate_limited
from ecommerce.core.viewsets import ShopViewSet

_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class PasswordViewSet(ShopViewSet):
    """The caller's own password."""

    inputs = {"change": PasswordChangeInput}

    @password_schema
    @rate_limited(PASSWORD_CHANGES)
    def change(self, request: Request) -> Response:
        """Set a new password; the answer signs the caller in again, everybody else is out."""
        pair = PasswordService.change(
            caller=caller_of(request), address=client_address(request), **self.body()
        )
        return Response(present_token(pair), headers=_NO_STORE)
