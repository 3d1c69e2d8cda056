"""Email addresses: confirming them with what was mailed."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.openapi import resend_schema, verify_email_schema
from accounts.permissions import caller_of
from accounts.rules import ANYONE
from accounts.serializers import EmailVerificationInput
from accounts.services import EmailService
from ecommerce.core.client_address import client_address
from ecommerce.core.rate_limits import MAIL_TOKENS, RESENDS, rate_limited
from ecommerce.core.viewsets import ShopViewSet


class EmailVerificationViewSet(ShopViewSet):
    """For whoever holds the mailed token: it says which account is meant."""

    authentication_classes = ()
    rules = {"verify": ANYONE}
    inputs = {"verify": EmailVerificationInput}

    @verify_email_schema
    @rate_limited(MAIL_TOKENS)
    def verify(self, request: Request) -> Response:
        """Confirm an address."""
        EmailService.verify(address=client_address(request), **self.body())
        return Response(status=204)


class OwnEmailViewSet(ShopViewSet):
    """The caller's own address."""

    @resend_schema
    @rate_limited(RESENDS)
    def resend(self, request: Request) -> Response:
        """Send the link again."""
        EmailService.send_verification(caller=caller_of(request), **self.body())
        return Response({"detail": "A mail with a link is on its way."}, status=202)
