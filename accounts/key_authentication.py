"""How a machine says who it is: an API key in the Authorization header.

There and not in a header of its own: caches, proxies and logs know by themselves that what stands
in Authorization is nobody else's.
"""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.principal import Principal
from accounts.services import ApiKeyService

_SCHEME: Final = "api-key"


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <prefix>.<secret>`; the key's state is read on each request."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        """The key; None without such a header.

        Raises:
            AuthenticationFailed: the key is wrong, revoked or expired.
        """
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != _SCHEME:
            return None
        found = ApiKeyService.authenticate(text=text.strip())
        if found is None:
            raise AuthenticationFailed(
                "The API key is not valid, or not any more: ask an operator for another.",
                code="invalid_api_key",
            )
        return found, None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """What a 401 asks for."""
        return 'Api-Key realm="api"'


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registered
    """The key in the OpenAPI document, for the operations that a scope opens."""

    target_class = ApiKeyAuthentication
    name = "serviceKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002
        """The security scheme object."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": (
                "For machines: `Api-Key <key>`, with a key of `manage.py api_keys create`."
            ),
        }

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]] | list[Any]:
        """The scope that the operation needs; nothing where no key may call it."""
        rule = auto_schema.access_rule
        return {self.name: [rule.scope]} if rule and rule.scope else []
