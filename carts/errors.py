"""What can go wrong with carts."""

from carts.limits import MAX_LINE_QUANTITY, MAX_LINES, MAX_OPEN_CARTS
from ecommerce.core.errors import DomainError, NotFoundError


class CartNotFoundError(NotFoundError):
    """No such cart, or somebody else's: the two look the same on purpose."""

    code = "cart_not_found"
    default_detail = "There is no such cart."


class StaffOnlyFilterError(DomainError):
    """A customer asked for what only staff may look for."""

    code = "staff_only_filter"
    status = 403
    title = "Not allowed"
    default_detail = "Only staff of the shop may look for carts: your own are listed without it."


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


class UnknownVariantError(DomainError):
    """A product with variants is bought as one of them, and no other product is."""

    code = "unknown_variant"
    status = 409
    title = "Which variant?"

    def __init__(self, *, product_id: str, skus: list[str]) -> None:
        detail = "This product has no variants: leave `sku` out."
        if skus:
            detail = f"Name one of this product's variants as `sku`: {', '.join(skus)}."
        super().__init__(detail, product_id=product_id, skus=skus)


class AmbiguousItemError(DomainError):
    """Several variants of the product stand in the cart."""

    code = "ambiguous_item"
    status = 409
    title = "Which variant?"

    def __init__(self, skus: list[str]) -> None:
        super().__init__(
            f"Several variants of this product are in the cart: add `?sku=` and one of "
            f"{', '.join(skus)}.",
            skus=skus,
        )


class InsufficientStockError(DomainError):
    """Fewer pieces are left than the line would hold. `in_cart` are those that it holds already,
    where more were to be added; None where it was to hold another number.
    """

    code = "insufficient_stock"
    status = 409
    title = "Not enough in stock"

    def __init__(
        self,
        *,
        product_id: str,
        available_quantity: int,
        in_cart: int | None,
        sku: str | None = None,
    ) -> None:
        already = f", and the cart already holds {in_cart}" if in_cart else ""
        super().__init__(
            f"Only {available_quantity} of this product are left{already}.",
            product_id=product_id,
            available_quantity=available_quantity,
            **({"in_cart": in_cart} if in_cart is not None else {}),
            **({"sku": sku} if sku is not None else {}),
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
    default_detail = f"A cart holds at most {MAX_LINES} lines, and as many saved for later."


class CartMergedError(DomainError):
    """The cart has gone into another one, or is about to; `into` is for its new owner alone."""

    code = "cart_merged"
    status = 409
    title = "The cart was merged"

    def __init__(self, into: str | None) -> None:
        if into is None:
            super().__init__("This cart was merged into another one: sign in, and use that.")
        else:
            super().__init__(f"This cart was merged into {into}: use that.", merged_into=into)


class MergeTargetNotFoundError(NotFoundError):
    """The cart to merge into is not there, or not the caller's."""

    code = "merge_target_not_found"
    default_detail = (
        "You have no open cart with the id in `into`: name another, or leave it out to make this "
        "cart yours. This cart is as it was."
    )


class NotAGuestCartError(DomainError):
    """A user's cart is asked to be merged."""

    code = "not_a_guest_cart"
    status = 409
    title = "Not a guest's cart"
    default_detail = "This cart is yours already: only a guest's cart is merged into another."


class TooManyCartsError(DomainError):
    """The user has as many open carts as a user may, and none of them is empty."""

    code = "too_many_carts"
    status = 409
    title = "Too many carts"
    default_detail = (
        f"A user has at most {MAX_OPEN_CARTS} carts: delete one, or use one that is there."
    )

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, limit=MAX_OPEN_CARTS)


class CartBusyError(DomainError):
    """The cart changed under every attempt; nothing of this request was done."""

    code = "cart_busy"
    status = 409
    title = "The cart is changing"
    default_detail = "The cart is being changed by other requests. Try again."
