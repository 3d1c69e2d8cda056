"""All reads of the catalog."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, cast

from bson import ObjectId

from catalog.documents import Product, ProductRow, ProductStatus
from catalog.errors import ProductNotFoundError
from catalog.keys import may_be_product_slug
from ecommerce.core.batches import one_by_one
from ecommerce.core.ids import is_id, parse_id
from ecommerce.core.mongo import collection

_STAFF_STATUSES: Final = [ProductStatus.ACTIVE, ProductStatus.DRAFT, ProductStatus.ARCHIVED]
_IDENTITY: Final = {"sku": 1, "skus": 1, "slug": 1, "version": 1}
INTERNAL: Final = {"keys": 0, "skus": 0, "category_path": 0}
"""What reads leave out that are for answers, and for what follows from a product's own fields."""
_BATCH: Final = 500
_IN_CART: Final = dict.fromkeys(
    ("name", "price_minor", "currency", "quantity", "status", "variants"), 1
)


def visible(*, to_staff: bool) -> dict[str, Any]:
    """The filter for products that may be seen: active ones, and for staff all but deleted ones."""
    if to_staff:
        return {"status": {"$in": _STAFF_STATUSES}}
    return {"status": ProductStatus.ACTIVE}


def product(
    product_id: str, *, for_staff: bool, projection: Mapping[str, int] | None = None
) -> ProductRow:
    """One product without its internal fields, or the stored fields that `projection` names.

    Raises:
        ProductNotFoundError: malformed, unknown, deleted, or not for customers to see.
    """
    wanted = parse_id(product_id, ProductNotFoundError)
    return _the_one({"_id": wanted}, projection, for_staff=for_staff)


def product_by_id_or_slug(
    reference: str, *, for_staff: bool, projection: Mapping[str, int] | None = None
) -> ProductRow:
    """As `product`, by the slug too. What has the form of an id is never looked up as a slug.

    Raises:
        ProductNotFoundError: malformed, unknown, deleted, or not for customers to see.
    """
    if not may_be_product_slug(reference) or is_id(reference):
        return product(reference, for_staff=for_staff, projection=projection)
    return _the_one({"slug": reference}, projection, for_staff=for_staff)


def _the_one(
    where: Mapping[str, Any], projection: Mapping[str, int] | None, *, for_staff: bool
) -> ProductRow:
    """What it is asked by is unique, and who may see it is compared here: a query by `_id` alone is
    one that MongoDB does not plan. Internal fields are half of a document: without them the driver
    decodes it in 5.6 microseconds instead of 7.6.
    """
    wanted = {**projection, "status": 1} if projection else INTERNAL
    row = cast(ProductRow | None, collection(Product).find_one(where, wanted))
    if row is None or not _is_visible(row, to_staff=for_staff):
        raise ProductNotFoundError
    return row


def _is_visible(row: ProductRow, *, to_staff: bool) -> bool:
    """The rule of `visible` for one product."""
    return not is_deleted(row) if to_staff else is_for_sale(row)


def product_in_any_state(product_id: ObjectId) -> ProductRow | None:
    """The product with this id, deleted or not."""
    return cast(ProductRow | None, collection(Product).find_one({"_id": product_id}))


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


def every_product(where: Mapping[str, Any] | None = None) -> Iterator[ProductRow]:
    """All products that are not deleted, or those that `where` finds, oldest first, streamed."""
    chosen = visible(to_staff=True) if where is None else where
    rows = one_by_one(collection(Product), chosen, size=_BATCH)
    return (cast(ProductRow, row) for row in rows)


def products_for_sale(*, limit: int) -> list[ProductRow]:
    """The oldest products that customers can buy."""
    rows = collection(Product).find(visible(to_staff=False)).sort([("_id", 1)]).limit(limit)
    return [cast(ProductRow, row) for row in rows]


def product_with(*, sku: str = "", slug: str = "") -> ProductRow | None:
    """The product that has this sku, itself or as a variant's; or else this slug."""
    where = {"skus": sku} if sku else {"slug": slug}
    return cast(ProductRow | None, collection(Product).find_one(where))


def products_by_id(ids: Collection[ObjectId]) -> list[ProductRow]:
    """What tells these products from others, in one read; deleted ones are absent."""
    where = {"_id": {"$in": list(ids)}, **visible(to_staff=True)}
    return _identities(where) if ids else []


def products_by_sku(skus: Collection[str]) -> list[ProductRow]:
    """The same of those that have any of these skus, themselves or as a variant's."""
    return _identities({"skus": {"$in": list(skus)}}) if skus else []


def products_by_slug(slugs: Collection[str]) -> list[ProductRow]:
    """The same of those that have any of these slugs."""
    return _identities({"slug": {"$in": list(slugs)}}) if slugs else []


def _identities(where: Mapping[str, Any]) -> list[ProductRow]:
    return [cast(ProductRow, row) for row in collection(Product).find(where, _IDENTITY)]


def taken_skus(skus: Collection[str], *, by_others_than: ObjectId) -> set[str]:
    """Those of the skus that other products or their variants have."""
    where = {"skus": {"$in": list(skus)}, "_id": {"$ne": by_others_than}}
    rows = collection(Product).find(where, {"skus": 1}) if skus else ()
    return {sku for row in rows for sku in row["skus"]} & set(skus)


def slug_is_taken(slug: str, *, by_others_than: ObjectId) -> bool:
    """Whether another product has this slug."""
    where = {"slug": slug, "_id": {"$ne": by_others_than}}
    return collection(Product).find_one(where, {"_id": 1}) is not None


def count_deleted_products(*, before: datetime) -> int:
    """How many products were deleted before then and are so still."""
    return collection(Product).count_documents(_deleted(before))


def deleted_products(*, before: datetime) -> Iterator[ProductRow]:
    """What a purge asks of each of them, the longest gone first, streamed."""
    fields = {"version": 1, "unfiled_movements": 1}
    rows = collection(Product).find(_deleted(before), fields).sort([("deleted_at", 1), ("_id", 1)])
    return (cast(ProductRow, row) for row in rows)


def _deleted(before: datetime) -> dict[str, Any]:
    return {"deleted_at": {"$lt": before}, "status": ProductStatus.DELETED}


def is_empty() -> bool:
    """Whether the catalog holds nothing at all."""
    return collection(Product).find_one({}, {"_id": 1}) is None
