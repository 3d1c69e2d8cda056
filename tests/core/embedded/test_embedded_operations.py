"""Any sequence of operations gives and leaves what it gives and leaves in mongomock."""

from collections.abc import Callable
from typing import Any

import mongomock
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from ecommerce.core.embedded import open_embedded_client
from tests.core.embedded.stores import reopened

values = st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["a", "b"]), st.booleans())

keys = st.integers(0, 4)

operations = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), keys, values),
        st.tuples(st.just("set"), keys, values),
        st.tuples(st.just("set_where"), values, values),
        st.tuples(st.just("unset"), keys, st.none()),
        st.tuples(st.just("push"), keys, values),
        st.tuples(st.just("delete"), keys, st.none()),
        st.tuples(st.just("delete_where"), values, st.none()),
        st.tuples(st.just("upsert"), keys, values),
        st.tuples(st.just("modify"), keys, values),
        st.tuples(st.just("modify_or_make"), keys, values),
        st.tuples(st.just("modify_where"), values, values),
        st.tuples(st.just("take_where"), values, st.none()),
    ),
    max_size=25,
)


def apply(collection: Any, name: str, key: Any, value: Any) -> Any:
    to_value = {"$set": {"v": value}}

    def modified(where: Any, **options: Any) -> Any:
        return collection.find_one_and_update(where, to_value, **options)

    works: dict[str, Callable[[], Any]] = {
        "insert": lambda: collection.insert_one({"_id": key, "v": value, "list": []}).inserted_id,
        "set": lambda: collection.update_one({"_id": key}, to_value).matched_count,
        "set_where": lambda: collection.update_many({"v": key}, to_value).matched_count,
        "unset": lambda: collection.update_one({"_id": key}, {"$unset": {"v": ""}}).matched_count,
        "push": lambda: collection.update_one({"_id": key}, {"$push": {"list": value}}).raw_result,
        "delete": lambda: collection.delete_one({"_id": key}).deleted_count,
        "delete_where": lambda: collection.delete_many({"v": key}).deleted_count,
        "modify": lambda: modified({"_id": key}, return_document=ReturnDocument.AFTER),
        "modify_or_make": lambda: modified(
            {"_id": key}, upsert=True, return_document=ReturnDocument.AFTER
        ),
        "modify_where": lambda: modified({"v": key}, sort=[("_id", 1)]),
        "take_where": lambda: collection.find_one_and_delete({"v": key}, sort=[("_id", 1)]),
        "upsert": lambda: collection.update_one({"_id": key}, to_value, upsert=True).upserted_id,
    }
    try:
        result = works[name]()
    except DuplicateKeyError:
        return "duplicate"
    return result["n"] if name == "push" else result


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=operations)
def test_any_sequence_of_operations_ends_like_in_mongomock(
    steps: list[tuple[str, Any, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("store") / "store.sqlite3"
    client = open_embedded_client(path)
    theirs: Any
    ours, theirs = client["shop"]["things"], mongomock.MongoClient()["shop"]["things"]
    ours.create_index("v", name="v")
    for step in steps:
        assert apply(ours, *step) == apply(theirs, *step), step
    expected = sorted(theirs.find({}), key=str)
    assert sorted(ours.find({}), key=str) == expected
    for value in (None, 0, 1, "a", True):
        assert ours.count_documents({"v": value}) == theirs.count_documents({"v": value})
    client = reopened(client, path)
    assert sorted(client["shop"]["things"].find({}), key=str) == expected
    client.close()
