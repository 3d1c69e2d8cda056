"""A new row is the one that MongoEngine makes, with all of its checks, in less time."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest
from mongoengine import Document
from mongoengine.errors import FieldDoesNotExist

from accounts.documents import AuditEvent
from catalog.documents import ProductRow
from ecommerce.core.document_classes import documents
from ecommerce.core.mongo import collection, new_row
from tests.client import Person
from tests.invariants.shop import fill

FAULTS: Final = (AssertionError, AttributeError, FieldDoesNotExist, TypeError, ValueError)
"""An AssertionError is what a ValidationError of MongoEngine is."""
New = tuple[type[Document], dict[str, Any]]
"""A document and the values of its fields."""
WRONG: Final[tuple[Any, ...]] = (
    None, object(), "", "x" * 3000, -1, 2**70, 0.5, [], ["x"], {}, {"$x": 1},
)  # fmt: skip
"""Each is wrong for some field, and right for others."""


@pytest.fixture
def one_of_everything(
    alice: Person, bob: Person, sam: Person, make_product: Callable[..., ProductRow]
) -> list[New]:
    """What a shop has stored, as values that could be stored anew."""
    fill(alice, bob, sam, make_product)
    return [
        (kind, {name: row[stored] for name, stored in kind._db_field_map.items() if stored in row})
        for kind in documents()
        for row in collection(kind).find({})
    ]


def by_mongoengine(document: type[Document], **values: Any) -> dict[str, Any]:
    instance = document(**values)
    instance.validate()
    row: dict[str, Any] = instance.to_mongo().to_dict()
    return row


def outcome(make: Callable[..., dict[str, Any]], new: New) -> object:
    document, values = new
    try:
        return make(document, **values)
    except FAULTS:
        return "refused"


def each_with_something_wrong(new: New) -> Iterator[New]:
    document, values = new
    for name in document._fields:
        without = {other: value for other, value in values.items() if other != name}
        yield document, without
        yield from ((document, {**without, name: wrong}) for wrong in WRONG)


def times_apart(row: object) -> object:
    """Without what is the time of the test where nobody gave one."""
    if not isinstance(row, Mapping):
        return row
    return {name: value for name, value in row.items() if not name.endswith("_at")}


def test_every_new_row_is_the_one_that_mongoengine_makes(one_of_everything: list[New]) -> None:
    assert {document for document, _ in one_of_everything} == set(documents())
    for document, values in one_of_everything:
        row = new_row(document, **values)
        assert row == by_mongoengine(document, **values)
        assert "SON(" not in repr(row), "plain dicts all the way down"


def test_what_mongoengine_refuses_is_refused(one_of_everything: list[New]) -> None:
    refused = 0
    for right in one_of_everything:
        for wrong in each_with_something_wrong(right):
            expected = times_apart(outcome(by_mongoengine, wrong))
            assert times_apart(outcome(new_row, wrong)) == expected, wrong
            refused += expected == "refused"
    assert refused > 500


def test_a_field_that_is_not_declared_is_refused() -> None:
    with pytest.raises(TypeError, match="AuditEvent has no pasword"):
        new_row(AuditEvent, event="login", request_id="r", pasword="secret")


@pytest.mark.parametrize("document", documents())
def test_no_document_has_what_a_new_row_does_not_know(document: type[Document]) -> None:
    assert not document._meta.get("allow_inheritance")
    assert not document._dynamic
    assert document.clean is Document.clean
    assert not any(field._auto_gen for field in document._fields.values())
