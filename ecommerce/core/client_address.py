"""Who is calling, as far as the network can tell."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

_LONGEST: Final = 45
"""Characters of an IPv6 address with an IPv4 address in it."""
_IPV6_SITE: Final = 64
"""Bits: what one customer of a network gets at least, and may choose addresses from freely."""


def client_address(request: HttpRequest | Request) -> str:
    """The address that the outermost proxy of ours saw; never one that the client wrote itself.

    With N trusted proxies each appends the address it sees to X-Forwarded-For, so the Nth entry
    from the right is the client. Anything to the left of it is the client's own invention.
    """
    return address_of(request.META)


def address_of(environ: Mapping[str, Any]) -> str:
    """The same, from the WSGI environment."""
    peer = str(environ.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104  # nosec B104
    trusted: int = settings.TRUSTED_PROXIES
    if not trusted:
        return _plain(peer) or peer[:_LONGEST]
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "").rsplit(",", trusted)
    candidate = forwarded[-trusted] if len(forwarded) >= trusted else ""
    return _plain(candidate.strip()) or _plain(peer) or peer[:_LONGEST]


@lru_cache(4096)  # of few characters each, as `address_of` gives them
def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that an IPv6 address is chosen from."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return str(known)
    return str(ipaddress.ip_network((int(known), _IPV6_SITE), strict=False))


def _plain(text: str) -> str:
    """The one spelling of an address; empty for what is none. Zones mean nothing to others."""
    return "" if len(text) > _LONGEST or "%" in text else _spelled(text)


@lru_cache(4096)  # each request asks, twice or more: to parse one takes 4 microseconds
def _spelled(text: str) -> str:
    try:
        known = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
    return str(mapped or known)
