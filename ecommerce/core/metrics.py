"""What operators see of the product, beside what django-prometheus counts: docs/metrics.md.

Services count what happened: `metrics.REGISTRATIONS.inc()`. Labels are bound to their values at
import, so that counting is one call, every series is there with 0 before anything happens, and no
input makes one: what is not known counts as `other`.

With several workers each writes files of its own under PROMETHEUS_MULTIPROC_DIR, which whoever is
scraped adds up. Gauges say how: those of workers that live are summed, or the newest one counts.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from prometheus_client import Counter, Gauge, Histogram

Labelled = TypeVar("Labelled", Counter, Gauge)

if _folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    # gunicorn makes it; `manage.py serve`, which comes before, would find no place to count.
    Path(_folder).mkdir(parents=True, exist_ok=True)

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
_MINOR_UNITS: Final = (
    500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
)  # fmt: skip


def _each(metric: Labelled, values: Iterable[str]) -> Mapping[str, Labelled]:
    """The series of each value of the one label."""
    return {value: metric.labels(value) for value in values}


# --- requests ---------------------------------------------------------------------------------
REQUESTS_IN_PROGRESS: Final = Gauge(
    "shop_requests_in_progress",
    "Requests that Django is working on; answers from the process's memory take no part.",
    multiprocess_mode="livesum",
)
THREADS: Final = Gauge(
    "shop_threads",
    "Threads that can work on a request.",
    multiprocess_mode="livesum",
)
KEPT_ANSWERS: Final = _each(
    Counter(
        "shop_kept_answers_total",
        "Public reads, by where the answer was found: process, shared, or miss (it was made).",
        ["found"],
    ),
    ("process", "shared", "miss"),
)
RATE_LIMITED: Final = Counter(
    "shop_rate_limited_total", "Requests and mails that a limit refused.", ["policy"]
)

# --- the shop ---------------------------------------------------------------------------------
REGISTRATIONS: Final = Counter("shop_registrations_total", "Accounts that were made.")
LOGINS: Final = _each(
    Counter("shop_logins_total", "Tries to sign in with a password, by result.", ["result"]),
    ("success", "invalid", "unverified", "locked", "busy", "error"),
)
CART_ADDS: Final = _each(
    Counter(
        "shop_cart_adds_total",
        "Requests that put something into a cart, by what they did: new line, or more of one.",
        ["line"],
    ),
    ("new", "raised"),
)
CART_VALUE: Final = Histogram(
    "shop_cart_value_minor_units",
    "What a cart is worth after something was put into it, in minor units of the currency.",
    ["currency"],
    buckets=_MINOR_UNITS,
)
STOCK_REFUSALS: Final = Counter(
    "shop_stock_refusals_total", "Requests to carts that were refused: too few are left."
)
IMPORTS: Final = _each(
    Counter("shop_imports_total", "Imports that came to their end, by result.", ["result"]),
    ("done", "failed"),
)
IMPORTS_WAITING: Final = Gauge(
    "shop_imports_waiting",
    "Imports that nobody works on yet, up to 1000.",
    multiprocess_mode="livemostrecent",
)
IMPORTS_OLDEST: Final = Gauge(
    "shop_imports_oldest_waiting_timestamp_seconds",
    "When the one of them that waits longest was sent; 0 where none waits.",
    multiprocess_mode="livemostrecent",
)

# --- Redis ------------------------------------------------------------------------------------
REDIS_CALLS: Final = Histogram(
    "shop_redis_call_duration_seconds",
    "Calls to the shared Redis, successful or not.",
    buckets=_SECONDS,
)
REDIS_FAILURES: Final = _each(
    Counter(
        "shop_redis_failures_total",
        "Calls that failed: away (no answer) or refused (an error, such as a full memory).",
        ["kind"],
    ),
    ("away", "refused"),
)
REDIS_AWAY: Final = Gauge(
    "shop_redis_breakers_open",
    "Processes that go on without Redis until it answers again.",
    multiprocess_mode="livesum",
)

# --- MongoDB ----------------------------------------------------------------------------------
MONGODB_COMMANDS: Final = Histogram(
    "shop_mongodb_command_duration_seconds",
    "Commands to MongoDB, successful or not, as the server of the API sees them.",
    ["command", "collection"],
    buckets=_SECONDS,
)
MONGODB_FAILURES: Final = Counter(
    "shop_mongodb_command_failures_total",
    "Commands to MongoDB that failed.",
    ["command", "collection"],
)
MONGODB_CHECKOUTS: Final = Histogram(
    "shop_mongodb_checkout_duration_seconds",
    "How long operations waited for a connection of the pool.",
    buckets=_SECONDS,
)
MONGODB_CHECKOUT_FAILURES: Final = _each(
    Counter(
        "shop_mongodb_checkout_failures_total",
        "Operations that got no connection, by reason.",
        ["reason"],
    ),
    ("timeout", "pool_closed", "connection_error"),
)
MONGODB_CONNECTIONS: Final = _each(
    Gauge(
        "shop_mongodb_connections",
        "Connections to MongoDB: open ones, and those of them that are in use.",
        ["state"],
        multiprocess_mode="livesum",
    ),
    ("open", "in_use"),
)
