"""All writes of accounts."""

from accounts.services.api_keys import ApiKeyService
from accounts.services.audit import AuditService
from accounts.services.emails import EmailService
from accounts.services.erasures import ErasureService
from accounts.services.exports import ExportService
from accounts.services.logins import LoginService
from accounts.services.password_changes import PasswordService
from accounts.services.password_resets import PasswordResetService
from accounts.services.sessions import SessionService
from accounts.services.tokens import TokenPair, TokenService
from accounts.services.users import UserService

__all__ = [
    "ApiKeyService",
    "AuditService",
    "EmailService",
    "ErasureService",
    "ExportService",
    "LoginService",
    "PasswordResetService",
    "PasswordService",
    "SessionService",
    "TokenPair",
    "TokenService",
    "UserService",
]
