"""Who may do what: every rule of the product, by name, in one table.

Views name the rule of each action; services and selectors ask `caller.may(RULE)`. Nothing else in
the product looks at a role or a scope.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from accounts.roles import Role


class Scope(StrEnum):
    """What an API key may be given."""

    CATALOG_READ = "catalog:read"
    CATALOG_WRITE = "catalog:write"
    STOCK_READ = "stock:read"
    STOCK_WRITE = "stock:write"
    CARTS_READ = "carts:read"
    USERS_READ = "users:read"
    AUDIT_READ = "audit:read"


_WHO: Final = {
    None: "anyone",
    Role.CUSTOMER: "signed-in users",
    Role.STAFF: "staff and admins",
    Role.ADMIN: "admins",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do one thing: users from a role on, and API keys with a scope.

    It is a permission of DRF by its methods; calling it gives itself, so that it may stand in
    `permission_classes`.
    """

    name: str
    """Stable: `x-permission` in the OpenAPI document."""
    text: str
    """What it lets its holder do."""
    least: Role | None
    """The lowest role that may; None: nobody needs to sign in."""
    scope: Scope | None = None
    """The scope with which an API key may; None: no key may."""

    def __call__(self) -> "Rule":
        return self

    @property
    def is_public(self) -> bool:
        """Whether it asks nothing of the caller."""
        return self.least is None

    @property
    def who(self) -> str:
        """Those who may, in words."""
        keys = f", and API keys with `{self.scope}`" if self.scope else ""
        return f"{_WHO[self.least]}{keys}"

    @property
    def message(self) -> str:
        """What somebody is told who may not."""
        return f"This is for {self.who} only."

    def allows(self, role: Role | None, scopes: frozenset[Scope]) -> bool:
        """Whether a user of this role may, or, where there is no role, a key with these scopes."""
        if self.least is None:
            return True
        if role is None:
            return self.scope in scopes
        return role.rank >= self.least.rank

    def has_permission(self, request: Any, view: Any) -> bool:  # noqa: ARG002
        """As DRF asks: it answers 401 for no where nobody is signed in, else 403."""
        may = getattr(request.user, "may", None)
        return self.is_public or (may is not None and may(self))

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:  # noqa: ARG002
        """As the browsable pages ask: whose a thing is, is for selectors and services to say."""
        return True


ANYONE: Final = Rule(
    "anyone", "what needs no account: the catalog, signing in, registering, guests' carts", None
)
SIGNED_IN: Final = Rule(
    "signed_in", "change their own account, keep carts of their own", Role.CUSTOMER
)
READS_ACCOUNT: Final = Rule(
    "reads_account", "read their own account; any, with `reads_users`", Role.CUSTOMER,
    Scope.USERS_READ,
)  # fmt: skip
READS_CART: Final = Rule(
    "reads_cart", "read their own carts; any, with `sees_all_carts`", Role.CUSTOMER,
    Scope.CARTS_READ,
)  # fmt: skip
READS_USERS: Final = Rule("reads_users", "list and read all accounts", Role.STAFF, Scope.USERS_READ)
MANAGES_USERS: Final = Rule(
    "manages_users", "change, deactivate and delete accounts of a lower role", Role.STAFF
)
ENDS_SESSIONS: Final = Rule(
    "ends_sessions", "end sessions of others, without shutting them out", Role.ADMIN
)
SEES_DRAFTS: Final = Rule(
    "sees_drafts", "read products that are not for sale", Role.STAFF, Scope.CATALOG_READ
)
MANAGES_CATALOG: Final = Rule(
    "manages_catalog", "write products and categories", Role.STAFF, Scope.CATALOG_WRITE
)
READS_STOCK: Final = Rule(
    "reads_stock", "list what changed the stock", Role.STAFF, Scope.STOCK_READ
)
MOVES_STOCK: Final = Rule("moves_stock", "add and take away pieces", Role.STAFF, Scope.STOCK_WRITE)
SEES_ALL_CARTS: Final = Rule(
    "sees_all_carts", "read everybody's carts", Role.STAFF, Scope.CARTS_READ
)
MANAGES_ALL_CARTS: Final = Rule(
    "manages_all_carts", "start, change and delete carts for customers", Role.STAFF
)
READS_AUDIT_LOG: Final = Rule(
    "reads_audit_log", "list what happened to accounts", Role.STAFF, Scope.AUDIT_READ
)
MANAGES_API_KEYS: Final = Rule(
    "manages_api_keys", "have API keys made in their name, with a command", Role.ADMIN
)
RULES: Final[dict[str, Rule]] = {
    rule.name: rule for rule in list(globals().values()) if isinstance(rule, Rule)
}
