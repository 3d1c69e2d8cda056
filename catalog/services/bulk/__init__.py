"""Many writes of products in one request, each with its own outcome."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from pymongo.errors import PyMongoError

from catalog.errors import BulkRejectedError
from catalog.services.bulk.checks import Checks
from catalog.services.bulk.rows import Action, BulkRow, RowResult, Step, malformed, refused
from catalog.services.products import ProductService
from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.errors import DomainError, StoreUnavailableError
from ecommerce.core.idempotency import Operation

__all__ = ["Action", "BulkMode", "BulkRow", "BulkService", "RowResult"]

logger = logging.getLogger(__name__)


class BulkMode(StrEnum):
    """What faulty rows mean for the others."""

    REJECT_FAILED_ROWS = "reject-failed-rows"
    ALL_OR_NOTHING = "all-or-nothing"


_NOT_TRIED: Final = "The database stopped answering before this row's turn: send the row again."
_UNCERTAIN: Final = (
    "The database did not answer, so this row may be written or not: read the product, then send "
    "the row again if it must be."
)


class BulkService:
    """Rows are checked together, then written one after the other, each by `ProductService`.

    There is no transaction: what others change between the checks and a row's write meets the
    guards of that write, and is reported as the row's own result.
    """

    @staticmethod
    def run(
        *, rows: Sequence[BulkRow], mode: BulkMode, operation: Operation | None = None
    ) -> list[RowResult]:
        """What became of each row, in order.

        Ids of new products are the operation's parts: a retry that takes over from a try that died
        adds none twice. Every other row it carries out anew.

        Raises:
            BulkRejectedError: all or nothing was wanted, and a row is faulty: nothing was written.
        """
        operation = operation or Operation.unkeyed()
        steps, rejected = _checked(rows, operation)
        if rejected and mode is BulkMode.ALL_OR_NOTHING:
            faults = [fault for result in rejected for fault in result.faults]
            raise BulkRejectedError(len(rejected), len(rows), faults, retried=operation.retried)
        return sorted([*rejected, *_written(steps, operation)], key=lambda result: result.index)


def _checked(rows: Sequence[BulkRow], operation: Operation) -> tuple[list[Step], list[RowResult]]:
    rejected = [malformed(row) for row in rows if row.faults]
    sound = [row for row in rows if not row.faults]
    checks, steps = Checks(sound, operation), list[Step]()
    for row in sound:
        try:
            steps.append(checks.step(row))
        except DomainError as error:
            rejected.append(refused(row, error))
    return steps, sorted(rejected, key=lambda result: result.index)


def _written(steps: Sequence[Step], operation: Operation) -> list[RowResult]:
    results = list[RowResult]()
    for step in steps:
        try:
            results.append(_write(step, operation))
        except DomainError as error:
            results.append(refused(step.row, error))
        except PyMongoError:  # the rows before are written, which the answer must say
            logger.exception("The database stopped answering between two rows.")
            return [*results, *_stopped(steps[len(results) :])]
        checkpoint("bulk.row")
    return results


def _write(step: Step, operation: Operation) -> RowResult:
    product_id, versions = str(step.product_id), step.row.expected_versions
    done = RowResult(step.row.index, 200, "updated", step.product_id)
    if step.action is Action.DELETE:
        ProductService.delete(product_id=product_id, expected_versions=versions)
        return replace(done, code="deleted")
    if step.action is Action.CREATE:
        own = operation.part(step.row.index)
        row = ProductService.create(values=step.values, operation=own)
        return replace(done, status=201, code="created", version=row["version"])
    row = ProductService.update(
        product_id=product_id, changes=step.values, expected_versions=versions
    )
    return replace(done, version=row["version"])


def _stopped(steps: Sequence[Step]) -> list[RowResult]:
    """The row during which the database went away, whose id tells what to look for; the rest."""
    first, *rest = steps
    uncertain = refused(first.row, StoreUnavailableError(_UNCERTAIN))
    return [
        replace(uncertain, product_id=first.product_id),
        *(refused(step.row, StoreUnavailableError(_NOT_TRIED)) for step in rest),
    ]
