"""What every write of a cart names: which, for whom, at which version, in which operation."""

from collections.abc import Sequence
from dataclasses import dataclass

from carts.documents import CartRow
from carts.shopper import Shopper
from ecommerce.core.idempotency import Operation

Versions = Sequence[int] | None
"""The versions that a write accepts; None for any."""


@dataclass(frozen=True, slots=True)
class Access:
    """The way to one cart."""

    cart_id: str
    shopper: Shopper
    operation: Operation
    versions: Versions = None
    action: str = ""
    """What is done, for the audit log."""

    def is_done_in(self, cart: CartRow) -> bool:
        """Whether an earlier try of this operation has changed the cart already."""
        return self.operation.keyed and self.operation.id in cart.get("operations", ())

    def accepts(self, cart: CartRow) -> bool:
        """Whether the cart has a version that the write accepts."""
        return self.versions is None or cart["version"] in self.versions
