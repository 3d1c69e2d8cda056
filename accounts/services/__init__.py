"""All writes of accounts."""

from accounts.services.tokens import TokenPair, TokenService
from accounts.services.users import UserService

__all__ = ["TokenPair", "TokenService", "UserService"]
