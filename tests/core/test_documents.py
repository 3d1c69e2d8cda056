"""Documents and the rows they are read as never drift apart; indexes are declared and made."""

import pytest
from mongoengine import Document, EmbeddedDocument
from pymongo._csot import get_timeout
from pymongo.errors import DuplicateKeyError

from accounts.documents import (
    ApiKey,
    ApiKeyRow,
    AuditEvent,
    AuditEventRow,
    EndedSession,
    EndedSessionRow,
    KeptSession,
    KeptSessionRow,
    MailToken,
    MailTokenRow,
    RefreshFamily,
    RefreshFamilyRow,
    User,
    UserRow,
)
from carts.documents import (
    Adjustment,
    AdjustmentRow,
    CartItem,
    CartRow,
    LineAttribute,
    LineAttributeRow,
    LineRow,
    Merge,
    MergedSource,
    MergedSourceRow,
    MergeRow,
    OpenCart,
    OpenCartRow,
    OpenCarts,
    OpenCartsRow,
    ShoppingCart,
)
from catalog.documents import (
    Attribute,
    AttributeRow,
    Category,
    CategoryRow,
    CategoryTree,
    CategoryTreeRow,
    Image,
    ImageRow,
    ImportChunk,
    ImportChunkRow,
    ImportJob,
    ImportJobRow,
    ImportResult,
    ImportResultRow,
    Product,
    ProductRow,
    StockMovement,
    StockMovementRow,
    Variant,
    VariantOption,
    VariantOptionRow,
    VariantRow,
)
from ecommerce.core import indexes
from ecommerce.core.document_classes import documents
from ecommerce.core.documents import (
    DataMigrationRecord,
    DataMigrationRow,
    IdempotencyRecord,
    IdempotencyRecordRow,
)
from ecommerce.core.indexes import IndexConflictError, declared, ensure_indexes
from ecommerce.core.mongo import collection

PAIRS: list[tuple[type, type]] = [
    (User, UserRow),
    (RefreshFamily, RefreshFamilyRow),
    (EndedSession, EndedSessionRow),
    (KeptSession, KeptSessionRow),
    (AuditEvent, AuditEventRow),
    (ApiKey, ApiKeyRow),
    (MailToken, MailTokenRow),
    (Product, ProductRow),
    (Image, ImageRow),
    (Attribute, AttributeRow),
    (Variant, VariantRow),
    (VariantOption, VariantOptionRow),
    (Category, CategoryRow),
    (CategoryTree, CategoryTreeRow),
    (StockMovement, StockMovementRow),
    (ImportJob, ImportJobRow),
    (ImportChunk, ImportChunkRow),
    (ImportResult, ImportResultRow),
    (ShoppingCart, CartRow),
    (CartItem, LineRow),
    (LineAttribute, LineAttributeRow),
    (Adjustment, AdjustmentRow),
    (Merge, MergeRow),
    (MergedSource, MergedSourceRow),
    (OpenCart, OpenCartRow),
    (OpenCarts, OpenCartsRow),
    (IdempotencyRecord, IdempotencyRecordRow),
    (DataMigrationRecord, DataMigrationRow),
]


@pytest.mark.parametrize(("document", "row"), PAIRS)
def test_a_row_names_the_fields_of_its_document(
    document: type[Document] | type[EmbeddedDocument], row: type
) -> None:
    assert set(document._db_field_map.values()) == set(row.__annotations__)


def test_every_document_is_known_to_the_index_command() -> None:
    assert set(documents()) == {
        ImportJob, ImportChunk, ImportResult,
        User, RefreshFamily, AuditEvent, ApiKey, MailToken, Product, Category, CategoryTree,
        StockMovement, ShoppingCart, OpenCarts, IdempotencyRecord, DataMigrationRecord,
    }  # fmt: skip


@pytest.mark.parametrize("document", documents())
def test_every_declared_index_is_made_and_making_it_again_is_no_change(
    document: type[Document],
) -> None:
    ensure_indexes([document])
    made = collection(document).index_information()
    assert {index.name for index in declared(document)} <= made.keys()


@pytest.mark.parametrize("document", [d for d in documents() if "sharding" in d._meta])
def test_a_sharded_collection_is_unique_on_its_shard_key_alone(document: type[Document]) -> None:
    assert document._meta["sharding"] == {"_id": "hashed"}
    assert [index.name for index in declared(document) if index.options.get("unique")] == []


def test_carts_and_idempotency_records_are_what_is_sharded() -> None:
    sharded = {document for document in documents() if "sharding" in document._meta}
    assert sharded == {ShoppingCart, OpenCarts, IdempotencyRecord}


def test_the_list_of_duplicates_may_take_as_long_as_the_index(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both look at the whole collection, which takes longer than an operation of a request may."""
    seconds = list[float | None]()

    def refuse(*_: object, **__: object) -> None:
        raise DuplicateKeyError("E11000")

    def look(*_: object) -> str:
        seconds.append(get_timeout())
        return "the list"

    monkeypatch.setattr(type(collection(User)), "create_index", refuse)
    monkeypatch.setattr(indexes, "_duplicates", look)
    with pytest.raises(IndexConflictError, match="the list"):
        ensure_indexes([User])
    assert set(seconds) == {600.0}


def test_duplicates_that_forbid_an_index_are_listed() -> None:
    users = collection(User)
    users.drop_index("email_unique")
    try:
        for number in (1, 2):
            users.insert_one({"_id": number, "email_key": "a@b.c", "username_key": str(number)})
        with pytest.raises(IndexConflictError, match=r"email_key='a@b\.c': 1, 2"):
            ensure_indexes([User])
    finally:
        users.delete_many({})
        ensure_indexes([User])
    users.insert_one({"_id": 1, "email_key": "a", "username_key": "1"})
    with pytest.raises(DuplicateKeyError):
        users.insert_one({"_id": 2, "email_key": "a", "username_key": "2"})
