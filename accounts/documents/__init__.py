"""What is stored about accounts. Rules live in services; this is fields and indexes only."""

from accounts.documents.audit import AuditEvent, AuditEventRow
from accounts.documents.sessions import RefreshFamily, RefreshFamilyRow
from accounts.documents.users import User, UserRow

__all__ = [
    "AuditEvent",
    "AuditEventRow",
    "RefreshFamily",
    "RefreshFamilyRow",
    "User",
    "UserRow",
]
