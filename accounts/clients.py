"""Where a request comes from, as sessions and the audit log remember it."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from rest_framework.request import Request

from ecommerce.core.client_address import client_address

USER_AGENT_LENGTH: Final = 200
"""Characters that are kept of the header."""


@dataclass(frozen=True, slots=True)
class Client:
    """A device, as far as it can be told from outside. Empty: not known."""

    address: str = ""
    user_agent: str = ""


def client_of(request: HttpRequest | Request) -> Client:
    """The client that sent the request. Its user agent is its own word: shown, never trusted."""
    sent = str(request.META.get("HTTP_USER_AGENT", ""))
    printable = "".join(letter for letter in sent[:1000] if letter.isprintable())
    return Client(client_address(request), printable[:USER_AGENT_LENGTH])
