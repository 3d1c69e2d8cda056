"""Who is calling a view, and whether a rule of `accounts.rules` lets them."""

from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from accounts.principal import Principal
from accounts.rules import Rule


def caller_of(request: Request) -> Principal:
    """Who is signed in, in a request that its rule let through.

    Raises:
        NotAuthenticated: nobody is signed in; the view names the wrong rule.
    """
    if not isinstance(request.user, Principal):
        raise NotAuthenticated
    return request.user


def caller_may(request: HttpRequest, rule: Rule) -> bool:
    """Whether the caller, who may be nobody, may do what the rule is about."""
    return rule.has_permission(request, None)
