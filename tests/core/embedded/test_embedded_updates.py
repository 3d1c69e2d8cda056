"""A stored document is never changed in place, whatever an update reaches into."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import mongomock
import pytest
from bson import ObjectId
from pymongo import ReturnDocument

from ecommerce.core.embedded import open_embedded_client

LINES: Final = [{"key": key, "n": 1, "words": {"note": key}, "tags": ["x"]} for key in "abc"]
CART: Final = {
    "_id": 1, "version": 1, "items": LINES, "saved": ["s"], "grid": [[1], [2]],
    "person": {"name": {"first": "Ann"}, "tags": ["t"]},
}  # fmt: skip
HAS_B: Final = {"items.key": "b"}
UPDATES: Final[list[tuple[dict[str, Any], dict[str, Any]]]] = [
    (HAS_B, {"$inc": {"items.$.n": 2, "version": 1}, "$set": {"items.$.note": "gift"}}),
    (HAS_B, {"$set": {"items.$.words.note": "deep"}}),
    (HAS_B, {"$set": {"items.$.tags.0": "y"}}),
    ({}, {"$set": {"items.2.n": 7, "items.2.words.note": "two", "items.0.n": 8}}),
    ({}, {"$set": {"items.1": {"key": "new"}}}),
    ({}, {"$unset": {"items.1.n": ""}}),
    ({}, {"$push": {"items": {"key": "d"}, "saved": {"$each": ["t", "u"], "$slice": -2}}}),
    ({}, {"$push": {"person.tags": "u"}}),
    ({}, {"$pull": {"items": {"key": "b"}, "saved": "s"}}),
    ({}, {"$pullAll": {"saved": ["s"]}}),
    ({}, {"$addToSet": {"saved": "t", "person.tags": "u"}}),
    ({}, {"$set": {"person.name.first": "Bea", "items": [], "new.deep": 1}}),
    ({}, {"$unset": {"person.name": "", "saved": ""}}),
    ({}, {"$rename": {"saved": "kept"}}),
    ({}, {"$set": {"grid.0": [3]}}),
]  # fmt: skip


@pytest.fixture
def carts(tmp_path: Path) -> Iterator[Any]:
    client = open_embedded_client(tmp_path / "store.sqlite3")
    yield client["shop"]["carts"]
    client.close()


def plain(where: dict[str, Any], *updates: dict[str, Any]) -> Any:
    """What mongomock by itself makes of it."""
    cart: Any = mongomock.MongoClient()["shop"]["carts"]
    cart.insert_one(deepcopy(CART))
    for update in updates:
        cart.update_one({"_id": 1, **where}, deepcopy(update))
    return cart.find_one({"_id": 1})


@pytest.mark.parametrize(("where", "update"), UPDATES, ids=lambda part: str(part)[:60])
def test_who_holds_a_document_sees_it_as_it_was(
    carts: Any, where: dict[str, Any], update: dict[str, Any]
) -> None:
    carts.insert_one(deepcopy(CART))
    [held] = carts.snapshot({"_id": 1}, None)
    after = carts.find_one_and_update(
        {"_id": 1, **where}, update, return_document=ReturnDocument.AFTER
    )
    assert held == CART
    assert after == carts.find_one({"_id": 1}) == plain(where, update) != CART


@pytest.mark.parametrize(("where", "update"), UPDATES, ids=lambda part: str(part)[:60])
def test_what_could_not_be_kept_is_as_it_was(
    carts: Any, where: dict[str, Any], update: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    carts.insert_one(deepcopy(CART))

    def full(_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(carts.database.client.file, "save", full)
    with pytest.raises(OSError, match="disk full"):
        carts.update_one({"_id": 1, **where}, update)
    assert carts.find_one({"_id": 1}) == CART


def test_updates_within_one_operation_build_on_each_other(carts: Any) -> None:
    carts.insert_one(deepcopy(CART))
    [held] = carts.snapshot({"_id": 1}, None)
    updates: list[dict[str, Any]] = [
        {"$inc": {"items.0.n": 1}}, {"$inc": {"items.0.n": 1, "items.1.n": 5}},
        {"$push": {"items": {"key": "d", "n": 1}}}, {"$set": {"items.3.n": 9}},
    ]  # fmt: skip
    with carts.database.client.writing():
        for update in updates:
            carts.update_one({"_id": 1}, update)
    assert held == CART
    assert carts.find_one({"_id": 1}) == plain({}, *updates)


def test_a_pipeline_too_leaves_the_document_that_is_held(carts: Any) -> None:
    carts.insert_one(deepcopy(CART))
    [held] = carts.snapshot({"_id": 1}, None)
    carts.update_one({"_id": 1}, [{"$set": {"person.name": "Bea"}}])
    assert held == CART
    assert carts.find_one({"_id": 1})["person"]["name"] == "Bea"


def test_who_asked_may_change_the_filter_afterwards(carts: Any) -> None:
    wanted = ObjectId()
    carts.insert_one({"_id": wanted})
    ids = [wanted]
    cursor = carts.find({"_id": {"$in": ids}})
    ids.clear()
    assert [row["_id"] for row in cursor] == [wanted]
