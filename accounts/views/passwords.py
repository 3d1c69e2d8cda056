"""Passwords: their owner changes them, or resets them by a link in a mail."""

from typing import Final

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.clients import client_of
from accounts.names import name_key
from accounts.openapi import password_schema, reset_confirm_schema, reset_request_schema
from accounts.permissions import caller_of
from accounts.presenters import present_token
from accounts.rules import ANYONE
from accounts.serializers import (
    PasswordChangeInput,
    PasswordResetConfirmInput,
    PasswordResetInput,
)
from accounts.services import PasswordResetService, PasswordService
from ecommerce.core import rate_limits
from ecommerce.core.client_address import client_address
from ecommerce.core.conditional import NO_STORE
from ecommerce.core.rate_limits import (
    MAIL_TOKENS,
    PASSWORD_CHANGES,
    RESETS_PER_ACCOUNT,
    RESETS_PER_ADDRESS,
    rate_limited,
)
from ecommerce.core.viewsets import ShopViewSet

_REQUESTED: Final = "If an account has this address, a mail with a link is on its way to it."


class PasswordViewSet(ShopViewSet):
    """The caller's own password."""

    inputs = {"change": PasswordChangeInput}

    @password_schema
    @rate_limited(PASSWORD_CHANGES)
    def change(self, request: Request) -> Response:
        """Set a new password; the answer signs the caller in again, everybody else is out."""
        pair = PasswordService.change(
            caller=caller_of(request), client=client_of(request), **self.body()
        )
        return Response(present_token(pair), headers=NO_STORE)


class PasswordResetViewSet(ShopViewSet):
    """For whoever cannot sign in: a stale token is not even looked at."""

    authentication_classes = ()
    rules = {"ask": ANYONE, "confirm": ANYONE}
    inputs = {"ask": PasswordResetInput, "confirm": PasswordResetConfirmInput}

    @reset_request_schema
    @rate_limited(RESETS_PER_ADDRESS)
    def ask(self, request: Request) -> Response:
        """Have a link mailed; the answer is the same for every address."""
        email = self.body()["email"]
        rate_limits.spend(request, RESETS_PER_ACCOUNT, account=name_key(email))
        PasswordResetService.request(email=email, address=client_address(request))
        return Response({"detail": _REQUESTED}, status=202)

    @reset_confirm_schema
    @rate_limited(MAIL_TOKENS)
    def confirm(self, request: Request) -> Response:
        """Set the new password with the mailed token."""
        PasswordResetService.confirm(address=client_address(request), **self.body())
        return Response(status=204)
