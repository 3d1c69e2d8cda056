"""What can go wrong with products."""

from ecommerce.core.errors import DomainError, FieldError, NotFoundError


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
            FieldError(f"/{field}", "duplicate", f"Another product has this {field}.")
            for field in fields
        ]
        super().__init__(errors=[fault.as_dict() for fault in faults])
