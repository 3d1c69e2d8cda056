"""`/token`: the OAuth2 endpoints. Errors have the form of RFC 6749, not problem documents."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from django.http import QueryDict
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.clients import client_of
from accounts.errors import (
    InvalidCredentialsError,
    InvalidRefreshTokenError,
)
from accounts.openapi import revoke_schema, token_schema
from accounts.presenters import present_token
from accounts.rules import ANYONE
from accounts.serializers import RevocationInput, TokenInput
from accounts.services import LoginService, TokenPair, TokenService
from ecommerce.core import rate_limits
from ecommerce.core.conditional import NO_STORE
from ecommerce.core.errors import DomainError
from ecommerce.core.methods import NamesMethods
from ecommerce.core.parsers import StrictFormParser
from ecommerce.core.problems import field_errors, known_error
from ecommerce.core.rate_limits import LOGIN_PER_ADDRESS, RENEWALS, REVOCATIONS
from ecommerce.core.reusable_serializers import serializer_for

_LATER: Final = "temporarily_unavailable"
"""RFC 6749 has no code for too many attempts; this one tells a client to come again."""


class OAuthView(NamesMethods):
    """Form in, JSON out, nothing cached; a stale bearer header does not get in the way."""

    authentication_classes = ()
    permission_classes = (ANYONE,)  # type: ignore[assignment]  # a rule makes itself
    parser_classes = (StrictFormParser,)

    def options(self, *args: Any, **kwargs: Any) -> Response:
        """Counted as a refusal is, for nothing comes of it."""
        rate_limits.spend_uncounted(self.request)
        return super().options(*args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        """Errors as RFC 6749 section 5.2 writes them; what is not known stays a problem."""
        try:
            rate_limits.spend_uncounted(self.request)
        except rate_limits.RateLimitedError as refusal:
            return self._refused(refusal)
        return self._refused(exc)

    def _refused(self, exc: Exception) -> Response:
        exc = known_error(exc) or exc
        if isinstance(exc, InvalidCredentialsError | InvalidRefreshTokenError):
            return _oauth_error(400, exc.code, exc.detail)
        if isinstance(exc, ValidationError):
            return _validation_error(exc)
        if isinstance(exc, APIException):
            limited = exc.status_code == 429
            code = _LATER if limited else "invalid_request"
            return _oauth_error(exc.status_code, code, str(exc.detail))
        if isinstance(exc, DomainError):
            code = _LATER if exc.status in {429, 503} else exc.code
            return _oauth_error(exc.status, code, exc.detail, retry_after=exc.retry_after)
        return super().handle_exception(exc)

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """`no-store` on every answer, as RFC 6749 section 5.1 demands."""
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in NO_STORE.items():
            answer[name] = value
        return answer


class TokenView(OAuthView):
    """`POST /token`."""

    @token_schema
    def post(self, request: Request) -> Response:
        """Sign in with a password, or renew with a refresh token."""
        values = _valid(TokenInput, request)
        if values["grant_type"] == "refresh_token":
            return Response(present_token(_renew(request, values)))
        return Response(present_token(_sign_in(request, values)))


class RevokeView(OAuthView):
    """`POST /token/revoke`."""

    @revoke_schema
    def post(self, request: Request) -> Response:
        """End the session that the token belongs to."""
        values = _valid(RevocationInput, request)
        rate_limits.spend(request, REVOCATIONS)
        TokenService.revoke(token=values["token"], client=client_of(request))
        return Response(status=200)


def _sign_in(request: Request, values: Mapping[str, Any]) -> TokenPair:
    login, password = _required(values, "username"), _required(values, "password")
    rate_limits.spend(request, LOGIN_PER_ADDRESS)
    client = client_of(request)
    user = LoginService.sign_in(login=login, password=password, client=client)
    return TokenService.issue(user=user, client=client)


def _renew(request: Request, values: Mapping[str, Any]) -> TokenPair:
    token = _required(values, "refresh_token")
    # Counted apart from signing in: whoever guesses from an address stops nobody who shares it.
    rate_limits.spend(request, RENEWALS)
    return TokenService.refresh(refresh_token=token, client=client_of(request))


def _valid(form: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    with serializer_for(form, request.data) as serializer:
        if isinstance(request.data, QueryDict):  # nothing at all is none
            _refuse_repeated(request.data, serializer.fields)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


def _refuse_repeated(data: QueryDict, known: Collection[str]) -> None:
    """RFC 6749 section 3.2: of two values, two readers of a form may take another each."""
    for name, values in data.lists():
        if len(values) > 1:
            shown = name if name in known else "each parameter"
            raise ParseError(f"Send {shown} once: none may be repeated.")


def _required(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        raise ValidationError({name: ["This field is required."]})
    return str(values[name])


def _validation_error(problem: ValidationError) -> Response:
    faults = list(field_errors(problem.detail))
    if any(fault.pointer == "/grant_type" for fault in faults):
        return _oauth_error(400, "unsupported_grant_type", "Use password or refresh_token.")
    text = " ".join(f"{fault.pointer.lstrip('/')}: {fault.detail}" for fault in faults)
    return _oauth_error(400, "invalid_request", text)


def _oauth_error(
    status: int, code: str, description: str, *, retry_after: int | None = None
) -> Response:
    body = {"error": code, "error_description": description}
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    response = Response(body, status=status, headers=headers)
    response.exception = True
    return response
