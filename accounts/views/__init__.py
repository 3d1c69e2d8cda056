"""The HTTP side of accounts."""

from accounts.views.audit import AuditEventViewSet
from accounts.views.emails import EmailVerificationViewSet, OwnEmailViewSet
from accounts.views.exports import ExportViewSet
from accounts.views.passwords import PasswordResetViewSet, PasswordViewSet
from accounts.views.sessions import SessionViewSet
from accounts.views.tokens import RevokeView, TokenView
from accounts.views.users import UserViewSet

__all__ = [
    "AuditEventViewSet",
    "EmailVerificationViewSet",
    "ExportViewSet",
    "OwnEmailViewSet",
    "PasswordResetViewSet",
    "PasswordViewSet",
    "RevokeView",
    "SessionViewSet",
    "TokenView",
    "UserViewSet",
]
