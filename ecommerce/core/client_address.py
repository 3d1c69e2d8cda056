"""Who is calling, as far as the network can tell."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def client_address(request: HttpRequest | Request) -> str:
    """The address that the outermost proxy of ours saw; never one that the client wrote itself.

    With N trusted proxies each appends the address it sees to X-Forwarded-For, so the Nth entry
    from the right is the client. Anything to the left of it is the client's own invention.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104
    trusted: int = settings.TRUSTED_PROXIES
    if not trusted:
        return peer
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    candidate = forwarded[-trusted] if len(forwarded) >= trusted else ""
    try:
        return str(ipaddress.ip_address(candidate))
    except ValueError:
        return peer
