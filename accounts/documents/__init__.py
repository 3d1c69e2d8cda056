"""What is stored about accounts. Rules live in services; this is fields and indexes only."""

from accounts.documents.api_keys import ApiKey, ApiKeyRow
from accounts.documents.audit import AuditEvent, AuditEventRow
from accounts.documents.mail_tokens import MailToken, MailTokenRow, Purpose
from accounts.documents.sessions import (
    MAX_ENDED_SESSIONS,
    EndedSession,
    EndedSessionRow,
    KeptSession,
    KeptSessionRow,
    RefreshFamily,
    RefreshFamilyRow,
)
from accounts.documents.users import User, UserRow, email_is_verified, pending_email

__all__ = [
    "MAX_ENDED_SESSIONS",
    "ApiKey",
    "ApiKeyRow",
    "AuditEvent",
    "AuditEventRow",
    "EndedSession",
    "EndedSessionRow",
    "KeptSession",
    "KeptSessionRow",
    "MailToken",
    "MailTokenRow",
    "Purpose",
    "RefreshFamily",
    "RefreshFamilyRow",
    "User",
    "UserRow",
    "email_is_verified",
    "pending_email",
]
