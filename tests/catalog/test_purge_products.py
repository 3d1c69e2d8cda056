"""manage.py purge_products: what was deleted long ago goes for good."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from bson import ObjectId
from django.core.management import CommandError

from catalog.documents import Product, ProductRow, StockMovement
from catalog.selectors import deleted_products
from catalog.services import ProductService, StockService, stock
from ecommerce.core.mongo import collection, utc_now
from tests.client import Person
from tests.commands import run
from tests.faults import DiesAt, KilledError
from tests.operations import recorded

Make = Callable[..., ProductRow]


def purge(days: int = 30, **options: Any) -> str:
    return run("purge_products", older_than=days, **{"yes": True, **options})


def names() -> list[str]:
    return sorted(row["name"] for row in collection(Product).find({}))


@pytest.fixture
def deleted(make_product: Make) -> Callable[..., ProductRow]:
    """A product that was deleted so many days ago."""

    def make(
        days_ago: float, before: Callable[[ProductRow], None] = lambda _: None, **values: Any
    ) -> ProductRow:
        row = make_product(**values)
        before(row)
        ProductService.delete(product_id=str(row["_id"]))
        then = utc_now() - timedelta(days=days_ago)
        collection(Product).update_one({"_id": row["_id"]}, {"$set": {"deleted_at": then}})
        return row

    return make


def test_what_was_deleted_before_goes_and_all_else_stays(deleted: Make, make_product: Make) -> None:
    deleted(31, name="Long gone", sku="A")
    deleted(29, name="Just gone", sku="B")
    make_product(name="For sale")
    make_product(name="Archived", status="archived")
    assert purge() == "1 products removed.\n"
    assert names() == ["Archived", "For sale", "Just gone"]
    assert purge() == "0 products removed.\n"


def test_a_dry_run_counts_and_removes_nothing(deleted: Make) -> None:
    deleted(31)
    assert purge(dry_run=True) == "1 products would be removed.\n"
    assert names() == ["Lamp"]


def test_it_asks_and_without_a_yes_nothing_is_removed(
    deleted: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted(31)
    monkeypatch.setattr("builtins.input", lambda: "n")
    asked = StringIO()
    with pytest.raises(CommandError, match="Nothing was changed"):
        purge(yes=False, stderr=asked)
    assert asked.getvalue() == "Remove 1 products for good? [y/N] "
    assert names() == ["Lamp"]


@pytest.mark.parametrize("days", [-1, 36_501])
def test_days_that_are_none_are_refused(days: int, deleted: Make) -> None:
    deleted(31)
    with pytest.raises(CommandError, match="0 to 36500 days"):
        purge(days)
    assert names() == ["Lamp"]


@pytest.mark.parametrize(
    "change", [{"status": "active"}, {"status": "draft"}, {"description": "kept for the records"}]
)
def test_what_somebody_brings_back_or_changes_meanwhile_stays(
    change: dict[str, Any], deleted: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, other = deleted(40, name="Changed"), deleted(35, name="Other")

    def late(**when: Any) -> list[ProductRow]:
        rows = list(deleted_products(**when))
        write = {"$set": change, "$inc": {"version": 1}}
        collection(Product).update_one({"_id": changed["_id"]}, write)
        return rows

    monkeypatch.setattr("catalog.management.commands.purge_products.deleted_products", late)
    assert purge() == "1 products removed.\n"
    assert names() == ["Changed"]
    assert collection(Product).find_one({"_id": other["_id"]}) is None


@pytest.fixture
def sold(deleted: Make, monkeypatch: pytest.MonkeyPatch) -> ProductRow:
    """A product, deleted long ago, with a movement whose process died before filing it."""
    with monkeypatch.context() as patch:
        patch.setattr(stock, "_filed", lambda row: row)

        def sell_one(row: ProductRow) -> None:
            StockService.move(product_id=str(row["_id"]), delta=-1, reason="sold", by=ObjectId())

        row = deleted(31, before=sell_one)
    assert collection(StockMovement).count_documents({}) == 0
    return row


def movements() -> list[tuple[ObjectId, int, str]]:
    rows = collection(StockMovement).find({})
    return [(row["product_id"], row["delta"], row["reason"]) for row in rows]


def test_a_movement_that_was_never_filed_is_filed_before_its_product_goes(sold: ProductRow) -> None:
    assert purge() == "1 products removed.\n"
    assert movements() == [(sold["_id"], -1, "sold")]
    assert purge() == "0 products removed.\n"


def test_a_product_does_not_go_before_its_movements_are_filed(
    sold: ProductRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(StockService, "file_waiting", lambda product_id: None)
        assert purge() == "0 products removed.\n"
    assert names() == [sold["name"]]
    assert purge() == "1 products removed.\n"
    assert movements() == [(sold["_id"], -1, "sold")]


def test_who_dies_between_filing_and_removing_leaves_both_to_the_next(
    sold: ProductRow, dies_at: DiesAt
) -> None:
    dies_at("stock.filed")
    with pytest.raises(KilledError):
        purge()
    assert names() == [sold["name"]]
    assert purge() == "1 products removed.\n"
    assert movements() == [(sold["_id"], -1, "sold")]


def test_a_product_with_nothing_to_file_takes_one_operation(deleted: Make) -> None:
    deleted(31)
    with recorded() as seen:
        assert purge() == "1 products removed.\n"
    asked = [f"{operation.collection}.{operation.kind}" for operation in seen]
    assert asked == ["products.aggregate", "products.find", "products.delete"]


def test_a_product_that_was_brought_back_is_not_even_found(deleted: Make) -> None:
    row = deleted(31)
    collection(Product).update_one({"_id": row["_id"]}, {"$set": {"status": "active"}})
    assert purge() == "0 products removed.\n"
    assert names() == ["Lamp"]


def test_a_cart_that_still_names_it_shows_the_line_as_unavailable(
    alice: Person, make_product: Make
) -> None:
    lamp, mug = make_product(name="Lamp"), make_product(name="Mug")
    items = [{"product_id": str(row["_id"]), "quantity": 1} for row in (lamp, mug)]
    cart = alice.api.post("/shopping-carts/", {"items": items})["id"]
    ProductService.delete(product_id=str(lamp["_id"]))
    before = alice.api.get(f"/shopping-carts/{cart}").json()
    assert purge(0) == "1 products removed.\n"
    after = alice.api.get(f"/shopping-carts/{cart}").json()
    gone, sound = after["items"]
    assert (gone["product_id"], gone["available"]) == (str(lamp["_id"]), False)
    assert gone["problem"] == before["items"][0]["problem"]
    assert (sound["name"], sound["available"]) == ("Mug", True)
    assert after["subtotal"] == before["subtotal"] == 19.99
