"""How a request says who is calling: a bearer token, or the session of the browsable pages."""

from dataclasses import dataclass
from typing import Any, Final

from bson import ObjectId
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed as BadHeader

from accounts import access_tokens, selectors
from accounts.claims import AccessClaims
from accounts.documents import UserRow
from accounts.errors import InvalidAccessTokenError
from accounts.principal import Principal
from accounts.services import SessionService
from ecommerce.core.client_address import client_address
from ecommerce.core.ids import is_id, new_id

_SESSION_USER: Final = "user_id"
_SESSION_ID: Final = "session_id"
_SESSION_VERSION: Final = "token_version"


class BearerAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access token>`; the user's state is read on each request."""

    def authenticate(  # type: ignore[override]  # a principal, where the library has a user
        self, request: Request
    ) -> tuple[Principal, AccessClaims] | None:
        """The caller; None without a bearer header.

        Raises:
            AuthenticationFailed: the token is forged, expired, or its user is out.
        """
        try:
            return super().authenticate(request)  # type: ignore[return-value]  # of the two below
        except (BadHeader, InvalidAccessTokenError):
            raise AuthenticationFailed(
                InvalidAccessTokenError.default_detail, code=InvalidAccessTokenError.code
            ) from None

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for. Where a token was sent, it is the token (RFC 6750 section 3.1)."""
        challenge: str = super().authenticate_header(request)
        scheme, *_ = request.headers.get("Authorization", "").split(maxsplit=1) or [""]
        return f'{challenge}, error="invalid_token"' if scheme.lower() == "bearer" else challenge

    def get_raw_token(self, header: bytes) -> bytes | None:
        """The token of the header, whose scheme may have any case (RFC 9110 section 11.1): read as
        another one, it would make a guest of somebody who is signed in."""
        parts = header.split(maxsplit=1)
        return super().get_raw_token(b" ".join([*(part.lower() for part in parts[:1]), *parts[1:]]))

    def get_validated_token(self, raw_token: bytes) -> AccessClaims:  # type: ignore[override]  # as above
        """The claims of the token."""
        return access_tokens.verified(raw_token)

    def get_user(self, validated_token: AccessClaims) -> Principal:  # type: ignore[override]  # as above
        """The principal the token names, if it is still in."""
        found = selectors.principal(
            validated_token.user_id,
            token_version=validated_token.token_version,
            session_id=validated_token.session_id,
        )
        if found is None:
            raise InvalidAccessTokenError
        return found


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registered
    """*Authorize* in the docs: the password flow of OAuth2."""

    target_class = BearerAuthentication
    match_subclasses = True
    name = "password"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002
        """The security scheme object."""
        flow = {"tokenUrl": "/token", "refreshUrl": "/token", "scopes": {}}
        return {"type": "oauth2", "flows": {"password": flow}}


class BrowsableSessionAuthentication(BaseAuthentication):
    """The signed-cookie session of the browsable pages; every write needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        """The caller who logged in on the pages; None when nobody did.

        Raises:
            PermissionDenied: a write without the CSRF token.
        """
        session = browsable_session(request._request)
        if session is None:
            return None
        found = _principal_of(session)
        if found is None:
            return None
        _enforce_csrf(request._request)
        return found, None


@dataclass(frozen=True, slots=True)
class BrowsableSession:
    """What the signed cookie says."""

    id: ObjectId
    user_id: ObjectId
    token_version: int


def browsable_session(request: HttpRequest) -> BrowsableSession | None:
    """The session of the browsable pages that the request carries, ended or not."""
    kept = getattr(request, "session", {})
    names = [kept.get(_SESSION_ID), kept.get(_SESSION_USER)]
    version = kept.get(_SESSION_VERSION)
    if not (all(isinstance(n, str) and is_id(n) for n in names) and isinstance(version, int)):
        return None
    return BrowsableSession(ObjectId(names[0]), ObjectId(names[1]), version)


def _principal_of(session: BrowsableSession) -> Principal | None:
    return selectors.principal(
        session.user_id, token_version=session.token_version, session_id=session.id
    )


def log_in(request: HttpRequest, user: UserRow) -> None:
    """Start a session of the browsable pages."""
    request.session.cycle_key()
    request.session[_SESSION_ID] = str(new_id())
    request.session[_SESSION_USER] = str(user["_id"])
    request.session[_SESSION_VERSION] = user["token_version"]


def log_out(request: HttpRequest) -> None:
    """End the session of the browsable pages, in this browser and in every copy of its cookie."""
    session = browsable_session(request)
    if session is not None and _principal_of(session) is not None:
        SessionService.log_out(
            user_id=session.user_id, session_id=session.id, address=client_address(request)
        )
    request.session.flush()


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> str:  # noqa: ARG002
        return reason


def _enforce_csrf(request: HttpRequest) -> None:
    check = _CsrfCheck(lambda _request: HttpResponse())
    check.process_request(request)
    reason = check.process_view(request, HttpResponse, (), {})
    if reason:
        raise PermissionDenied(f"CSRF check failed: {reason}", code="csrf_failed")
