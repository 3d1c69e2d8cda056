"""Rate limits: named policies in one table, one decorator for view methods, standard headers.

django-ratelimit counts (fixed windows in the shared cache); what it does not give is ours: the 429
problem with Retry-After, the `RateLimit` headers (draft-ietf-httpapi-ratelimit-headers-10), JSON
bodies, and a cache that is down.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, Literal, ParamSpec

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.core.client_address import client_address

logger = logging.getLogger(__name__)
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `quota` requests in `window` seconds, counted per `key`."""

    name: str
    quota: int
    window: int
    key: Literal["address", "caller"]

    @property
    def header(self) -> str:
        """Its item in `RateLimit-Policy`."""
        return f'"{self.name}";q={self.quota};w={self.window}'


LOGIN_PER_ADDRESS: Final = Policy("login-address", quota=30, window=60, key="address")
REGISTRATION: Final = Policy("registration", quota=20, window=3600, key="address")
PASSWORD_CHANGES: Final = Policy("password-changes", quota=10, window=900, key="caller")
WRITES: Final = Policy("writes", quota=300, window=60, key="caller")


class RateLimitedError(APIException):
    """Too many requests under one policy."""

    status_code = 429
    default_code = "rate_limited"

    def __init__(self, policy: Policy, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(
            f"More than {policy.quota} requests in {policy.window} seconds "
            f"({policy.name}). Try again in {retry_after} seconds."
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one policy is used up."""

    policy: Policy
    remaining: int
    reset: int
    """Seconds until the window ends."""
    exceeded: bool

    @property
    def header(self) -> str:
        """Its item in `RateLimit`."""
        return f'"{self.policy.name}";r={self.remaining};t={self.reset}'


def rate_limited(
    *policies: Policy,
) -> Callable[
    [Callable[Concatenate[Any, Request, P], Response]],
    Callable[Concatenate[Any, Request, P], Response],
]:
    """Count each call of a view method under the policies, before its work starts."""

    def decorate(
        method: Callable[Concatenate[Any, Request, P], Response],
    ) -> Callable[Concatenate[Any, Request, P], Response]:
        @wraps(method)
        def limited(view: Any, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
            spend(request, *policies)
            return method(view, request, *args, **kwargs)

        return limited

    return decorate


def spend(request: Request | HttpRequest, *policies: Policy) -> None:
    """Count one request under each policy.

    Raises:
        RateLimitedError: one of them is used up; nothing else has happened yet.
    """
    if not settings.RATE_LIMITS_ENABLED:
        return
    usages = [_count(request, policy) for policy in policies]
    seen: list[Usage] = getattr(request, "rate_limit_usages", [])
    # On the Django request: DRF wraps it anew for each renderer.
    vars(getattr(request, "_request", request))["rate_limit_usages"] = seen + usages
    for usage in usages:
        if usage.exceeded:
            raise RateLimitedError(usage.policy, usage.reset)


def add_headers(request: Request, response: Response) -> None:
    """`RateLimit` and `RateLimit-Policy` on an answer that was counted; `Retry-After` on a 429."""
    usages: list[Usage] = getattr(request, "rate_limit_usages", [])
    if usages:
        response["RateLimit-Policy"] = ", ".join(usage.policy.header for usage in usages)
        response["RateLimit"] = ", ".join(usage.header for usage in usages)
    exceeded = [usage.reset for usage in usages if usage.exceeded]
    if exceeded and response.status_code == RateLimitedError.status_code:
        response["Retry-After"] = str(max(exceeded))


def _count(request: Request | HttpRequest, policy: Policy) -> Usage:
    try:
        usage = _usage(request, policy)
    except (RedisError, OSError) as fault:
        # The shop stays open when the cache is away; hashing itself bounds a login storm.
        logger.warning("Rate limit %s is not counted: %s", policy.name, fault)
        return Usage(policy, policy.quota, policy.window, exceeded=False)
    remaining = max(policy.quota - usage["count"], 0)
    return Usage(policy, remaining, max(usage["time_left"], 1), usage["should_limit"])


def _usage(request: Request | HttpRequest, policy: Policy) -> dict[str, Any]:
    value = _key(request, policy)
    usage: dict[str, Any] = get_usage(
        request,
        group=policy.name,
        key=lambda _group, _request: value,
        rate=(policy.quota, policy.window),
        increment=True,
    )
    return usage


def _key(request: Request | HttpRequest, policy: Policy) -> str:
    if policy.key == "caller" and request.user.is_authenticated:
        return str(request.user.pk)
    return client_address(request)


def forget_all() -> None:
    """Start every window anew (tests, and an operator who locked themselves out)."""
    caches["default"].clear()
