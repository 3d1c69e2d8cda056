"""What can go wrong with carts."""

from carts.limits import MAX_LINE_QUANTITY, MAX_LINES
from ecommerce.core.errors import DomainError, NotFoundError


class CartNotFoundError(NotFoundError):
    """No such cart, or somebody else's: the two look the same on purpose."""

    code = "cart_not_found"
    default_detail = "There is no such cart."


class LineNotFoundError(NotFoundError):
    """The product is not in the cart."""

    code = "item_not_in_cart"
    default_detail = "This product is not in the cart."


class ProductMismatchError(DomainError):
    """The body names another product than the path."""

    code = "product_mismatch"
    status = 409
    title = "Two different products"
    default_detail = "`product_id` in the body is not the one of the path: leave it out."


class OwnerOnlyError(DomainError):
    """Staff sees the cart, but its lines are the owner's to change."""

    code = "owner_only"
    status = 403
    title = "Not allowed"
    default_detail = "Only the owner of the cart changes its lines."


class ForeignUserError(DomainError):
    """A customer named another user as the owner of a cart."""

    code = "foreign_user"
    status = 403
    title = "Not allowed"
    default_detail = "`user_id` must be your own: leave it out."


class ProductUnavailableError(DomainError):
    """The product exists but is not for sale."""

    code = "product_unavailable"
    status = 409
    title = "Not for sale"
    default_detail = "This product is not for sale at the moment."


class InsufficientStockError(DomainError):
    """Fewer pieces are left than the line would hold."""

    code = "insufficient_stock"
    status = 409
    title = "Not enough in stock"

    def __init__(self, *, product_id: str, available: int, in_cart: int = 0) -> None:
        already = f", and the cart already holds {in_cart}" if in_cart else ""
        super().__init__(
            f"Only {available} of this product are left{already}.",
            product_id=product_id,
            available=available,
            in_cart=in_cart,
        )


class LineLimitError(DomainError):
    """The line would hold more pieces than a line may."""

    code = "quantity_limit"
    status = 409
    title = "The line is full"
    default_detail = f"A line holds at most {MAX_LINE_QUANTITY} pieces."


class CartFullError(DomainError):
    """The cart would have more lines than a cart may."""

    code = "cart_full"
    status = 409
    title = "The cart is full"
    default_detail = f"A cart holds at most {MAX_LINES} different products."


class CartBusyError(DomainError):
    """The cart changed under every attempt; nothing of this request was done."""

    code = "cart_busy"
    status = 409
    title = "The cart is changing"
    default_detail = "The cart is being changed by other requests. Try again."
