"""Reading all of a collection in batches, each of which is one request."""

import pytest
from bson import ObjectId
from django.conf import settings
from pymongo import MongoClient, monitoring

from carts.documents import ShoppingCart
from ecommerce.core.batches import batches, cut
from ecommerce.core.mongo import collection, uses_embedded_store


class Commands(monitoring.CommandListener):
    """What was sent to read documents: its name, and how many it wants at once."""

    def __init__(self) -> None:
        self.reads: list[tuple[str, int]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in {"find", "getMore"}:
            self.reads.append((event.command_name, event.command.get("batchSize", 0)))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing to note."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing to note."""


@pytest.fixture
def ids() -> list[ObjectId]:
    """More documents than a server sends at once if nobody says how many."""
    made = sorted(ObjectId() for _ in range(250))
    collection(ShoppingCart).insert_many([{"_id": one} for one in made])
    return made


def test_every_document_comes_once_in_order_whatever_the_size(ids: list[ObjectId]) -> None:
    found = list(batches(collection(ShoppingCart), {}, size=120))
    assert [len(batch) for batch in found] == [120, 120, 10]
    assert [row["_id"] for batch in found for row in batch] == ids


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], []),
        ([1, 1, 1, 1], [[1, 1, 1], [1]]),
        ([4, 6, 1], [[4, 6], [1]]),
        ([5, 6, 4], [[5], [6, 4]]),
        ([11, 1, 12], [[11], [1], [12]]),
    ],
    ids=["none", "count", "exactly", "bytes", "larger than a batch may be"],
)
def test_what_is_cut_by_count_and_by_bytes_comes_whole_and_in_order(
    lengths: list[int], expected: list[list[int]]
) -> None:
    found = cut((b"x" * length for length in lengths), count=3, size=10)
    assert [[len(body) for body in batch] for batch in found] == expected


def test_a_batch_is_one_request_whose_cursor_nobody_asks_again(ids: list[ObjectId]) -> None:
    if uses_embedded_store():
        pytest.skip("the embedded store has neither requests nor cursors")
    seen = Commands()
    with MongoClient[dict[str, object]](settings.MONGODB_URI, event_listeners=[seen]) as client:
        carts = client.get_default_database()[collection(ShoppingCart).name]
        assert sum(len(batch) for batch in batches(carts, {}, size=200)) == len(ids)
    # One more than the limit, by PyMongo: then a server leaves no cursor open.
    assert seen.reads == [("find", 201)] * 3
