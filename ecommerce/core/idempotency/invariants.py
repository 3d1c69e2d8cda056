"""What must hold of the records of POSTs with an `Idempotency-Key`."""

import re
from datetime import timedelta
from typing import Final

from django.conf import settings

from ecommerce.core.documents import IdempotencyRecord, IdempotencyState
from ecommerce.core.invariants import Case, Checked, Rule, Update
from ecommerce.core.invariants.rules import Repair

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CLOCKS: Final = timedelta(minutes=1)
"""How far clocks of servers may be apart."""
_ANSWER: Final = ("status", "headers", "body")
_STATUSES: Final = range(200, 500)
"""What is kept: nobody repeats the answer to a fault of the server."""


def _digests(case: Case) -> str | None:
    names = {"_id": case.row["_id"], "fingerprint": case.row["fingerprint"]}
    return next((f"{n}: no digest" for n, v in names.items() if not _DIGEST.fullmatch(v)), None)


def _answer(case: Case) -> str | None:
    if case.row["state"] != IdempotencyState.DONE:
        return None
    missing = [name for name in _ANSWER if case.row.get(name) is None]
    if missing:
        return f"done without {', '.join(missing)}"
    return None if case.row["status"] in _STATUSES else "status: none that is kept"


def _lease(case: Case) -> str | None:
    if case.row["lease_until"] <= case.now + settings.IDEMPOTENCY_LEASE + _CLOCKS:
        return None
    return "lease_until: further ahead than any lease"


def _end_lease(case: Case) -> Repair:
    return Update("lease ended: a retry works again", {"lease_until": case.now})


def _reopen(case: Case) -> Repair:
    """The operation's id stays, so the next try finds what this one did."""
    values = {"state": IdempotencyState.CLAIMED.value, "lease_until": case.now}
    return Update("claim opened again: a retry makes the answer anew", values, gone=_ANSWER)


CHECKED: Final = (
    Checked(
        IdempotencyRecord,
        (
            Rule("digests", "A key and a request are stored as digests.", _digests),
            Rule(
                "answer",
                "What is done has its whole answer.",
                _answer,
                reads=("state", "status", "headers"),
                repair=_reopen,
            ),
            Rule(
                "lease",
                "No lease is longer than leases are.",
                _lease,
                reads=("lease_until",),
                repair=_end_lease,
            ),
        ),
        batch=100,
    ),
)
