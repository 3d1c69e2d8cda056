"""`GET /products/exports`: the catalog as a file that an import reads back without a difference."""

import csv
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from catalog.documents import CategoryRow, Product, ProductRow
from catalog.importing.jobs import work_on_imports
from demo.seeding import seed_products
from ecommerce.core.mongo import collection
from tests.client import Answer, ApiClient, Person

PATH = "/products/exports"
IMPORTS = "/products/imports"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = {"csv": "text/csv", "jsonl": "application/x-ndjson"}


def imported(person: Person, raw: bytes, kind: str) -> Any:
    """The job of this file, when it is over."""
    job = person.api.send("POST", IMPORTS, raw=raw, content_type=kind)
    work_on_imports(Event())
    return person.api.get(f"{IMPORTS}/{job['id']}").json()


def counts(job: Any) -> tuple[int, ...]:
    """Created, updated, unchanged, failed."""
    return tuple(job[name] for name in ("created", "updated", "unchanged", "failed"))


def exported(person: Person, query: str = "") -> Answer:
    answer = person.api.get(f"{PATH}{query}")
    assert answer.status == 200
    return answer


@pytest.fixture
def all_kinds(
    make_product: Callable[..., ProductRow], make_category: Callable[..., CategoryRow]
) -> list[dict[str, Any]]:
    """Products that use every field, and what files make difficult."""
    lamp = make_product()
    make_category("lights")
    make_product(sku="S-1", description="5 < 6", tags=["x, y", 'a "b"', "'c"], quantity=0)
    make_product(slug="lamp", brand="=cmd()", category="lights", status="draft")
    make_product(name="line\r\nbreak", sku="@x", related_ids=[lamp["_id"]], description="+1")
    sizes = [
        {"sku": f"V-{size}", "options": [{"name": "size", "value": size}], "quantity": 2, **price}
        for size, price in {"S": {}, "M": {"price_minor": 2500}, "L": {"price_minor": 1999}}.items()
    ]
    attributes = [{"key": "oak", "value": True}, {"key": "weight_g", "value": 1.25}]
    make_product(
        variants=sizes, quantity=6, sku="V", compare_at_price_minor=3000, attributes=attributes
    )
    make_product(status="archived", name="-5", images=[{"url": "https://i.example/1", "alt": "@a"}])
    odd: list[list[dict[str, Any]]] = [
        [{"sku": "O-1", "options": [], "quantity": 1}],
        [{"sku": "O-2", "options": [{"name": "Title", "value": "Default Title"}], "quantity": 1}],
        [
            {"sku": "O-3", "options": [{"name": "size", "value": "S"}], "quantity": 1},
            {"sku": "O-4", "options": [{"name": "colour", "value": "red"}], "quantity": 1},
            {"sku": "O-5", "options": [], "quantity": 1},
        ],
    ]
    for variants in odd:
        make_product(variants=variants, quantity=len(variants))
    return list(collection(Product).find({}))


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_export_then_import_changes_no_field(
    name: str, kind: str, all_kinds: list[dict[str, Any]], sam: Person
) -> None:
    answer = exported(sam, f"?format={name}")
    assert counts(imported(sam, answer.body, kind)) == (0, 0, len(all_kinds), 0)
    assert list(collection(Product).find({})) == all_kinds


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_an_export_fills_an_empty_shop_with_the_same_products(
    name: str, kind: str, all_kinds: list[dict[str, Any]], sam: Person
) -> None:
    def sold() -> list[Any]:
        rows = collection(Product).find({}).sort([("_id", 1)])
        return [
            (r["name"], r["price_minor"], r["quantity"], r.get("skus"), r["tags"]) for r in rows
        ]

    before, answer = sold(), exported(sam, f"?format={name}")
    collection(Product).delete_many({})
    assert counts(imported(sam, answer.body, kind)) == (len(all_kinds), 0, 0, 0)
    assert sold() == before


def test_the_file_has_a_name_and_a_type(lamp: ProductRow, sam: Person) -> None:
    as_csv = exported(sam)
    assert as_csv.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert as_csv.headers["Content-Disposition"].startswith('attachment; filename="products-2')
    assert as_csv.headers["Content-Disposition"].endswith('.csv"')
    assert as_csv.headers["Cache-Control"] == "private, no-store"
    as_lines = exported(sam, "?format=jsonl")
    assert as_lines.headers["Content-Type"] == "application/x-ndjson"
    assert as_lines.headers["Content-Disposition"].endswith('.jsonl"')
    assert json.loads(as_lines.body)["id"] == str(lamp["_id"])


@pytest.mark.parametrize("accept", ["text/csv", "application/x-ndjson", "*/*", "text/html"])
def test_clients_may_ask_for_the_media_type_of_a_file(
    accept: str, lamp: ProductRow, sam: Person
) -> None:
    answer = sam.api.get(PATH, Accept=accept)
    assert (answer.status, answer.response.streaming) == (200, True)


def test_a_shop_without_products_gives_the_columns_alone(sam: Person) -> None:
    assert exported(sam).body.decode().count("\r\n") == 1
    assert exported(sam, "?format=jsonl").body == b""
    assert counts(imported(sam, exported(sam).body, "text/csv")) == (0, 0, 0, 0)


def test_the_filters_of_the_list_narrow_it(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    make_product(name="Cheap", price_minor=100, brand="A")
    make_product(name="Dear", price_minor=900, brand="A", status="draft")
    make_product(name="Other", price_minor=900, brand="B")

    def names(query: str) -> list[str]:
        lines = StringIO(exported(sam, query).body.decode(), newline="")
        return [row["Title"] for row in csv.DictReader(lines)]

    assert names("") == ["Cheap", "Dear", "Other"]
    assert names("?brand=A") == ["Cheap", "Dear"]
    assert names("?brand=A&min_price=2") == ["Dear"]
    assert names("?status=active&q=othe") == ["Other"]


def test_cells_that_a_spreadsheet_would_run_are_harmless(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    make_product(name="=HYPERLINK(1)", brand="@SUM(1)", tags=["+1"], description="-1")
    cells = [cell for row in csv.reader(exported(sam).body.decode().splitlines()) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    assert "'=HYPERLINK(1)" in cells


def test_it_is_sent_in_blocks_while_it_is_read(sam: Person) -> None:
    seed_products(1200, seed=1)
    answer = sam.api._client.get(PATH, headers={"Authorization": f"Bearer {sam.api.token}"})
    blocks = [len(block) for block in answer.streaming_content]  # type: ignore[attr-defined]
    assert len(blocks) == 4
    assert max(blocks) < 80_000


def test_a_product_that_is_added_meanwhile_repeats_no_other(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    seed_products(1200, seed=1)
    answer = sam.api._client.get(
        f"{PATH}?format=jsonl", headers={"Authorization": f"Bearer {sam.api.token}"}
    )
    stream = iter(answer.streaming_content)  # type: ignore[attr-defined]
    text = next(stream)
    added = make_product()
    text += b"".join(stream)
    ids = [json.loads(line)["id"] for line in text.splitlines()]
    assert len(set(ids)) == len(ids)
    assert set(ids) - {str(added["_id"])} == {
        str(row["_id"]) for row in collection(Product).find({}, {"_id": 1})
    } - {str(added["_id"])}


def test_customers_and_strangers_may_not(
    lamp: ProductRow, alice: Person, anyone: ApiClient
) -> None:
    assert alice.api.get(PATH).outcome == (403, "permission_denied")
    assert anyone.get(PATH, Accept="text/csv").outcome == (401, "not_authenticated")


@pytest.mark.parametrize("query", ["?format=xlsx", "?format=", "?limit=5", "?min_price=x"])
def test_a_bad_query_is_a_problem(query: str, sam: Person) -> None:
    answer = sam.api.get(f"{PATH}{query}", Accept="text/csv")
    assert answer.outcome == (400, "validation_error")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_ten_thousand_products_go_out_and_in_without_a_change(
    name: str, kind: str, sam: Person
) -> None:
    seed_products(10_000, seed=1)
    before = list(collection(Product).find({}))
    job = imported(sam, exported(sam, f"?format={name}").body, kind)
    assert counts(job) == (0, 0, 10_000, 0)
    assert list(collection(Product).find({})) == before


@pytest.mark.skipif(not DATA.exists(), reason="the real data sets are not beside the project")
@pytest.mark.parametrize(
    ("file", "kind", "count"),
    [
        ("shopify-products-apparel.csv", "text/csv", 20),
        ("dummyjson-products.json", "application/json", 194),
    ],
)
def test_real_products_come_in_go_out_and_come_in_without_a_change(
    file: str, kind: str, count: int, sam: Person
) -> None:
    first = imported(sam, (DATA / file).read_bytes(), kind)
    assert (counts(first), first["not_kept"]) == ((count, 0, 0, 0), first["not_kept"])
    before = list(collection(Product).find({}))
    for name, media in FILES.items():
        job = imported(sam, exported(sam, f"?format={name}").body, media)
        assert counts(job) == (0, 0, count, 0)
        assert list(collection(Product).find({})) == before
