"""All reads of the catalog."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, cast

from bson import ObjectId

from catalog.documents import Product, ProductRow, ProductStatus
from catalog.errors import ProductNotFoundError
from ecommerce.core.ids import parse_id
from ecommerce.core.mongo import collection
from ecommerce.core.pagination import Ordering, Page, PageRequest, fetch_page

NEWEST_FIRST: Final[Ordering] = (("_id", -1),)
_STAFF_STATUSES: Final = [ProductStatus.ACTIVE, ProductStatus.DRAFT, ProductStatus.ARCHIVED]
_IN_CART: Final = {"name": 1, "price_minor": 1, "currency": 1, "quantity": 1, "status": 1}


def visible(*, to_staff: bool) -> dict[str, Any]:
    """The filter for products that may be seen: active ones, and for staff all but deleted ones."""
    if to_staff:
        return {"status": {"$in": _STAFF_STATUSES}}
    return {"status": ProductStatus.ACTIVE}


def product(product_id: str, *, for_staff: bool) -> ProductRow:
    """One product.

    Raises:
        ProductNotFoundError: malformed, unknown, deleted, or not for customers to see.
    """
    wanted = parse_id(product_id, ProductNotFoundError)
    row = collection(Product).find_one({"_id": wanted, **visible(to_staff=for_staff)})
    if row is None:
        raise ProductNotFoundError
    return cast(ProductRow, row)


def product_page(request: PageRequest, *, for_staff: bool) -> Page:
    """Products, newest first."""
    return fetch_page(
        collection(Product),
        where=visible(to_staff=for_staff),
        ordering=NEWEST_FIRST,
        request=request,
    )


def products_in_carts(ids: Collection[ObjectId]) -> dict[ObjectId, ProductRow]:
    """What carts show of these products, in one read; deleted ones too, unknown ones are absent."""
    if not ids:
        return {}
    rows = collection(Product).find({"_id": {"$in": list(ids)}}, _IN_CART)
    return {row["_id"]: cast(ProductRow, row) for row in rows}


def is_for_sale(row: ProductRow) -> bool:
    """Whether customers can buy it at all, stock aside."""
    return row["status"] == ProductStatus.ACTIVE


def is_deleted(row: ProductRow) -> bool:
    """Whether staff took it out of the shop for good."""
    return row["status"] == ProductStatus.DELETED


def every_product() -> Iterator[ProductRow]:
    """All products that are not deleted, oldest first, streamed."""
    rows = collection(Product).find(visible(to_staff=True)).sort([("_id", 1)])
    return (cast(ProductRow, row) for row in rows)


def products_for_sale(*, limit: int) -> list[ProductRow]:
    """The oldest products that customers can buy."""
    rows = collection(Product).find(visible(to_staff=False)).sort([("_id", 1)]).limit(limit)
    return [cast(ProductRow, row) for row in rows]


def product_with(**key: str) -> ProductRow | None:
    """The product with this sku or slug."""
    return cast(ProductRow | None, collection(Product).find_one(dict(key)))


def taken_fields(values: Mapping[str, Any], *, by_others_than: ObjectId) -> list[str]:
    """Which of `sku` and `slug` in `values` another product has."""
    return [
        field
        for field in ("sku", "slug")
        if values.get(field)
        and collection(Product).find_one(
            {field: values[field], "_id": {"$ne": by_others_than}}, {"_id": 1}
        )
    ]


def is_empty() -> bool:
    """Whether the catalog holds nothing at all."""
    return collection(Product).find_one({}, {"_id": 1}) is None
