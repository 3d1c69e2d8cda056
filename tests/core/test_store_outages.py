"""A database that changes who leads it is away for a moment, not wrong: what it says then is a 503
that may be tried again, and to a command "does not answer"."""

from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    CursorNotFound,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WriteError,
    WTimeoutError,
)

from catalog.documents import Product
from ecommerce.core import mongo
from tests.client import ApiClient

MOMENTARY = (6, 7, 89, 91, 133, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436)
"""Codes of servers and of a mongos: hosts unreachable, no primary, stepping or shutting down."""


def bulk(*write_concern: int, writes: tuple[int, ...] = ()) -> BulkWriteError:
    results: dict[str, Any] = {
        "writeErrors": [{"index": n, "code": code} for n, code in enumerate(writes)],
        "writeConcernErrors": [{"code": code, "errmsg": "x"} for code in write_concern],
        "nInserted": 1,
    }
    return BulkWriteError(results)


def labelled(label: str) -> OperationFailure:
    return OperationFailure("x", 1, {"errorLabels": [label]})


AWAY: dict[str, PyMongoError] = {
    "connection lost": AutoReconnect("x"),
    "not primary": NotPrimaryError("x"),
    "network": NetworkTimeout("x"),
    "no server": ServerSelectionTimeoutError("x"),
    "pool": WaitQueueTimeoutError("x"),
    "time limit": ExecutionTimeout("x", 50),
    "replication": WTimeoutError("x", 64),
    "stepped down after the write": WriteConcernError("x", 189),
    "a write of a mongos": WriteError("x", 91),
    "label": labelled("RetryableWriteError"),
    "bulk, after the writes": bulk(189),
    "bulk, a write of a mongos": bulk(writes=(91,)),
    "bulk, both": bulk(189, 91, writes=(10107,)),
    **{f"code {code}": OperationFailure("x", code) for code in MOMENTARY},
}
WRONG: dict[str, PyMongoError] = {
    "authentication": OperationFailure("x", 18),
    "no code": OperationFailure("x"),
    "cursor": CursorNotFound("x", 43),
    "write concern": WriteConcernError("x", 100),
    "another label": labelled("TransientTransactionError"),
    "bulk, nothing said": bulk(),
    "bulk, twice there": bulk(writes=(11000,)),
    "bulk, twice there and stepped down": bulk(189, writes=(11000,)),
    "bulk, one of two": bulk(189, 100),
    "duplicate": DuplicateKeyError("x", 11000),
}


@pytest.mark.parametrize("name", AWAY)
def test_a_database_that_is_away_for_a_moment_is_a_503_that_says_when_to_come_again(
    name: str, anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.selectors.product_page", Mock(side_effect=AWAY[name]))
    answer = anyone.get("/products/")
    assert answer.outcome == (503, "store_unavailable")
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_that_stays_when_it_is_tried_again_is_ours(
    name: str, anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.selectors.product_page", Mock(side_effect=WRONG[name]))
    anyone._client.raise_request_exception = False
    assert anyone.get("/products/").outcome == (500, "internal_error")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (AWAY["no server"], "The database does not answer (x). Is it running"),
        (AWAY["code 189"], "The database does not answer (x). Is it running"),
        (AWAY["bulk, after the writes"], "The database does not answer (batch op errors"),
        (AWAY["time limit"], "The database does not answer (x). Is it running"),
        (WRONG["authentication"], "The database refuses this (x). Check the user"),
        (WRONG["bulk, twice there"], "The database refuses this (batch op errors"),
    ],
)
def test_a_command_says_of_the_same_faults_that_the_database_does_not_answer(
    fault: PyMongoError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ecommerce.core.management.commands.doctor.findings", Mock(side_effect=fault)
    )
    with pytest.raises(CommandError) as refused:
        call_command("doctor")
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("name", ["bulk, after the writes", "bulk, both"])
def test_rows_that_no_majority_has_are_not_said_to_be_inserted(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Mock(**{"insert_many.side_effect": AWAY[name]})
    monkeypatch.setattr(mongo, "collection", lambda _: rows)
    with pytest.raises(BulkWriteError):
        mongo.insert_new(Product, [{"_id": 1}, {"_id": 2}])


def test_rows_that_are_there_are_left_out_only_if_a_majority_has_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = Mock(**{"insert_many.side_effect": [bulk(writes=(11000,)), bulk(64, writes=(11000,))]})
    monkeypatch.setattr(mongo, "collection", lambda _: rows)
    assert mongo.insert_new(Product, [{"_id": 1}, {"_id": 2}]) == 1
    with pytest.raises(BulkWriteError):
        mongo.insert_new(Product, [{"_id": 1}, {"_id": 2}])
