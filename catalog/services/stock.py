"""Stock moves by deltas: never below zero, never lost, each recorded with its reason.

The movement is written into the product by the same atomic update that changes the stock, then
filed into a collection of its own and taken out of the product. Who dies in between loses nothing:
the next movement of the product files what was left, or whoever purges it.

A movement's id is its operation's, so a retry finds it: in the product, or filed. Between looking
and writing an earlier try that was only slow may come, and the other way round. A retry therefore
writes over the version that it looked at, and leaves its id in `stock_fences`, which every first
try with a key must find absent: whichever writes first, the other changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from catalog import selectors
from catalog.documents import Product, ProductRow, StockMovement, StockMovementRow
from catalog.errors import (
    BusyError,
    InsufficientStockError,
    ProductNotFoundError,
    StockLimitError,
    UnknownVariantError,
)
from catalog.topics import PRODUCTS, product_topic
from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.idempotency import Operation
from ecommerce.core.ids import parse_id
from ecommerce.core.mongo import collection, utc_now
from ecommerce.core.response_cache import changed

MAX_STOCK: Final = 1_000_000_000
"""Pieces of one product."""
_ATTEMPTS: Final = 50
MAX_FENCES: Final = 100
"""Retries of one product that keep out a slow first try."""


class StockService:
    """Changes how many pieces of a product there are."""

    @staticmethod
    def move(
        *,
        product_id: str,
        delta: int,
        reason: str,
        by: ObjectId,
        sku: str | None = None,
        expected_versions: Sequence[int] | None = None,
        operation: Operation | None = None,
    ) -> ProductRow:
        """Add `delta` pieces (negative: take away), of the variant with `sku` if there are any.

        However often an operation is tried, its pieces move once.

        Raises:
            ProductNotFoundError: unknown or deleted.
            InsufficientStockError: less is left; says how much.
            StockLimitError: it would be more than MAX_STOCK.
            UnknownVariantError: the product has variants, and `sku` is none of them.
            PreconditionFailedError: the product has another version.
        """
        operation = operation or Operation.unkeyed()
        movement = _movement(
            operation, parse_id(product_id, ProductNotFoundError), delta, reason, by, sku
        )
        for _ in range(_ATTEMPTS):
            guard = _guard(movement["product_id"], expected_versions, operation)
            if guard is None:
                return _filed(selectors.product(product_id, for_staff=True))
            checkpoint("stock.checked")
            row = _moved(guard, movement, operation)
            if row is not None:
                checkpoint("stock.moved")
                return _filed(row)
            present = selectors.product(product_id, for_staff=True)
            if _has_moved(present, operation):
                return _filed(present)
            _refuse(present, delta, sku, expected_versions)
        raise BusyError

    @staticmethod
    def file_waiting(*, product_id: ObjectId) -> None:
        """File what a process that died has left in a product. Safe to repeat."""
        row = selectors.product_in_any_state(product_id)
        if row is not None:
            _filed(row)


def _guard(
    product_id: ObjectId, expected_versions: Sequence[int] | None, operation: Operation
) -> dict[str, Any] | None:
    """What must hold for the movement; None if the pieces of this operation have moved already.

    Raises:
        ProductNotFoundError, PreconditionFailedError: a retry finds no such product or version.
    """
    guard: dict[str, Any] = {"_id": product_id, **selectors.visible(to_staff=True)}
    if expected_versions is not None:
        guard["version"] = {"$in": list(expected_versions)}
    if operation.keyed:
        guard["stock_fences"] = {"$ne": operation.id}
    if not operation.retried:
        return guard
    row = selectors.product(str(product_id), for_staff=True)
    # In this order: a movement leaves the product only after it was filed.
    if _has_moved(row, operation) or selectors.movement_is_filed(operation.id):
        return None
    if expected_versions is not None and row["version"] not in expected_versions:
        raise PreconditionFailedError
    return {**guard, "version": row["version"]}


def _has_moved(row: ProductRow, operation: Operation) -> bool:
    """Whether the product shows a movement of this operation."""
    unfiled = (movement["_id"] for movement in row.get("unfiled_movements", []))
    return operation.id in {*unfiled, *row.get("stock_fences", [])}


def _moved(
    guard: Mapping[str, Any], movement: StockMovementRow, operation: Operation
) -> ProductRow | None:
    """Change the stock and record the movement, if one of the guards holds."""
    try:
        for where, change in _updates(movement["delta"], movement.get("sku")):
            row = collection(Product).find_one_and_update(
                {**guard, **where},
                _recording(change, movement, operation),
                return_document=ReturnDocument.AFTER,
            )
            if row is not None:
                return cast(ProductRow, row)
        return None
    finally:  # a write whose answer was lost may have happened
        changed(PRODUCTS, product_topic(guard["_id"]))


def _movement(
    operation: Operation,
    product_id: ObjectId,
    delta: int,
    reason: str,
    by: ObjectId,
    sku: str | None,
) -> StockMovementRow:
    movement: StockMovementRow = {
        "_id": operation.id,
        "product_id": product_id,
        "delta": delta,
        "reason": reason,
        "by": by,
        "created_at": utc_now(),
    }
    if sku is not None:
        movement["sku"] = sku
    return movement


def _updates(delta: int, sku: str | None) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Guards and changes of which at most one applies: some are left afterwards, or none are."""
    where: dict[str, Any] = {"variants": None}
    raised = {"quantity": delta}
    if sku is not None:
        short = {"sku": sku, "quantity": {"$lt": -delta}}
        where = {"variants.sku": sku, "$nor": [{"variants": {"$elemMatch": short}}]}
        raised["variants.$.quantity"] = delta
    if delta > 0:
        fits = {**where, "quantity": {"$lte": MAX_STOCK - delta}}
        return [(fits, {"$inc": raised, "$set": {"in_stock": True}})]
    return [
        ({**where, "quantity": {"$gt": -delta}}, {"$inc": raised, "$set": {}}),
        ({**where, "quantity": -delta}, {"$inc": raised, "$set": {"in_stock": False}}),
    ]


def _recording(
    change: Mapping[str, Any], movement: StockMovementRow, operation: Operation
) -> dict[str, Any]:
    pushed: dict[str, Any] = {"unfiled_movements": movement}
    if operation.retried:
        pushed["stock_fences"] = {"$each": [operation.id], "$slice": -MAX_FENCES}
    return {
        "$inc": {**change["$inc"], "version": 1},
        "$set": {**change["$set"], "updated_at": movement["created_at"]},
        "$push": pushed,
    }


def _filed(row: ProductRow) -> ProductRow:
    """File the movements that stand in the product. Safe to repeat: a filed one is a duplicate."""
    waiting = row.get("unfiled_movements", [])
    for movement in waiting:
        try:
            collection(StockMovement).insert_one(dict(movement))
        except DuplicateKeyError:
            continue
    checkpoint("stock.filed")
    # The version stays: nothing that anybody reads of the product has changed.
    ids = [movement["_id"] for movement in waiting]
    collection(Product).update_one(
        {"_id": row["_id"]}, {"$pull": {"unfiled_movements": {"_id": {"$in": ids}}}}
    )
    return row


def _refuse(
    row: ProductRow, delta: int, sku: str | None, expected_versions: Sequence[int] | None
) -> None:
    """Raise what keeps the movement out; return if nothing does any more."""
    if expected_versions is not None and row["version"] not in expected_versions:
        raise PreconditionFailedError
    variants = {variant["sku"]: variant["quantity"] for variant in row.get("variants", [])}
    if (sku is not None and sku not in variants) or (sku is None and variants):
        raise UnknownVariantError(list(variants))
    left = row["quantity"] if sku is None else variants[sku]
    if left + delta < 0:
        raise InsufficientStockError(left)
    if row["quantity"] + delta > MAX_STOCK:
        raise StockLimitError(MAX_STOCK)
