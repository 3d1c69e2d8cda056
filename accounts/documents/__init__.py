"""What is stored about accounts. Rules live in services; this is fields and indexes only."""

from accounts.documents.api_keys import ApiKey, ApiKeyRow
from accounts.documents.audit import AuditEvent, AuditEventRow
from accounts.documents.sessions import (
    MAX_ENDED_SESSIONS,
    EndedSession,
    EndedSessionRow,
    KeptSession,
    KeptSessionRow,
    RefreshFamily,
    RefreshFamilyRow,
)
from accounts.documents.users import User, UserRow

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
    "RefreshFamily",
    "RefreshFamilyRow",
    "User",
    "UserRow",
]
