"""`import_products` and `export_products`: products from files and back, without a difference."""

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.documents import Category, CategoryRow, Product, ProductRow
from ecommerce.core.mongo import collection
from tests.commands import run

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
HEADER = "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Value,Variant SKU,"
HEADER += "Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,Image Alt Text\n"


def import_file(path: Path, *options: str) -> str:
    return run("import_products", str(path), *options)


@pytest.fixture
def shopify(tmp_path: Path) -> Callable[[str], Path]:
    def write(rows: str) -> Path:
        path = tmp_path / "products.csv"
        path.write_text(HEADER + rows, encoding="utf-8")
        return path

    return write


def test_a_shopify_row_becomes_a_product(shopify: Callable[[str], Path]) -> None:
    path = shopify(
        'mug,Blue Mug,<b>Big</b><script>x</script>,Eastlight,kitchen,"a, b",true,Default Title,'
        "M-1,7,12.50,,https://img.example/1.jpg,Front\nmug,,,,,,,,,,,,https://img.example/2.jpg,\n"
    )
    assert import_file(path) == "1 created, 0 updated, 0 unchanged, 0 faulty.\n"
    row = collection(Product).find_one({})
    assert row is not None
    assert (row["slug"], row["name"], row["sku"]) == ("mug", "Blue Mug", "M-1")
    assert (row["price_minor"], row["quantity"], row["status"]) == (1250, 7, "active")
    assert (row["brand"], row["category"], row["tags"]) == ("Eastlight", "kitchen", ["a", "b"])
    assert row["description"] == "<b>Big</b>"
    assert row["images"] == [
        {"url": "https://img.example/1.jpg", "alt": "Front"},
        {"url": "https://img.example/2.jpg", "alt": ""},
    ]


def test_lines_of_one_handle_are_the_variants_of_a_product(shopify: Callable[[str], Path]) -> None:
    path = shopify("top,Top,,,,,true,Small,,1,60,80,,\ntop,,,,,,,Medium,T-M,2,70,,,\n")
    assert import_file(path) == (
        "line 2: a variant without SKU gets top-small\n"
        "1 created, 0 updated, 0 unchanged, 0 faulty.\n"
    )
    row = collection(Product).find_one({})
    assert row is not None
    assert (row["price_minor"], row["quantity"], row["skus"]) == (6000, 3, ["top-small", "T-M"])
    small = [{"name": "Option1", "value": "Small"}]
    medium = [{"name": "Option1", "value": "Medium"}]
    assert row["variants"] == [
        {"sku": "top-small", "options": small, "price_minor": 6000,
         "compare_at_price_minor": 8000, "quantity": 1},
        {"sku": "T-M", "options": medium, "price_minor": 7000, "quantity": 2},
    ]  # fmt: skip
    assert "0 created, 0 updated, 1 unchanged" in import_file(path)


def test_what_a_product_cannot_hold_is_named(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("Handle,Title,Variant Price,Variant Barcode\na,A,1,4006381333931\n")
    assert import_file(path).startswith(
        "Not kept, a product has no place for it: Variant Barcode (1).\n"
    )


def test_our_own_name_of_a_member_counts_before_a_foreign_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"name": "A", "title": "B", "stock": 9, "quantity": 2, "price": 1}]')
    assert import_file(path).startswith(
        "Not kept, a product has no place for it: stock (1), title (1).\n"
    )
    row = collection(Product).find_one({})
    assert row is not None
    assert (row["name"], row["quantity"]) == ("A", 2)


def test_what_a_product_cannot_hold_is_named_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    head = "Handle,Title,Option1 Value,Variant SKU,Variant Price,Variant Barcode,"
    path.write_text(f"{head}\na,A,S,A-S,1,,\na,,M,A-M,1,4006381333931,\nb,B,,,1,,x\n")
    assert import_file(path).startswith(
        "Not kept, a product has no place for it: Variant Barcode (1), column 7 (1).\n"
    )


def test_what_a_file_has_no_place_for_stays_as_it_is(tmp_path: Path) -> None:
    first = tmp_path / "first.json"
    first.write_text('[{"name": "A", "price": 1, "sku": "S", "attributes": {"oak": true}}]')
    import_file(first)
    second = tmp_path / "second.json"
    second.write_text('[{"name": "B", "price": 1, "sku": "S"}]')
    assert "1 updated" in import_file(second)
    row = collection(Product).find_one({})
    assert row is not None
    assert (row["name"], row["attributes"]) == ("B", [{"key": "oak", "value": True}])


@pytest.mark.parametrize(("stored", "sent"), [("1", "true"), ("true", "1.0"), ("false", "0")])
def test_an_attribute_of_another_type_is_another_value(
    stored: str, sent: str, tmp_path: Path
) -> None:
    path, row = (
        tmp_path / "a.jsonl",
        '{"name": "A", "price": 1, "sku": "S", "attributes": {"a": %s}}',
    )
    for value, outcome in ((stored, "1 created"), (sent, "1 updated"), (sent, "1 unchanged")):
        path.write_text(row % value)
        assert outcome in import_file(path)
    product = collection(Product).find_one({})
    assert product is not None
    assert json.dumps(product["attributes"]) == f'[{{"key": "a", "value": {sent}}}]'


def test_a_number_is_the_same_however_it_is_written(tmp_path: Path) -> None:
    path, row = (
        tmp_path / "a.jsonl",
        '{"name": "A", "price": 1, "sku": "S", "attributes": {"a": %s}}',
    )
    for value, outcome in (("1", "1 created"), ("1.0", "1 unchanged")):
        path.write_text(row % value)
        assert outcome in import_file(path)


def test_a_category_that_is_missing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "products.json"
    path.write_text('[{"name": "A", "price": 1, "sku": "S", "category": "Home Decoration"}]')
    import_file(path)
    row = collection(Category).find_one({})
    assert row is not None
    assert (row["slug"], row["name"], row["path"]) == (
        "home-decoration", "Home Decoration", ["home-decoration"],
    )  # fmt: skip
    assert collection(Product).count_documents({"category_path": "home-decoration"}) == 1
    assert "1 unchanged" in import_file(path)


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_category_is_named_by_its_slug_its_id_or_its_name(
    options: tuple[str, ...],
    make_category: Callable[..., CategoryRow],
    make_product: Callable[..., ProductRow],
    tmp_path: Path,
) -> None:
    home = make_category("home")
    for sku in "ABC":
        make_product(name="A", price_minor=100, sku=sku, category="home")
    names = {"A": "home", "B": str(home["_id"]).upper(), "C": " Home "}
    path = tmp_path / "products.json"
    rows = [{"name": "A", "price": 1, "sku": sku, "category": name} for sku, name in names.items()]
    path.write_text(json.dumps(rows))
    assert import_file(path, *options).endswith("3 unchanged, 0 faulty.\n")
    assert [row["slug"] for row in collection(Category).find({})] == ["home"]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
@pytest.mark.parametrize("name", ["5f" * 12, "5F" * 12 + "!"])
def test_an_id_of_no_category_makes_none(
    name: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "products.json"
    path.write_text(json.dumps([{"name": "A", "price": 1, "sku": "S", "category": name}]))
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 1 products did not come in"):
        call_command("import_products", str(path), *options, stdout=out)
    assert out.getvalue().splitlines()[0] == (
        "item 1: category: There is no such category: see GET /categories/."
    )
    assert collection(Category).count_documents({}) == 0
    assert collection(Product).count_documents({}) == 0


def test_categories_with_long_names_differ_and_go_out_and_in_again(tmp_path: Path) -> None:
    names = ["Deep " * 30 + end for end in ("lamps", "mugs")]
    path, tree = tmp_path / "products.json", tmp_path / "categories.jsonl"
    rows = [
        {"name": "A", "price": 1, "sku": f"S-{number}", "category": name}
        for number, name in enumerate(names)
    ]
    path.write_text(json.dumps(rows))
    import_file(path)
    assert import_file(path) == "0 created, 0 updated, 2 unchanged, 0 faulty.\n"
    stored = list(collection(Category).find({}))
    assert sorted(row["name"] for row in stored) == names
    assert {len(row["slug"]) for row in stored} == {90}
    call_command("export_categories", str(tree), stdout=StringIO(), stderr=StringIO())
    out = StringIO()
    call_command("import_categories", str(tree), stdout=out)
    assert "2 unchanged" in out.getvalue()


def test_faulty_rows_name_their_lines_and_keep_no_other_out(
    shopify: Callable[[str], Path],
) -> None:
    path = shopify(
        "a,A,,,,,true,,,1,free,,,\n"
        "b,B,,,,,true,,,many,1,,,\n"
        "c,,,,,,true,,,1,1,,,\n"
        "d,D,,,,,true,,,-3,1,,,\n"
    )
    out = StringIO()
    with pytest.raises(CommandError, match="3 of 4 products did not come in") as refused:
        call_command("import_products", str(path), stdout=out)
    assert refused.value.returncode == 1
    assert out.getvalue().splitlines() == [
        "line 2: price: A price is a number such as 19.99, or the same as text.",
        "line 3: quantity: A valid integer is required.",
        "line 4: name: This field is required.",
        "line 5: stock -3 was read as 0",
        "1 created, 0 updated, 0 unchanged, 3 faulty.",
    ]


def test_a_dry_run_writes_nothing(shopify: Callable[[str], Path]) -> None:
    path = shopify("a,A,,,,,true,,,1,1,,,\n")
    assert import_file(path, "--dry-run") == (
        "1 would be created, 0 would be updated, 0 unchanged, 0 faulty.\n"
    )
    assert collection(Product).count_documents({}) == 0


def test_a_product_is_found_again_by_sku_or_else_by_slug(shopify: Callable[[str], Path]) -> None:
    import_file(shopify("a,A,,,,,true,,S-1,1,1,,,\nb,B,,,,,true,,,1,1,,,\n"))
    path = shopify("renamed,A,,,,,true,,S-1,1,1,,,\nb,B,,,,,true,,,1,2,,,\n")
    assert import_file(path) == "0 created, 2 updated, 0 unchanged, 0 faulty.\n"
    assert {row["slug"]: row["price_minor"] for row in collection(Product).find({})} == {
        "renamed": 100,
        "b": 200,
    }


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    "row", ["mug,Mug,,,,,true,,SHARED,1,1,,,", "mug,Mug,,,,,true,S,OWN,1,1,,,"]
)
def test_a_sku_of_a_variant_names_no_product_and_that_of_a_product_no_variant(
    row: str,
    options: tuple[str, ...],
    make_product: Callable[..., ProductRow],
    shopify: Callable[[str], Path],
) -> None:
    shared: dict[str, Any] = {"sku": "SHARED", "options": [], "quantity": 5}
    make_product(name="Victim", variants=[shared, {**shared, "sku": "SH2"}], quantity=10)
    make_product(name="Other", sku="OWN")
    before = list(collection(Product).find({}))
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 1 products did not come in"):
        call_command("import_products", str(shopify(row + "\n")), *options, stdout=out)
    field = "sku" if "SHARED" in row else "variants/0/sku"
    assert out.getvalue().startswith(f"line 2: {field}: Another product has this ")
    assert list(collection(Product).find({})) == before


def test_a_row_whose_sku_is_that_of_a_variant_is_the_product_with_its_slug(
    make_product: Callable[..., ProductRow], shopify: Callable[[str], Path]
) -> None:
    make_product(slug="mug", variants=[{"sku": "M-1", "options": [], "quantity": 5}], quantity=5)
    path = shopify("mug,Mug,,,,,true,Default Title,M-1,7,1,,,\n")
    assert import_file(path) == "0 created, 1 updated, 0 unchanged, 0 faulty.\n"
    row = collection(Product).find_one({})
    assert row is not None
    assert (row["sku"], row["skus"], row["quantity"]) == ("M-1", ["M-1"], 7)
    assert "variants" not in row


def test_a_row_without_a_sku_of_its_own_is_the_product_with_its_first_variant(
    make_product: Callable[..., ProductRow], shopify: Callable[[str], Path]
) -> None:
    variant = {"sku": "M-1", "options": [], "quantity": 5}
    make_product(sku="M", slug="old", variants=[variant], quantity=5)
    assert "1 updated" in import_file(shopify("new,Mug,,,,,true,S,M-1,7,1,,,\n"))
    row = collection(Product).find_one({})
    assert row is not None
    assert (row["slug"], row["sku"], row["quantity"]) == ("new", "M", 7)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("x.json", b"{", "cannot be read"),
        ("x.json", b"5", "holds no list of products"),
        ("x.json", b"[5]", "item 1 is no object"),
        ("x.csv", b"a,b\n1,2\n", "no columns Handle"),
        ("x.csv", b"", "no columns Handle"),
    ],
)
def test_a_file_of_no_known_format_is_refused(
    name: str, content: bytes, fault: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=fault) as refused:
        import_file(tmp_path / name)
    assert refused.value.returncode == 2


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        import_file(tmp_path / "nothing.csv")


def test_old_spreadsheet_bytes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes((HEADER + "a,Café,,,,,true,,,1,1,,,\r\n").encode("cp1252"))
    import_file(path)
    row = collection(Product).find_one({})
    assert row is not None
    assert row["name"] == "Café"


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl"])
def test_export_then_import_changes_nothing(
    name: str,
    make_product: Callable[..., ProductRow],
    make_category: Callable[..., CategoryRow],
    tmp_path: Path,
) -> None:
    make_product()
    make_product(sku="S-1", description="Plain & simple", tags=["x", "y"], quantity=0)
    make_category("lights")
    make_product(slug="lamp", brand="=cmd()", category="lights", status="draft")
    sizes = [
        {"sku": f"V-{size}", "options": [{"name": "size", "value": size}], "quantity": 2, **price}
        for size, price in {"S": {}, "M": {"price_minor": 2500}, "L": {"price_minor": 1999}}.items()
    ]
    attributes = [{"key": "oak", "value": True}, {"key": "weight_g", "value": 1.25}]
    make_product(
        variants=sizes, quantity=6, sku="V", compare_at_price_minor=3000, attributes=attributes
    )
    make_product(status="archived", name="-5", images=[{"url": "https://i.example/1", "alt": "@a"}])
    before = list(collection(Product).find({}))
    call_command("export_products", str(tmp_path / name), stderr=StringIO())
    assert import_file(tmp_path / name) == "0 created, 0 updated, 5 unchanged, 0 faulty.\n"
    assert list(collection(Product).find({})) == before


def test_cells_that_a_spreadsheet_would_run_are_harmless(
    make_product: Callable[..., ProductRow], tmp_path: Path
) -> None:
    make_product(name="=HYPERLINK(1)")
    call_command("export_products", str(tmp_path / "all.csv"), stderr=StringIO())
    assert "'=HYPERLINK(1)" in (tmp_path / "all.csv").read_text()


@pytest.mark.parametrize("tag", ["a\nb", "a\r\nb", "a,b", 'a"b', "a'b", "a\u2028b", "a\x85b", "=1"])
def test_a_tag_stays_whole_in_csv_whatever_it_holds(
    tag: str, make_product: Callable[..., ProductRow], tmp_path: Path
) -> None:
    make_product(tags=["first", tag, "last"])
    call_command("export_products", str(tmp_path / "all.csv"), stderr=StringIO())
    assert "1 unchanged" in import_file(tmp_path / "all.csv")


real = pytest.mark.skipif(not DATA.exists(), reason="the real data sets are not beside the project")


@real
def test_the_real_shopify_file_comes_in_exactly() -> None:
    path = DATA / "shopify-products-apparel.csv"
    assert "20 created, 0 updated, 0 unchanged, 0 faulty." in import_file(path)
    with path.open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["Variant Price"]]
    expected: dict[str, list[tuple[int, int]]] = {}
    for line in lines:
        price, stock = Decimal(line["Variant Price"]), int(line["Variant Inventory Qty"])
        expected.setdefault(line["Handle"], []).append((int(price * 100), stock))
    stored = {
        row["slug"]: [
            (one.get("price_minor", row["price_minor"]), one["quantity"])
            for one in row.get("variants", [row])
        ]
        for row in collection(Product).find({})
    }
    assert stored == expected
    assert "0 created, 0 updated, 20 unchanged, 0 faulty." in import_file(path)


@real
def test_the_real_json_file_comes_in_exactly_and_again_without_a_change(tmp_path: Path) -> None:
    path = DATA / "dummyjson-products.json"
    assert "194 created, 0 updated, 0 unchanged, 0 faulty." in import_file(path)
    items = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    expected = {item["sku"]: (int(item["price"] * 100), item["stock"]) for item in items}
    stored = {r["sku"]: (r["price_minor"], r["quantity"]) for r in collection(Product).find({})}
    assert stored == expected
    assert "0 created, 0 updated, 194 unchanged, 0 faulty." in import_file(path)
    for name in ("all.csv", "all.jsonl"):
        call_command("export_products", str(tmp_path / name), stderr=StringIO())
        assert "194 unchanged" in import_file(tmp_path / name)


@real
def test_both_real_files_stand_side_by_side() -> None:
    for name in ("shopify-products-apparel.csv", "dummyjson-products.json"):
        import_file(DATA / name)
    assert collection(Product).count_documents({}) == 20 + 194
    for name, count in (("shopify-products-apparel.csv", 20), ("dummyjson-products.json", 194)):
        assert f"0 created, 0 updated, {count} unchanged, 0 faulty." in import_file(DATA / name)
