"""What can go wrong in the catalog."""

from ecommerce.core.errors import (
    DomainError,
    FieldError,
    NotFoundError,
    ValidationFailedError,
)


class ProductNotFoundError(NotFoundError):
    """No such product, or none that customers may see."""

    code = "product_not_found"
    default_detail = "There is no such product."


class DuplicateProductError(DomainError):
    """The sku or the slug belongs to another product."""

    code = "duplicate_product"
    status = 409
    title = "Already taken"
    default_detail = "Choose another value for each field named in `errors`."

    def __init__(self, fields: list[str]) -> None:
        faults = [
            FieldError(
                f"/{field}", "duplicate", f"Another product has this {field.split('/')[-1]}."
            )
            for field in fields
        ]
        super().__init__(errors=[fault.as_dict() for fault in faults])


class RepeatedSkuError(ValidationFailedError):
    """A product would have one sku twice: as its own and a variant's."""

    def __init__(self, field: str) -> None:
        detail = (
            "Each sku of a product stands there once: choose another, or change in the same "
            "request what has it now."
        )
        super().__init__(FieldError(f"/{field}", "repeated_sku", detail))


class TooManyAttributesError(ValidationFailedError):
    """A merge patch would leave more than a product may have: as if all came in one request."""

    def __init__(self, limit: int) -> None:
        super().__init__(FieldError("/attributes", "many", f"At most {limit} attributes."))


class RepeatedProductError(DomainError):
    """Two rows of one request name the same product."""

    code = "repeated_product"
    title = "A product stands in two rows"
    default_detail = "A row before this one names the same product: send each product once."


class BulkRejectedError(DomainError):
    """Some rows are faulty, and the caller wanted all or nothing."""

    code = "bulk_rejected"
    status = 409
    title = "Nothing was written"

    def __init__(
        self, rejected: int, rows: int, faults: list[FieldError], *, retried: bool = False
    ) -> None:
        detail = (
            f"{rejected} of {rows} rows are faulty, so none was written: correct what `errors` "
            "names, or send them with the mode `reject-failed-rows`."
        )
        if retried:
            detail += " An earlier try of this request died, and may have written some rows."
        super().__init__(detail, errors=[fault.as_dict() for fault in faults])


class QuantityOfVariantsError(DomainError):
    """The quantity of a product with variants is the sum of theirs."""

    code = "quantity_of_variants"
    status = 409
    title = "The product has variants"
    default_detail = (
        "The quantity of a product with variants is the sum of theirs: set it in `variants`, or "
        "move stock with the variant's `sku`."
    )


class UnknownVariantError(NotFoundError):
    """Stock is moved of a variant that the product does not have, or of none where it has some."""

    code = "variant_not_found"

    def __init__(self, skus: list[str]) -> None:
        detail = "This product has no variants: leave `sku` out."
        if skus:
            detail = f"Name one of this product's variants as `sku`: {', '.join(skus)}."
        super().__init__(detail, errors=[FieldError("/sku", self.code, detail).as_dict()])


class InsufficientStockError(DomainError):
    """Less is left than should be taken away."""

    code = "insufficient_stock"
    status = 409
    title = "Not enough in stock"

    def __init__(self, left: int) -> None:
        super().__init__(f"Only {left} are left.", available_quantity=left)


class StockLimitError(DomainError):
    """More than a product can have."""

    code = "stock_limit"
    status = 409
    title = "Too much stock"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A product has at most {limit} pieces.", limit=limit)


class BusyError(DomainError):
    """Too many others change the same thing at this moment."""

    code = "busy"
    status = 409
    title = "Others are changing the same thing"
    default_detail = "Others are changing the same thing at this moment. Try again."


class ImportNotFoundError(NotFoundError):
    """No such import, or one that is no longer kept."""

    code = "import_not_found"
    default_detail = "There is no such import: it never was, or it is older than 30 days."


class EmptyFileError(DomainError):
    """An import without a byte in it."""

    code = "empty_file"
    status = 400
    title = "The file is empty"
    default_detail = "The file is empty: send the products as CSV, JSON or JSON Lines."


class CategoryNotFoundError(NotFoundError):
    """No such category."""

    code = "category_not_found"
    default_detail = "There is no such category."


class UnknownCategoryError(CategoryNotFoundError):
    """A body or a query names a category that is not there."""

    def __init__(self, pointer: str = "/category") -> None:
        detail = "There is no such category: see GET /categories/."
        fault = FieldError(pointer, "unknown_category", detail)
        super().__init__(detail, errors=[fault.as_dict()])


class DuplicateCategoryError(DomainError):
    """Another category has the slug."""

    code = "duplicate_category"
    status = 409
    title = "Already taken"

    def __init__(self) -> None:
        fault = FieldError("/slug", "duplicate", "Another category has this slug.")
        super().__init__("Choose another slug.", errors=[fault.as_dict()])


class CategoryCycleError(DomainError):
    """A category cannot stand below itself."""

    code = "category_cycle"
    status = 409
    title = "A category cannot stand below itself"
    default_detail = "The new parent is this category, or stands below it."


class CategoryDepthError(DomainError):
    """The tree would get too deep."""

    code = "category_depth"
    status = 409
    title = "The tree would get too deep"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A tree of categories has at most {limit} levels.", limit=limit)


class CategoryInUseError(DomainError):
    """The category still holds something."""

    code = "category_in_use"
    status = 409
    title = "The category is in use"

    def __init__(self, holds: str) -> None:
        advice = {
            "products": "It has products: say where they go with `?products_to=` another category.",
            "categories": "Other categories stand below it: move or delete those first.",
        }
        super().__init__(advice[holds], holds=holds)


class SlugIsFixedError(DomainError):
    """The slug of a category is its name in products and addresses."""

    code = "slug_fixed"
    status = 409
    title = "The slug does not change"
    default_detail = "The slug of a category does not change: leave it out, or make a new category."


class NoRoomForUploadError(DomainError):
    """The files that are coming in fill the disk on which they wait."""

    code = "no_room_for_upload"
    status = 503
    title = "Too many files at this moment"
    retry_after = 30
    default_detail = (
        "Too many files come in at this moment. Send it again in half a minute, "
        "or as the body itself instead of a form: that needs no room."
    )
