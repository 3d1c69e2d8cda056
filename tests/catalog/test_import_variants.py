"""Variants from files: their stock is the product's, and what a file does not say of them stays."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
from bson import ObjectId
from django.core.management import call_command

from catalog.documents import Product, ProductRow
from catalog.importing import RowImporter, file_source, read_rows
from catalog.services import ProductService, StockService
from ecommerce.core.mongo import collection

Make = Callable[..., ProductRow]
Bring = Callable[..., list[str]]
OPTIONS: Final = [{"name": "Size", "value": "S"}]


@pytest.fixture
def bring(tmp_path: Path) -> Bring:
    """What becomes of each row of a file: its outcome, or its faults."""

    def bring_in(name: str, content: str, *, dry_run: bool = False) -> list[str]:
        (tmp_path / name).write_text(content, encoding="utf-8")
        importer = RowImporter(dry_run=dry_run)
        results = map(importer.bring_in, read_rows(file_source(tmp_path / name)))
        return [
            "; ".join(f"{fault.pointer}: {fault.detail}" for fault in result.faults)
            or str(result.outcome)
            for result in results
        ]

    return bring_in


def line(*variants: Any, **members: Any) -> str:
    """A product of a JSON Lines file."""
    body = {"name": "Lamp", "price": 19.99, "sku": "P1", **members, "variants": variants}
    return json.dumps(body) + "\n"


def variant(sku: str, quantity: int, **values: Any) -> dict[str, Any]:
    """A variant as it is stored."""
    return {"sku": sku, "options": OPTIONS, "quantity": quantity, **values}


def stock(sku: str = "P1") -> tuple[int, bool, dict[str, int]]:
    """Pieces of the product, whether it is in stock, pieces of each variant."""
    row = collection(Product).find_one({"skus": sku})
    assert row is not None
    pieces = {one["sku"]: one["quantity"] for one in row.get("variants", ())}
    return row["quantity"], row["in_stock"], pieces


# --- the stock of a product is that of its variants ----------------------------------------------


def test_variants_that_are_sold_out_take_the_product_out_of_stock(
    make_product: Make, bring: Bring
) -> None:
    make_product(sku="P1", quantity=10)
    rows = line({"sku": "V1", "quantity": 0}, {"sku": "V2", "quantity": 0})
    assert bring("rows.jsonl", rows) == ["updated"]
    assert stock() == (0, False, {"V1": 0, "V2": 0})


def test_the_quantity_of_a_product_is_the_sum_of_the_variants_that_came_in(
    make_product: Make, bring: Bring
) -> None:
    make_product(sku="P1", quantity=2, variants=[variant("V1", 1), variant("V2", 1)])
    assert bring("rows.jsonl", line({"sku": "V1", "quantity": 20})) == ["updated"]
    assert stock() == (20, True, {"V1": 20})


def test_a_product_that_loses_its_variants_keeps_its_pieces(
    make_product: Make, bring: Bring
) -> None:
    make_product(sku="P1", quantity=2, variants=[variant("V1", 2)])
    assert bring("rows.jsonl", line()) == ["updated"]
    assert stock() == (2, True, {})


# --- what a file has no place for ----------------------------------------------------------------

WITHOUT_STOCK: Final = (
    "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Compare At Price\n"
)


def test_a_csv_without_a_column_for_stock_leaves_the_stock_of_variants(
    make_product: Make, bring: Bring
) -> None:
    make_product(slug="lamp", quantity=7, variants=[variant("V1", 3), variant("V2", 4)])
    rows = WITHOUT_STOCK + "lamp,Desk lamp,Size,S,V1,20,\nlamp,,,M,V2,20,\nlamp,,,L,V3,20,\n"
    assert bring("rows.csv", rows) == ["updated"]
    assert stock("V1") == (7, True, {"V1": 3, "V2": 4, "V3": 0})


@pytest.mark.parametrize("status", ["draft", "active", "archived"])
def test_a_csv_of_prices_alone_leaves_stock_and_status(
    status: str, make_product: Make, bring: Bring
) -> None:
    make_product(slug="lamp", quantity=7, status=status)
    assert bring("rows.csv", "Handle,Title,Variant Price\nlamp,Lamp,25\n") == ["updated"]
    row = collection(Product).find_one({})
    assert row is not None
    assert (row["price_minor"], row["quantity"], row["status"]) == (2500, 7, status)


def test_a_csv_of_prices_alone_leaves_the_variants_and_their_stock(
    make_product: Make, bring: Bring
) -> None:
    make_product(slug="lamp", quantity=3, variants=[variant("V1", 3)])
    assert bring("rows.csv", "Handle,Title,Variant Price\nlamp,Lamp,25\n") == ["updated"]
    assert stock("V1") == (3, True, {"V1": 3})


def test_what_a_csv_of_prices_alone_adds_is_for_sale_and_sold_out(bring: Bring) -> None:
    assert bring("rows.csv", "Handle,Title,Variant Price\nlamp,Lamp,25\n") == ["created"]
    row = collection(Product).find_one({})
    assert row is not None
    assert (row["quantity"], row["in_stock"], row["status"]) == (0, False, "active")


def test_a_csv_without_a_column_for_the_status_goes_by_what_is_published(
    make_product: Make, bring: Bring
) -> None:
    make_product(slug="lamp", quantity=7, status="archived")
    head = "Handle,Title,Variant Price,Published"
    assert bring("rows.csv", f"{head}\nlamp,Lamp,19.99,false\n") == ["updated"]
    row = collection(Product).find_one({})
    assert row is not None
    assert (row["quantity"], row["status"]) == (7, "draft")


@pytest.mark.parametrize("cell", ["1_000", "\u0665", "1,000", "1.5", "9" * 5000])
def test_stock_that_is_no_whole_number_is_a_fault(cell: str, bring: Bring) -> None:
    head = "Handle,Title,Variant Inventory Qty,Variant Price"
    assert bring("rows.csv", f'{head}\nlamp,Lamp,"{cell}",20\nmug,Mug, 7 ,5\n') == [
        "/quantity: A valid integer is required.",
        "created",
    ]


def test_two_options_of_one_name_are_a_fault(bring: Bring) -> None:
    head = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant Price"
    assert bring("rows.csv", f"{head}\nlamp,Lamp,Size,S,Size,Wide,20\nlamp,,,M,,Wide,20\n") == [
        "/variants: Two options have the name Size: give each one of its own."
    ]


def test_an_empty_cell_for_stock_is_no_stock(make_product: Make, bring: Bring) -> None:
    make_product(slug="lamp", quantity=3, variants=[variant("V1", 3)])
    head = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price"
    assert bring("rows.csv", f"{head}\nlamp,Lamp,Size,S,V1,,20\n") == ["updated"]
    assert stock("V1") == (0, False, {"V1": 0})


def test_what_a_variant_of_a_file_does_not_say_stays(make_product: Make, bring: Bring) -> None:
    stored = variant("V1", 3, price_minor=2500, compare_at_price_minor=3000)
    make_product(sku="P1", quantity=3, variants=[stored])
    assert bring("rows.jsonl", line({"sku": "V1"}, name="Desk lamp")) == ["updated"]
    row = collection(Product).find_one({})
    assert row is not None
    assert (row["name"], row["quantity"], row["variants"]) == ("Desk lamp", 3, [stored])


def test_a_column_without_a_value_takes_a_price_away_and_a_missing_column_does_not(
    make_product: Make, bring: Bring
) -> None:
    stored = variant("V1", 3, price_minor=2000, compare_at_price_minor=3000)
    make_product(slug="lamp", quantity=3, variants=[stored], price_minor=2000)
    head = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price"
    assert bring("rows.csv", f"{head}\nlamp,Lamp,Size,S,V1,20\n") == ["unchanged"]
    assert bring("rows.csv", f"{WITHOUT_STOCK}lamp,Lamp,Size,S,V1,20,\n") == ["updated"]
    row = collection(Product).find_one({})
    assert row is not None
    assert row["variants"] == [variant("V1", 3, price_minor=2000)]


def test_stock_that_stays_and_stock_that_comes_are_not_more_than_a_product_can_have(
    make_product: Make, bring: Bring
) -> None:
    make_product(sku="P1", quantity=1_000_000_000, variants=[variant("V1", 1_000_000_000)])
    before = list(collection(Product).find({}))
    [fault] = bring("rows.jsonl", line({"sku": "V1"}, {"sku": "V2", "quantity": 1_000_000_000}))
    assert fault.startswith("/variants: The quantities of the variants sum up to more than")
    assert list(collection(Product).find({})) == before


def test_what_is_sold_while_a_row_comes_in_stays_sold(
    make_product: Make, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_product(sku="P1", quantity=7, variants=[variant("V1", 3), variant("V2", 4)])
    update, sales = ProductService.update, ["V1", "V2"]

    def late(**arguments: Any) -> Any:
        if sales:
            StockService.move(
                product_id=str(product["_id"]), delta=-2, sku=sales.pop(), reason="sale",
                by=ObjectId(),
            )  # fmt: skip
        return update(**arguments)

    monkeypatch.setattr(ProductService, "update", late)
    assert bring("rows.jsonl", line({"sku": "V1"}, {"sku": "V2"}, name="New")) == ["updated"]
    assert stock() == (3, True, {"V1": 1, "V2": 2})


# --- a variant without a price of its own has the product's --------------------------------------


def exported(name: str, tmp_path: Path) -> str:
    """What the shop gives out."""
    path = tmp_path / name
    call_command("export_products", str(path), stderr=StringIO())
    return path.read_text(encoding="utf-8")


def prices() -> dict[str, int | None]:
    row = collection(Product).find_one({})
    assert row is not None
    return {one["sku"]: one.get("price_minor") for one in row["variants"]}


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("name", ["all.csv", "all.jsonl"])
def test_an_edited_export_gives_no_variant_a_price_of_its_own(
    name: str, dry_run: bool, make_product: Make, bring: Bring, tmp_path: Path
) -> None:
    own = {"price_minor": 1999}
    make_product(quantity=6, variants=[variant("V1", 1), variant("V2", 2, **own), variant("V3", 3)])
    file = exported(name, tmp_path).replace("Lamp", "Desk lamp")
    assert bring(name, file, dry_run=dry_run) == ["updated"]
    assert prices() == {"V1": None, "V2": 1999, "V3": None}


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl"])
def test_in_another_shop_variants_that_cost_what_the_product_costs_follow_its_price(
    name: str, make_product: Make, bring: Bring, tmp_path: Path
) -> None:
    dear = variant("V2", 2, price_minor=2500)
    make_product(quantity=3, variants=[variant("V1", 1), dear])
    file = exported(name, tmp_path)
    collection(Product).delete_many({})
    assert bring(name, file) == ["created"]
    assert prices() == {"V1": None, "V2": 2500}


def test_a_variant_that_gets_another_price_than_the_product_has_its_own(
    make_product: Make, bring: Bring
) -> None:
    make_product(sku="P1", quantity=3, variants=[variant("V1", 1), variant("V2", 2)])
    rows = line({"sku": "V1", "price": 19.99}, {"sku": "V2", "price": 25})
    assert bring("rows.jsonl", rows) == ["updated"]
    assert prices() == {"V1": None, "V2": 2500}


def test_a_product_that_a_csv_gives_no_price_costs_what_its_first_variant_does(
    make_product: Make, bring: Bring
) -> None:
    make_product(slug="lamp", quantity=3, variants=[variant("V1", 1), variant("V2", 2)])
    rows = WITHOUT_STOCK + "lamp,Lamp,Size,S,V1,21,\nlamp,,,M,V2,25,\nlamp,,,L,V3,21,\n"
    assert bring("rows.csv", rows) == ["updated"]
    assert prices() == {"V1": None, "V2": 2500, "V3": 2100}, "a new one has the price it came with"
