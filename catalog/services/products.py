"""Writes of single products."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from bson import ObjectId
from django.conf import settings
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from catalog import selectors
from catalog.documents import CategoryRow, Product, ProductRow, ProductStatus
from catalog.errors import (
    BusyError,
    CategoryNotFoundError,
    DuplicateProductError,
    ProductNotFoundError,
    QuantityOfVariantsError,
    TooManyAttributesError,
    UnknownCategoryError,
)
from catalog.services.derived import SEARCHED, all_skus, refuse_repeated_sku, search_fields
from catalog.services.stock import StockService
from catalog.topics import PRODUCTS, product_topic
from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.idempotency import Operation
from ecommerce.core.ids import parse_id
from ecommerce.core.mongo import collection, insert, insert_new, new_row, utc_now
from ecommerce.core.response_cache import changed

MAX_ATTRIBUTES: Final = 100
"""Of one product."""
_OPTIONAL: Final = {
    "sku", "slug", "brand", "category", "category_path", "tree_version", "skus", "attributes",
    "variants", "related_ids", "compare_at_price_minor",
}  # fmt: skip
"""Fields that are not stored at all while they are empty, so that unique indexes skip them."""
_ATTEMPTS: Final = 50
"""How often a change starts anew when another one came between its read and its write."""


class ProductService:
    """Every write to a product is one guarded atomic update."""

    @staticmethod
    def create(*, values: Mapping[str, Any], operation: Operation | None = None) -> ProductRow:
        """Add a product; `values` are the fields of `ProductInput`.

        Its id is the operation's, so that a retry makes no second one.

        Raises:
            ProductNotFoundError: an earlier try made it, and it was deleted since.
            DuplicateProductError: another product has a sku or the slug.
            UnknownCategoryError: there is no such category.
        """
        operation = operation or Operation.unkeyed()
        row = _made_before(operation) if operation.retried else None
        if row is None:
            row = _inserted(values, operation)
        checkpoint("products.inserted")
        return _settle_category(row, values)

    @staticmethod
    def refuse_duplicates(
        *, values: Mapping[str, Any], product_id: ObjectId, present: ProductRow | None = None
    ) -> None:
        """Say before a write what it would be refused for; the write itself still decides.

        Args:
            present: the product that `values` change, unless they make a new one.

        Raises:
            DuplicateProductError: another product has a sku or the slug.
            RepeatedSkuError: the product would have one sku twice.
        """
        refuse_repeated_sku(all_skus({**(present or {}), **values}), values)
        clash = _duplicate(values, product_id)
        if clash.members["errors"]:
            raise clash

    @staticmethod
    def create_many(*, products: Sequence[Mapping[str, Any]]) -> int:
        """Add products that carry their own `id` and `category_path`; those that are there stay.

        Returns:
            How many were added.
        """
        rows = [new_row(Product, **_complete(values)) for values in products]
        try:
            return insert_new(Product, rows)
        finally:
            changed(PRODUCTS)

    @staticmethod
    def update(
        *,
        product_id: str,
        changes: Mapping[str, Any],
        expected_versions: Sequence[int] | None = None,
        merge_attributes: bool = False,
    ) -> ProductRow:
        """Set the fields in `changes`; None or nothing takes an optional field away. Without any
        the product stays as it is, its version too.

        With `merge_attributes` (RFC 7396), attributes that are not named stay, and those whose
        value is None go.

        Raises:
            ProductNotFoundError: unknown or deleted.
            DuplicateProductError: another product has a sku or the slug.
            RepeatedSkuError: the product would have one sku twice.
            TooManyAttributesError: the merged ones are more than a product may have.
            UnknownCategoryError: there is no such category.
            QuantityOfVariantsError: a quantity, for a product whose variants have theirs.
            PreconditionFailedError: the product has another version.
        """
        guard = _guard(product_id, expected_versions)
        changes = {**changes, **_category_fields(changes)}
        if merge_attributes and not changes.get("attributes"):
            changes.pop("attributes", None)
        if not changes:
            return _present(guard)
        for _ in range(_ATTEMPTS):
            known, completed = _completed(guard, changes, merge_attributes=merge_attributes)
            try:
                row = _find_and_change({**guard, **known}, _change(completed))
            except DuplicateKeyError:
                raise _duplicate(completed, guard["_id"]) from None
            if row is not None:
                return _settle_category(row, changes)
            present = _present(guard)
            if "quantity" in changes and "variants" not in changes and present.get("variants"):
                raise QuantityOfVariantsError
        raise BusyError

    @staticmethod
    def delete(*, product_id: str, expected_versions: Sequence[int] | None = None) -> None:
        """Take a product out of the shop. Carts show it as unavailable; skus and slug get free.

        Raises:
            ProductNotFoundError: unknown or deleted before.
            PreconditionFailedError: the product has another version.
        """
        guard = _guard(product_id, expected_versions)
        now = utc_now()
        change = {
            "$set": {"status": ProductStatus.DELETED, "deleted_at": now, "updated_at": now},
            "$rename": {"sku": "former_sku", "slug": "former_slug", "skus": "former_skus"},
            "$inc": {"version": 1},
        }
        if _find_and_change(guard, change) is None:
            _present(guard)
            raise PreconditionFailedError

    @staticmethod
    def purge(*, before_version_of: ProductRow) -> bool:
        """Remove a deleted product for good; False if it changed meanwhile.

        What a process that died has left in it is filed first: no movement goes with its product.
        """
        row = before_version_of
        if row.get("unfiled_movements"):
            StockService.file_waiting(product_id=row["_id"])
        guard = {
            "_id": row["_id"],
            "status": ProductStatus.DELETED,
            "version": row["version"],
            "unfiled_movements.0": {"$exists": False},
        }
        return bool(collection(Product).delete_one(guard).deleted_count)


def _inserted(values: Mapping[str, Any], operation: Operation) -> ProductRow:
    new = _complete({**values, **_category_fields(values), "id": operation.id})
    try:
        return cast(ProductRow, insert(Product, **new))
    except DuplicateKeyError:
        # A slow try of an operation may come after the one that took it over.
        made = _made_before(operation) if operation.keyed else None
        if made is None:
            raise _duplicate(values, operation.id) from None
        return made
    finally:
        changed(PRODUCTS)


def _made_before(operation: Operation) -> ProductRow | None:
    """The product that another try of the operation made, as it is now.

    Raises:
        ProductNotFoundError: it was deleted since.
    """
    row = selectors.product_in_any_state(operation.id)
    if row is not None and selectors.is_deleted(row):
        raise ProductNotFoundError
    return row


def _complete(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a new product stores: these values, and what follows from them."""
    stored = {name: value for name, value in values.items() if value not in (None, [])}
    return {
        "id": ObjectId(),
        "currency": settings.CURRENCY,
        **stored,
        **search_fields(values),
        "in_stock": values["quantity"] > 0,
    }


def _category_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """The category by its slug and where it stands, as the product stores it."""
    if "category" not in values:
        return {}
    if not values["category"]:
        return _place(None)
    try:
        return _place(selectors.category(values["category"]))
    except CategoryNotFoundError:
        raise UnknownCategoryError from None


def _place(category: CategoryRow | None) -> dict[str, Any]:
    if category is None:
        return {"category": None, "category_path": None, "tree_version": None}
    return {
        "category": category["slug"],
        "category_path": category["path"],
        "tree_version": category["tree_version"],
    }


def _settle_category(row: ProductRow, values: Mapping[str, Any]) -> ProductRow:
    """A category may move or go between the moment it was read and the product's write.

    Of one that went, the product goes where its products went, or nowhere as they did. Moves write
    into products too, late ones older places. Whatever is written here is therefore written over
    the place that was looked at, and the outcome is looked at again.
    """
    if not values.get("category"):
        return row
    for _ in range(_ATTEMPTS):
        slug, version = row.get("category"), row.get("tree_version")
        if slug is None:
            return row
        now = selectors.category_with_slug(slug)
        if now is not None and now["tree_version"] <= (version or 0):
            return row
        guard = {"_id": row["_id"], "category": slug, "tree_version": version}
        place = _place(now or selectors.category_after(slug))
        written = _find_and_change(guard, _change(place))
        present = written or selectors.product_in_any_state(row["_id"])
        if present is None:  # purged since
            return row
        row = present
    return row  # written, if not settled: what 50 moves have left is found by verify_invariants


def _completed(
    guard: Mapping[str, Any], changes: Mapping[str, Any], *, merge_attributes: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The changes with what follows from them, and what must still hold when they are written.

    What follows from fields that are not all in the changes is made from the stored ones; the
    write then happens only if those are still the same.

    Raises:
        RepeatedSkuError: the product would have one sku twice.
        TooManyAttributesError: the merged ones are more than a product may have.
    """
    completed, known = dict(changes), dict[str, Any]()
    touched = [name for name in SEARCHED if name in changes]
    missing = [name for name in SEARCHED if name not in changes] if touched else []
    if merge_attributes and "attributes" in changes:
        missing.append("attributes")
    if missing:
        present = _present(guard)
        known |= {name: present.get(name) for name in missing}
    if "quantity" in changes:
        completed["in_stock"] = changes["quantity"] > 0
        if "variants" not in changes:
            known["variants"] = None  # whatever is stored: those that have some keep their sum
    if merge_attributes and "attributes" in changes:
        completed["attributes"] = _merged(known["attributes"], changes["attributes"])
    if touched:
        completed |= search_fields({**known, **changes})
        refuse_repeated_sku(completed["skus"] or (), changes)
    return known, completed


def _merged(
    present: Sequence[Mapping[str, Any]] | None, patch: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    values = {one["key"]: one["value"] for one in (*(present or ()), *patch)}
    merged = [{"key": key, "value": value} for key, value in values.items() if value is not None]
    if len(merged) > MAX_ATTRIBUTES:
        raise TooManyAttributesError(MAX_ATTRIBUTES)
    return merged


def _change(values: Mapping[str, Any]) -> dict[str, Any]:
    gone = {n: "" for n, value in values.items() if n in _OPTIONAL and value in (None, [])}
    kept = {name: value for name, value in values.items() if name not in gone}
    change: dict[str, Any] = {"$set": {**kept, "updated_at": utc_now()}, "$inc": {"version": 1}}
    return {**change, "$unset": gone} if gone else change


def _guard(product_id: str, expected_versions: Sequence[int] | None) -> dict[str, Any]:
    guard: dict[str, Any] = {
        "_id": parse_id(product_id, ProductNotFoundError),
        **selectors.visible(to_staff=True),
    }
    if expected_versions is not None:
        guard["version"] = {"$in": list(expected_versions)}
    return guard


def _find_and_change(guard: Mapping[str, Any], change: Mapping[str, Any]) -> ProductRow | None:
    try:
        row = collection(Product).find_one_and_update(
            guard, change, return_document=ReturnDocument.AFTER
        )
    finally:  # a write whose answer was lost may have happened
        changed(PRODUCTS, product_topic(guard["_id"]))
    return cast(ProductRow | None, row)


def _present(guard: Mapping[str, Any]) -> ProductRow:
    """The product as it is stored.

    Raises:
        ProductNotFoundError: unknown or deleted.
        PreconditionFailedError: it has none of the versions that the guard wants.
    """
    row = selectors.product(str(guard["_id"]), for_staff=True)
    if "version" in guard and row["version"] not in guard["version"]["$in"]:
        raise PreconditionFailedError
    return row


def _duplicate(values: Mapping[str, Any], product_id: ObjectId) -> DuplicateProductError:
    taken = selectors.taken_skus(all_skus(values), by_others_than=product_id)
    fields = ["sku"] if values.get("sku") in taken else []
    fields += [
        f"variants/{number}/sku"
        for number, variant in enumerate(values.get("variants") or ())
        if variant["sku"] in taken
    ]
    slug = values.get("slug")
    if slug and selectors.slug_is_taken(slug, by_others_than=product_id):
        fields.append("slug")
    return DuplicateProductError(fields)
