"""The HTTP side of accounts."""

from accounts.views.tokens import RevokeView, TokenView
from accounts.views.users import UserViewSet

__all__ = ["RevokeView", "TokenView", "UserViewSet"]
