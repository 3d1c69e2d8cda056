"""Who may call what, as named rules."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class IsStaff(BasePermission):
    """Staff of the shop."""

    message = "Only staff of the shop may do this."

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
        """401 without a token and 403 for customers: DRF tells the two apart."""
        return bool(request.user.is_authenticated and request.user.is_staff)
