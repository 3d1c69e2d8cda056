"""Who is calling, as views, services and selectors see it."""

from dataclasses import dataclass

from bson import ObjectId

from accounts.roles import Role
from accounts.rules import Rule, Scope


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user, or an API key. DRF and its templates see it as `user`.

    A key has scopes and no role; it is nobody, so it has no account and no carts.
    """

    id: ObjectId
    """Of the user or of the key."""
    username: str
    """The name of the user or of the key."""
    role: Role | None
    token_version: int = 0
    scopes: frozenset[Scope] = frozenset()

    session_id: ObjectId | None = None
    """Of the session whose access token, or cookie of the browsable pages, was sent."""

    is_active: bool = True
    is_authenticated: bool = True
    is_anonymous: bool = False

    def may(self, rule: Rule) -> bool:
        """Whether the rule lets this caller."""
        return rule.allows(self.role, self.scopes)

    @property
    def is_staff(self) -> bool:
        """Whether this is a user who works for the shop."""
        return self.role in {Role.STAFF, Role.ADMIN}

    @property
    def pk(self) -> str:
        """The id as text."""
        return str(self.id)

    def __str__(self) -> str:
        return self.username
