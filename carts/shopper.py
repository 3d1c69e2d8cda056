"""Who asks for a cart: somebody signed in, a guest with a cart's secret, or both at login."""

from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from accounts.principal import Principal
from accounts.rules import Rule
from carts.documents import CartRow


@dataclass(frozen=True, slots=True)
class Shopper:
    """The rights to carts that a request comes with."""

    principal: Principal | None = None
    token_hash: str | None = None

    @property
    def user_id(self) -> ObjectId | None:
        """The signed-in user. An API key is nobody, and has no carts."""
        return self.principal.id if self.principal and self.principal.role else None

    def may(self, rule: Rule) -> bool:
        """Whether the rule lets whoever is signed in; a guest may nothing by it."""
        return self.principal is not None and self.principal.may(rule)

    def rights(self) -> list[dict[str, Any]]:
        """Filters of which a cart must meet one to be the shopper's own; none fits a nobody."""
        rights: list[dict[str, Any]] = []
        if self.user_id is not None:
            rights.append({"user_id": self.user_id})
        if self.token_hash is not None:
            rights.append({"token_hash": self.token_hash})
        return rights

    def owns(self, cart: CartRow) -> bool:
        """Whether the cart is the shopper's own, and not just one that staff may see."""
        return any(right.items() <= cart.items() for right in self.rights())
