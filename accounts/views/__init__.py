"""The HTTP side of accounts."""

from accounts.views.audit import AuditEventViewSet
from accounts.views.passwords import PasswordViewSet
from accounts.views.sessions import SessionViewSet
from accounts.views.tokens import RevokeView, TokenView
from accounts.views.users import UserViewSet

__all__ = [
    "AuditEventViewSet",
    "PasswordViewSet",
    "RevokeView",
    "SessionViewSet",
    "TokenView",
    "UserViewSet",
]
