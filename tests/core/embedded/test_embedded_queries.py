"""Reads that the embedded store answers from its indexes give what mongomock's scan gives."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import bson
import mongomock
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pymongo.errors import DuplicateKeyError

from ecommerce.core.embedded import open_embedded_client


class Letter(StrEnum):
    A = "a"
    B = "b"


letters = st.sampled_from(["a", "b", "c", *Letter])
scalars = st.one_of(st.none(), st.integers(0, 4), letters)
fields = st.one_of(scalars, st.lists(scalars, max_size=3), st.floats(0, 2, width=16))
documents = st.lists(
    st.fixed_dictionaries({}, optional={"tag": fields, "n": fields, "free": fields}), max_size=12
)
bounds = st.one_of(st.integers(0, 4), letters)
conditions = st.one_of(
    scalars,
    st.fixed_dictionaries({"$in": st.lists(scalars, max_size=3)}),
    st.fixed_dictionaries({"$gte": bounds}),
    st.fixed_dictionaries({"$gt": st.integers(0, 2), "$lt": st.integers(1, 4)}),
    st.fixed_dictionaries({"$ne": scalars}),
)
simple = st.dictionaries(st.sampled_from(["tag", "n", "free"]), conditions, max_size=3)
queries = st.one_of(
    simple,
    st.lists(simple.filter(bool), min_size=1, max_size=3).map(lambda parts: {"$and": parts}),
    st.tuples(simple.filter(bool), simple.filter(bool)).map(lambda two: {"$or": list(two)}),
)


@pytest.fixture(scope="module")
def aware_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    client = open_embedded_client(tmp_path_factory.mktemp("store") / "store.sqlite3")
    theirs: Any = mongomock.MongoClient(tz_aware=True)
    yield client["shop"]["things"], theirs["shop"]["things"]
    client.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    client = open_embedded_client(tmp_path_factory.mktemp("store") / "store.sqlite3")
    ours = client["shop"]["things"]
    ours.create_index("tag")
    ours.create_index("n")
    yield ours, mongomock.MongoClient()["shop"]["things"]
    client.close()


def assert_both_find_the_same(
    rows: list[dict[str, Any]], asked: list[dict[str, Any]], pair: tuple[Any, Any]
) -> None:
    for collection in pair:
        collection.delete_many({})
        if rows:
            collection.insert_many([{**row, "_id": number} for number, row in enumerate(rows)])
    ours, theirs = pair
    for query in asked:
        found = sorted(row["_id"] for row in ours.find(query))
        assert found == sorted(row["_id"] for row in theirs.find(query)), query


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=documents, asked=st.lists(queries, min_size=1, max_size=5))
def test_a_read_by_index_finds_what_a_scan_finds(
    rows: list[dict[str, Any]], asked: list[dict[str, Any]], pair: tuple[Any, Any]
) -> None:
    assert_both_find_the_same(rows, asked, pair)


def test_times_come_without_zones_to_who_asks_for_them_so(aware_pair: tuple[Any, Any]) -> None:
    ours, _ = aware_pair
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    ours.insert_one({"_id": "noon", "at": noon, "inside": [{"at": noon}]})

    naive = ours.with_options(ours.codec_options.with_options(tz_aware=False))

    bare = noon.replace(tzinfo=None)
    assert naive.find_one({"_id": "noon"}) == {"_id": "noon", "at": bare, "inside": [{"at": bare}]}
    assert ours.find_one({"_id": "noon"})["at"] == noon
    ours.delete_one({"_id": "noon"})
    assert naive.find_one({"_id": "noon"}) is None


plain = st.one_of(st.integers(0, 3), st.sampled_from("ab"))
line = st.fixed_dictionaries({}, optional={"key": fields, "n": st.integers(0, 3)})
of_lines = st.fixed_dictionaries(
    {}, optional={"key": plain, "n": st.one_of(plain, st.fixed_dictionaries({"$gt": bounds}))}
).filter(bool)
about_lines = st.one_of(
    st.fixed_dictionaries({"lines.key": scalars}),
    st.fixed_dictionaries({"lines.n": st.integers(0, 3)}),
    of_lines.map(lambda wanted: {"lines": {"$elemMatch": wanted}}),
    st.just({"lines": {"$elemMatch": {"$gt": 1}}}),
)
holders = st.lists(
    st.fixed_dictionaries(
        {"n": st.integers(0, 2)},
        optional={"lines": st.lists(st.one_of(line, line, line, st.integers(0, 3)), max_size=3)},
    ),
    max_size=5,
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=holders,
    asked=st.lists(
        st.one_of(
            about_lines,
            st.lists(about_lines, min_size=1, max_size=2).map(lambda parts: {"$nor": parts}),
            st.tuples(about_lines, about_lines).map(lambda two: {**two[0], "$nor": [two[1]]}),
        ),
        min_size=1,
        max_size=5,
    ),
)
def test_documents_in_arrays_are_found_as_a_scan_finds_them(
    rows: list[dict[str, Any]], asked: list[dict[str, Any]], pair: tuple[Any, Any]
) -> None:
    assert_both_find_the_same(rows, asked, pair)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lines=st.lists(st.fixed_dictionaries({"key": plain, "n": st.integers(0, 3)}), max_size=4),
    key=plain,
    guard=st.one_of(st.just({}), of_lines.map(lambda x: {"$nor": [{"lines": {"$elemMatch": x}}]})),
    change=st.sampled_from(
        [
            {"$inc": {"lines.$.n": 5}},
            {"$inc": {"lines.$.n": 5, "n": 1}, "$set": {"lines.$.note": "$.", "n2": 1}},
            {"$set": {"lines.$.key": "z"}, "$unset": {"lines.$.n": ""}},
            {"$set": {"lines.$": {"key": "new"}}},
            {"$max": {"lines.$.n": 2}},
            {"$set": {"other": "lines.$.n"}},
        ]
    ),
)
def test_an_update_of_the_element_that_the_filter_names_changes_what_mongomock_changes(
    lines: list[dict[str, Any]], key: Any, guard: dict[str, Any], change: dict[str, Any],
    pair: tuple[Any, Any],
) -> None:  # fmt: skip
    matched = []
    for collection in pair:
        collection.delete_many({})
        collection.insert_one({"_id": 1, "n": 0, "seen": [], "lines": lines})
        matched.append(
            collection.update_one({"_id": 1, "lines.key": key, **guard}, change).matched_count
        )
    ours, theirs = pair
    assert matched[0] == matched[1]
    assert list(ours.find({})) == list(theirs.find({}))


counted = st.fixed_dictionaries(
    {"n": st.integers(0, 9)},
    optional={
        "tag": st.one_of(st.none(), st.lists(st.sampled_from("abc"), max_size=3)),
        "kind": st.sampled_from("xy"),
    },
)
groups = [
    [{"$unwind": "$tag"}, {"$group": {"_id": "$tag", "count": {"$sum": 1}}}],
    [{"$unwind": "$tag"}, {"$group": {"_id": "$tag", "count": {"$sum": "$n"}}}],
    [{"$unwind": "$tag"}, {"$match": {"tag": "a"}}],
    [{"$group": {"_id": "$kind", "count": {"$sum": 1}, "again": {"$sum": 1}}}],
    [{"$bucket": {"groupBy": "$n", "boundaries": [0, 3, 4, 10], "output": {"c": {"$sum": 1}}}}],
    [{"$bucket": {"groupBy": "$n", "boundaries": [0, 5, 10]}}],
    [{"$bucket": {"groupBy": "$n", "boundaries": [2, 5], "default": "other"}}],
    [{"$project": {"n": 1, "tag": 1}}],
]


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(counted, max_size=12),
    where=st.sampled_from([{}, {"kind": "x"}, {"n": {"$gte": 3}}]),
    group=st.sampled_from(groups),
)
def test_an_aggregation_gives_what_mongomock_gives(
    rows: list[dict[str, Any]], where: dict[str, Any], group: list[Any], pair: tuple[Any, Any]
) -> None:
    for collection in pair:
        collection.delete_many({})
        if rows:
            collection.insert_many([{**row, "_id": number} for number, row in enumerate(rows)])
    ours, theirs = (
        sorted(map(repr, map(sorted_items, collection.aggregate([{"$match": where}, *group]))))
        for collection in pair
    )
    assert ours == theirs


def sorted_items(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(row.items())


def test_no_two_documents_share_an_element_of_a_unique_array(tmp_path: Path) -> None:
    client = open_embedded_client(tmp_path / "store.sqlite3")
    things: Any = client["shop"]["things"]
    things.create_index("skus", unique=True, sparse=True)
    things.insert_one({"_id": 1, "skus": ["a", "b"]})
    things.insert_one({"_id": 2})
    things.insert_one({"_id": 3})
    with pytest.raises(DuplicateKeyError):
        things.insert_one({"_id": 4, "skus": ["c", "b"]})
    with pytest.raises(DuplicateKeyError):
        things.update_one({"_id": 2}, {"$set": {"skus": ["a"]}})
    things.update_one({"_id": 1}, {"$set": {"skus": ["b", "d"]}})
    things.update_one({"_id": 2}, {"$set": {"skus": ["a"]}})
    assert [row["_id"] for row in things.find({"skus": "a"})] == [2]
    client.close()


moments = st.integers(0, 2**41).map(lambda ms: datetime.fromtimestamp(ms // 1000, UTC))
nested = st.recursive(
    st.one_of(scalars, moments),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from(["a", "b", "c", "free"])
projections = st.one_of(
    st.none(),
    st.builds(
        lambda chosen, kept, with_id: dict.fromkeys(chosen, kept) | with_id,
        st.lists(names, max_size=2),
        st.sampled_from([0, 1, True, False]),
        st.sampled_from([{}, {"_id": 0}, {"_id": 1}]),
    ),
    st.lists(st.sampled_from("abc"), max_size=2),
)


@settings(max_examples=200, deadline=None)
@given(row=st.dictionaries(st.sampled_from("abc"), nested), chosen=projections)
@example(row={"a": {"b": 1, "c": 2}, "b": 3}, chosen={"a.b": 1})
@example(row={"a": [{"b": 1, "c": 2}], "b": 3}, chosen={"a.b": 0, "_id": 0})
@example(row={"a": [1, 2, 3]}, chosen={"a": {"$slice": 2}})
def test_a_projection_gives_what_it_gives_in_mongomock(
    row: dict[str, Any], chosen: Any, aware_pair: tuple[Any, Any]
) -> None:
    found = []
    for things in aware_pair:
        things.delete_many({})
        things.insert_one({"_id": 1, **row})
        found.append(things.find_one({"_id": 1}, chosen and type(chosen)(chosen)))
    ours, theirs = found
    assert ours == theirs
    assert bson.encode(ours) == bson.encode({name: theirs[name] for name in ours}), "types too"
