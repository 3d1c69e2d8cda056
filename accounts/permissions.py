"""Who may call what, as named rules."""

from typing import Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.principal import Principal


def caller_of(request: Request) -> Principal:
    """The signed-in user of a request that its permissions let through.

    Raises:
        NotAuthenticated: nobody is signed in; the view has the wrong permissions.
    """
    if not isinstance(request.user, Principal):
        raise NotAuthenticated
    return request.user


class IsStaff(BasePermission):
    """Staff of the shop."""

    message = "Only staff of the shop may do this."

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
        """401 without a token and 403 for customers: DRF tells the two apart."""
        return bool(request.user.is_authenticated and request.user.is_staff)
