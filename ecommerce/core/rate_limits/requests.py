"""What a limit does to a request and to its answer."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.core import metrics
from ecommerce.core.client_address import address_of, network_of
from ecommerce.core.rate_limits.counting import Usage, count
from ecommerce.core.rate_limits.policies import (
    POLICIES,
    READS,
    WRITES,
    Policy,
    in_force,
)

P = ParamSpec("P")
_COUNTED: Final = "_is_rate_limited"
_UNLIMITED: Final = "_is_unlimited"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SPENT: Final = "shop.rate_limit_usage"
"""Where the WSGI environment says that a read is counted already."""
_REFUSED: Final = {name: metrics.RATE_LIMITED.labels(name) for name in POLICIES}


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

        vars(limited)[_COUNTED] = True
        return limited

    return decorate


def is_counted(method: object) -> bool:
    """Whether a view method is under `rate_limited`."""
    return bool(getattr(method, _COUNTED, False))


def unlimited(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Mark a plain view that must answer however often it is asked: a probe, a scraper's page."""
    vars(view)[_UNLIMITED] = True
    return view


def is_unlimited(view: object) -> bool:
    """Whether a view is under `unlimited`."""
    return bool(getattr(view, _UNLIMITED, False))


def spend(request: Request | HttpRequest, *policies: Policy, account: str | None = None) -> None:
    """Count one request under each policy.

    Args:
        request: what is counted.
        policies: each is counted, whichever refuses.
        account: whom a policy per account is about.

    Raises:
        RateLimitedError: one of them is used up; nothing else has happened yet.
    """
    if not settings.RATE_LIMITS_ENABLED:
        return
    usages = count(
        [in_force(policy) for policy in policies],
        [_subject(request, policy, account) for policy in policies],
    )
    seen: list[Usage] = getattr(request, "rate_limit_usages", [])
    # On the Django request: DRF wraps it anew for each renderer.
    vars(getattr(request, "_request", request))["rate_limit_usages"] = seen + usages
    for usage in usages:
        if usage.exceeded:
            _REFUSED[usage.policy.name].inc()
            raise RateLimitedError(usage.policy, usage.reset)


def spend_uncounted(request: Request | HttpRequest) -> None:
    """Count a request that nothing else has counted, under reads or writes: refused, or a page.

    Without it, whoever has no token could ask as often as they like. Counted for who is known by
    then, else for the address: to find out who that is may be what failed.

    Raises:
        RateLimitedError: used up.
    """
    if getattr(request, "rate_limit_usages", None):
        return
    known = getattr(request, "_user", None)
    caller = str(known.pk) if known is not None and known.is_authenticated else None
    policy = READS if request.method in _SAFE else WRITES
    spend(request, policy, account=caller or network_of(address_of(request.META)))


def spend_read(environ: dict[str, Any], policy: Policy) -> Usage | None:
    """Count a public read before a view sees it, if one does; None while limits are off."""
    if not settings.RATE_LIMITS_ENABLED:
        return None
    (usage,) = count([in_force(policy)], [network_of(address_of(environ))])
    environ[_SPENT] = usage
    return usage


def spend_once(request: Request, policy: Policy) -> None:
    """Count a read, unless that was done before Django saw it.

    Raises:
        RateLimitedError: there were too many.
    """
    spent: Usage | None = request.META.get(_SPENT)
    if spent is None or spent.exceeded:
        spend(request, policy)
    else:
        vars(request._request)["rate_limit_usages"] = [spent]


def allows(policy: Policy, account: str) -> bool:
    """Count something that is not a request under a policy per account; whether it may be done."""
    if not settings.RATE_LIMITS_ENABLED:
        return True
    (usage,) = count([in_force(policy)], [account])
    if usage.exceeded:
        _REFUSED[policy.name].inc()
    return not usage.exceeded


def add_headers(request: HttpRequest, response: HttpResponse) -> None:
    """`RateLimit` and `RateLimit-Policy` on an answer that was counted; `Retry-After` on a 429."""
    usages: list[Usage] = getattr(request, "rate_limit_usages", [])
    for name, value in header_items(usages):
        response[name] = value
    exceeded = [usage.reset for usage in usages if usage.exceeded]
    if exceeded and response.status_code == RateLimitedError.status_code:
        response["Retry-After"] = str(max(exceeded))


def header_items(usages: Sequence[Usage]) -> Iterator[tuple[str, str]]:
    """The two headers of an answer that was counted."""
    if usages:
        yield "RateLimit-Policy", ", ".join(usage.policy.header for usage in usages)
        yield "RateLimit", ", ".join(usage.header for usage in usages)


def _subject(request: Request | HttpRequest, policy: Policy, account: str | None) -> str:
    if account is not None:
        return account
    if policy.key == "caller" and request.user.is_authenticated:
        return str(request.user.pk)
    return network_of(address_of(request.META))
