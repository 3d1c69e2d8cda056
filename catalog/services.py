"""All writes of the catalog."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from bson import ObjectId
from django.conf import settings
from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from catalog import selectors
from catalog.documents import Product, ProductRow, ProductStatus
from catalog.errors import DuplicateProductError, ProductNotFoundError
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.ids import parse_id
from ecommerce.core.mongo import collection, insert, utc_now

_DUPLICATE_KEY: Final = 11000
_OPTIONAL: Final = ("sku", "slug", "brand", "category")
"""Fields that are not stored at all while they have no value, so that unique indexes skip them."""


class ProductService:
    """Every write to a product is one guarded atomic update."""

    @staticmethod
    def create(*, values: Mapping[str, Any]) -> ProductRow:
        """Add a product; `values` are the fields of `ProductInput`.

        Raises:
            DuplicateProductError: another product has the sku or the slug.
        """
        stored = {name: value for name, value in values.items() if value is not None}
        new = Product(id=ObjectId(), **{"currency": settings.CURRENCY, **stored})
        try:
            return cast(ProductRow, insert(new))
        except DuplicateKeyError:
            raise _duplicate(values, new.id) from None

    @staticmethod
    def create_many(*, products: Sequence[Product]) -> int:
        """Add products that carry their own ids; those that are there stay. How many were added."""
        rows = []
        for product in products:
            product.validate()
            rows.append(product.to_mongo().to_dict())
        try:
            return len(collection(Product).insert_many(rows, ordered=False).inserted_ids)
        except BulkWriteError as some:
            others = [e for e in some.details["writeErrors"] if e["code"] != _DUPLICATE_KEY]
            if others:
                raise
            return len(rows) - len(some.details["writeErrors"])

    @staticmethod
    def update(
        *,
        product_id: str,
        changes: Mapping[str, Any],
        expected_versions: Sequence[int] | None = None,
    ) -> ProductRow:
        """Set the fields in `changes`; None takes an optional field away.

        Raises:
            ProductNotFoundError: unknown or deleted.
            DuplicateProductError: another product has the sku or the slug.
            PreconditionFailedError: the product has another version.
        """
        guard = _guard(product_id, expected_versions)
        gone = {name: "" for name in _OPTIONAL if name in changes and changes[name] is None}
        kept = {name: value for name, value in changes.items() if name not in gone}
        change: dict[str, Any] = {"$set": {**kept, "updated_at": utc_now()}, "$inc": {"version": 1}}
        if gone:
            change["$unset"] = gone
        try:
            return _write(guard, change)
        except DuplicateKeyError:
            raise _duplicate(changes, guard["_id"]) from None

    @staticmethod
    def delete(*, product_id: str, expected_versions: Sequence[int] | None = None) -> None:
        """Take a product out of the shop. Carts show it as unavailable; sku and slug get free.

        Raises:
            ProductNotFoundError: unknown or deleted before.
            PreconditionFailedError: the product has another version.
        """
        _write(
            _guard(product_id, expected_versions),
            {
                "$set": {"status": ProductStatus.DELETED, "updated_at": utc_now()},
                "$rename": {"sku": "former_sku", "slug": "former_slug"},
                "$inc": {"version": 1},
            },
        )


def _guard(product_id: str, expected_versions: Sequence[int] | None) -> dict[str, Any]:
    guard: dict[str, Any] = {
        "_id": parse_id(product_id, ProductNotFoundError),
        **selectors.visible(to_staff=True),
    }
    if expected_versions is not None:
        guard["version"] = {"$in": list(expected_versions)}
    return guard


def _write(guard: Mapping[str, Any], change: Mapping[str, Any]) -> ProductRow:
    row = collection(Product).find_one_and_update(
        guard, change, return_document=ReturnDocument.AFTER
    )
    if row is None:
        selectors.product(str(guard["_id"]), for_staff=True)  # raises when it is not there
        raise PreconditionFailedError
    return cast(ProductRow, row)


def _duplicate(values: Mapping[str, Any], product_id: ObjectId) -> DuplicateProductError:
    return DuplicateProductError(selectors.taken_fields(values, by_others_than=product_id))
