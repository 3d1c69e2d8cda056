"""Slow commands to MongoDB are named by collection and shape; their values never are."""

import gc
import json
import logging
import weakref
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo import monitoring

from catalog.documents import Product
from ecommerce.core.logs.slow_operations import SlowOperationListener, shape_of
from ecommerce.core.mongo import collection, uses_embedded_store
from tests.client import Person

needs_a_server = pytest.mark.skipif(
    uses_embedded_store(), reason="needs a MongoDB over the wire (MONGODB_URI)"
)

FIND = {
    "find": "users",
    "filter": {"email_key": "eve@example.com", "$or": [{"role": "staff"}, {"_id": {"$in": [1]}}]},
    "sort": {"created_at": -1},
    "limit": 20,
    "lsid": {"id": "session"},
    "$db": "shop",
}


def command(sent: dict[str, Any], milliseconds: float, fault: dict[str, Any] | None = None) -> None:
    """A command as PyMongo tells of it."""
    listener, name, at = SlowOperationListener(), next(iter(sent)), ("db", 27017)
    listener.started(monitoring.CommandStartedEvent(sent, "shop", 1, at, 1))
    duration: Any = timedelta(milliseconds=milliseconds)  # the documentation says datetime
    if fault is None:
        listener.succeeded(monitoring.CommandSucceededEvent(duration, {}, name, 1, at, 1))
    else:
        listener.failed(monitoring.CommandFailedEvent(duration, fault, name, 1, at, 1))


def test_a_slow_command_is_logged_by_its_shape(caplog: pytest.LogCaptureFixture) -> None:
    command(FIND, 300.4)
    (record,) = caplog.records
    assert record.getMessage().startswith("find on users took 300 ms: {")
    said = record.__dict__
    assert json.loads(said["labels.mongodb_shape"]) == {
        "filter": {"email_key": "?", "$or": [{"role": "?"}, {"_id": {"$in": ["?"]}}]},
        "sort": {"created_at": -1},
    }
    assert said["labels.mongodb_collection"] == "users"
    assert said["event.duration"] == 300_400_000
    assert said["event.outcome"] == "success"
    assert "eve@" not in str(said)


def test_a_quick_command_is_not(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    command(FIND, 249.9)
    assert caplog.records == []
    settings.SLOW_OPERATION_MS = 200
    command(FIND, 249.9)
    assert len(caplog.records) == 1


class Command(dict[str, Any]):
    """A command whose end can be seen."""


@pytest.mark.parametrize("milliseconds", [1, 300])
@pytest.mark.parametrize("fault", [None, {"errmsg": "timed out", "code": 50}])
def test_a_command_is_not_kept_when_it_is_over(
    milliseconds: int, fault: dict[str, Any] | None
) -> None:
    """It may hold documents of megabytes, and a thread may have nothing more to ask."""
    listener, at, sent = SlowOperationListener(), ("db", 27017), Command(FIND)
    over = weakref.ref(sent)
    listener.started(monitoring.CommandStartedEvent(sent, "shop", 1, at, 1))
    del sent
    duration: Any = timedelta(milliseconds=milliseconds)
    if fault is None:
        listener.succeeded(monitoring.CommandSucceededEvent(duration, {}, "find", 1, at, 1))
    else:
        listener.failed(monitoring.CommandFailedEvent(duration, fault, "find", 1, at, 1))
    gc.collect()
    assert over() is None


def test_a_command_that_failed_late_says_so(caplog: pytest.LogCaptureFixture) -> None:
    command(FIND, 900, fault={"errmsg": "eve@example.com timed out", "code": 50})
    (record,) = caplog.records
    assert record.__dict__["event.outcome"] == "failure"
    assert "eve@" not in str(record.__dict__)


@pytest.mark.parametrize(
    ("sent", "shape"),
    [
        ({"insert": "users", "documents": [{"email": "eve@example.com"}]}, {}),
        ({"getMore": 77, "collection": "users"}, {}),
        (
            {"update": "users", "updates": [{"q": {"_id": 1}, "u": {"$set": {"email": "eve"}}}]},
            {"updates": [{"q": {"_id": "?"}, "u": {"$set": {"email": "?"}}}]},
        ),
        (
            {"aggregate": "products", "pipeline": [{"$match": {"tags": "eve"}}, {"$limit": 3}]},
            {"pipeline": [{"$match": {"tags": "?"}}, {"$limit": "?"}]},
        ),
        (
            {"findAndModify": "carts", "query": {"_id": ObjectId()}, "update": {"$inc": {"n": 1}}},
            {"query": {"_id": "?"}, "update": {"$inc": {"n": "?"}}},
        ),
    ],
)
def test_shapes_hold_fields_and_operators_alone(sent: dict[str, Any], shape: Any) -> None:
    assert json.loads(shape_of(sent)) == shape


def test_a_shape_is_never_long() -> None:
    updates = [{"q": {f"field_{n}": n}} for n in range(10_000)]
    assert len(shape_of({"update": "users", "updates": updates})) <= 1000


@needs_a_server
def test_commands_to_a_server_are_watched(
    caplog: pytest.LogCaptureFixture, settings: Any, alice: Person
) -> None:
    settings.SLOW_OPERATION_MS = 0
    with caplog.at_level(logging.WARNING, logger="ecommerce.slow_operations"):
        collection(Product).find_one({"sku": "a-certain-lamp"}, {"_id": 1})
    (record,) = caplog.records
    assert record.__dict__["labels.mongodb_collection"] == "products"
    assert json.loads(record.__dict__["labels.mongodb_shape"])["filter"] == {"sku": "?"}
    assert "a-certain-lamp" not in str(record.__dict__)
