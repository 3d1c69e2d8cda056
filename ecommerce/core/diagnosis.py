"""What `manage.py doctor` looks at: each check says how it is and what to do about it."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from django.conf import settings
from django.core.cache import caches
from mongoengine.connection import get_db
from pymongo.errors import OperationFailure, PyMongoError
from redis.exceptions import RedisError

from ecommerce.core import mongo
from ecommerce.core.document_classes import documents
from ecommerce.core.embedded import StoreError
from ecommerce.core.indexes import declared
from ecommerce.core.mongo import collection

_CLOCK_TOLERANCE: Final = 5.0
"""Seconds between this clock and the database's before tokens start to misbehave."""
_STRONG_KEY: Final = 50
"""Characters."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    level: Literal["ok", "warning", "failure"]
    text: str


def findings() -> Iterator[Finding]:
    """Every check in turn; one that fails does not keep the others from running."""
    for check in (_python, _store, _redis, _secrets, _limits):
        yield from check()


def _python() -> Iterator[Finding]:
    yield Finding("python", "ok", sys.version.split()[0])


def _store() -> Iterator[Finding]:
    started = time.perf_counter()
    try:
        mongo.ping()
    except StoreError as fault:
        yield Finding("store", "failure", str(fault))
        return
    except PyMongoError as fault:
        text = f"{mongo.in_short(fault)}; is it running, and is MONGODB_URI right?"
        yield Finding("store", "failure", text)
        return
    elapsed = (time.perf_counter() - started) * 1000
    if mongo.uses_embedded_store():
        text = f"{settings.STORE_PATH}, embedded: for development; set MONGODB_URI for a server"
        yield Finding("store", "ok", text)
    else:
        yield Finding("store", "ok", f"MongoDB answers in {elapsed:.0f} ms")
        yield _clock()
    yield _indexes()


def _indexes() -> Finding:
    try:
        missing = [
            f"{index.collection}.{index.name}"
            for document in documents()
            for index in declared(document)
            if index.name not in collection(document).index_information()
        ]
    except PyMongoError as fault:
        return _unseen("indexes", fault)
    if missing:
        return Finding(
            "indexes", "failure", f"missing: {', '.join(missing)}; run manage.py migrate"
        )
    return Finding("indexes", "ok", "all there")


def _clock() -> Finding:
    try:
        there = get_db().command("hello").get("localTime")
    except PyMongoError as fault:
        if not _is_refusal(fault):
            return _unseen("clock", fault)
        there = None  # a server that only speaks like MongoDB
    if there is None:
        return Finding("clock", "ok", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    apart = abs((datetime.now(UTC) - there.replace(tzinfo=UTC)).total_seconds())
    if apart > _CLOCK_TOLERANCE:
        text = f"{apart:.0f} s from the database's clock: tokens expire early or late; set up NTP"
        return Finding("clock", "failure", text)
    return Finding("clock", "ok", f"{apart:.1f} s from the database's clock")


def _unseen(name: str, fault: PyMongoError) -> Finding:
    what_to_do = (
        "check the rights of the user in MONGODB_URI"
        if _is_refusal(fault)
        else "run this again when the database answers"
    )
    return Finding(name, "failure", f"cannot be seen: {mongo.in_short(fault)}; {what_to_do}")


def _is_refusal(fault: PyMongoError) -> bool:
    return isinstance(fault, OperationFailure) and not mongo.is_outage(fault)


def _redis() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        text = "not set: the cache and the limits are this process's own; set REDIS_URL to share"
        yield Finding("redis", "ok", text)
        return
    yield _redis_at("redis", "default", "REDIS_URL")
    if settings.RATE_LIMIT_REDIS_URL != settings.REDIS_URL:
        yield _redis_at("redis for limits", "limits", "RATE_LIMIT_REDIS_URL")


def _redis_at(name: str, alias: str, variable: str) -> Finding:
    started = time.perf_counter()
    try:
        caches[alias].get("doctor")
    except (RedisError, OSError) as fault:
        return Finding(name, "failure", f"{fault}; is it running, and is {variable} right?")
    elapsed = (time.perf_counter() - started) * 1000
    return Finding(name, "ok", f"answers in {elapsed:.0f} ms")


def _secrets() -> Iterator[Finding]:
    if len(settings.SECRET_KEY) < _STRONG_KEY:
        text = f"SECRET_KEY has fewer than {_STRONG_KEY} characters: anyone may guess tokens"
        yield Finding("secrets", "failure", text)
    else:
        yield Finding("secrets", "ok", "SECRET_KEY is long enough")


def _limits() -> Iterator[Finding]:
    if settings.RATE_LIMITS_ENABLED:
        yield Finding("limits", "ok", "rate limits are on")
    else:
        yield Finding("limits", "warning", "rate limits are off: that is for load tests only")
