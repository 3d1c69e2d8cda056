"""`/products/imports`: files of products come in as jobs, row by row, each row once."""

import json
from collections.abc import Callable
from threading import Event

import pytest

from catalog.documents import ImportChunk, Product, ProductRow
from catalog.importing.jobs import work_on_imports
from ecommerce.core.mongo import collection
from tests.catalog.import_files import (
    AB,
    HEADER,
    PATH,
    counts,
    done,
    form,
    lines,
    names,
    rows,
    send,
)
from tests.client import ApiClient, Person

# --- what comes in ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "raw"),
    [
        ("text/csv", "csv", lines("A", "B")),
        ("text/csv; charset=utf-8", "csv", b"\xef\xbb\xbf" + lines("A", "B")),
        ("application/json", "json", b'[{"name":"A","price":5},{"name":"B","price":"5.00"}]'),
        ("application/json", "json", b'{"products":[' + AB + b"]}"),
        ("application/json", "json", b'{"n":2,"products":[' + AB + b"]}"),
        ("application/x-ndjson", "jsonl", b'{"name":"A","price":5}\n\n{"name":"B","price":5}\n'),
        ("application/jsonl", "jsonl", b'{"name":"A","price":5}\n{"name":"B","price":5}'),
    ],
)  # fmt: skip
def test_a_file_is_accepted_at_once_and_comes_in_afterwards(
    kind: str, name: str, raw: bytes, sam: Person
) -> None:
    accepted = send(sam, raw, kind)
    assert accepted.status == 202
    assert accepted.headers["Location"] == f"http://testserver{PATH}/{accepted['id']}"
    assert (accepted["state"], accepted["total"], accepted["done"]) == ("queued", None, 0)
    assert (accepted["format"], accepted["size"], accepted["by"]) == (name, len(raw), sam.id)
    assert names() == []
    job = done(sam, accepted)
    assert (job["state"], job["total"], job["done"], job["fault"]) == ("done", 2, 2, None)
    assert counts(job) == (2, 0, 0, 0)
    assert job["finished_at"] is not None
    assert names() == ["A", "B"]
    assert collection(ImportChunk).count_documents({}) == 0


@pytest.mark.parametrize("name", ["shop.csv", "SHOP.CSV", "shop.json", "shop.jsonl", "shop.ndjson"])
def test_a_file_may_be_part_of_a_form_and_its_name_tells_its_format(name: str, sam: Person) -> None:
    raw = lines("A") if name.lower().endswith("csv") else b'{"name": "A", "price": 5}'
    job = done(sam, send(sam, *form(("file", name, raw))))
    assert counts(job) == (1, 0, 0, 0)
    assert names() == ["A"]


def test_a_file_of_many_pieces_comes_in_whole(sam: Person) -> None:
    text = "x" * 1000
    raw = b"".join(
        json.dumps({"name": f"N{n}", "price": 1, "sku": f"S{n}", "description": text}).encode()
        + b"\n"
        for n in range(700)
    )
    accepted = send(sam, *form(("file", "a.jsonl", raw)))
    pieces = collection(ImportChunk).find({}).sort([("number", 1)])
    sizes = [len(piece["data"]) for piece in pieces]
    assert sizes == [262_144, 262_144, len(raw) - 2 * 262_144]
    assert counts(done(sam, accepted)) == (700, 0, 0, 0)


def test_a_row_says_what_became_of_it(make_product: Callable[..., ProductRow], sam: Person) -> None:
    old = make_product(sku="OLD", name="OLD", price_minor=100)
    same = make_product(sku="SAME", name="SAME", price_minor=500, quantity=1, slug="same")
    job = done(sam, send(sam, lines("NEW", "OLD", "SAME")))
    new = collection(Product).find_one({"sku": "NEW"})
    assert new is not None
    members = ("number", "line", "outcome", "product_id")
    assert [tuple(row[name] for name in members) for row in rows(sam, job)] == [
        (1, 2, "created", str(new["_id"])),
        (2, 3, "updated", str(old["_id"])),
        (3, 4, "unchanged", str(same["_id"])),
    ]
    assert counts(job) == (1, 1, 1, 0)
    assert [row["line"] for row in rows(sam, job, "?outcome=updated")] == [3]


def test_the_last_row_of_a_file_is_the_newest_product(sam: Person, anyone: ApiClient) -> None:
    done(sam, send(sam, lines("A", "B", "C")))
    assert [item["name"] for item in anyone.get("/products/")["items"]] == ["C", "B", "A"]


def test_row_results_come_in_pages(sam: Person) -> None:
    job = done(sam, send(sam, lines("A", "B", "C")))
    page = sam.api.get(f"{PATH}/{job['id']}/rows?limit=2&count=true")
    assert ([row["number"] for row in page["items"]], page["count"]) == ([1, 2], 3)
    rest = sam.api.get(page["next"].removeprefix("http://testserver"))
    assert ([row["number"] for row in rest["items"]], rest["next"]) == ([3], None)


def test_imports_are_listed_newest_first(sam: Person) -> None:
    ids = [send(sam, lines("A"))["id"] for _ in range(3)]
    assert [job["id"] for job in sam.api.get(f"{PATH}/")["items"]] == ids[::-1]


def test_an_import_that_has_not_changed_is_a_304(sam: Person) -> None:
    path = f"{PATH}/{send(sam, lines('A'))['id']}"
    tag = sam.api.get(path).headers["ETag"]
    assert sam.api.get(path, If_None_Match=tag).status == 304
    work_on_imports(Event())
    assert sam.api.get(path, If_None_Match=tag).status == 200


def test_markup_is_sanitised_in_every_format(sam: Person) -> None:
    bad = '<b onclick="x()">Big</b><script>x</script>'
    item = json.dumps([{"name": "A", "price": 1, "description": bad}]).encode()
    done(sam, send(sam, item, "application/json"))
    cell = bad.replace('"', '""')
    done(sam, send(sam, f'Handle,Title,Body (HTML),Variant Price\nb,B,"{cell}",1\n'.encode()))
    assert [row["description"] for row in collection(Product).find({})] == ["<b>Big</b>"] * 2


# --- dry run ----------------------------------------------------------------------------------


def test_a_dry_run_reports_every_row_and_writes_nothing(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    make_product(sku="OLD", name="OLD", slug="taken")
    before = list(collection(Product).find({}))
    raw = lines("NEW", "OLD") + b"taken,X,X-1,1,1\n" + b"d,D,D-1,1,free\n"
    raw += b"taken,Y,,1,1\n"
    job = done(sam, send(sam, raw, query="?dry_run=true"))
    assert job["dry_run"] is True
    assert [row["outcome"] for row in rows(sam, job)] == [
        "created", "updated", "updated", "failed", "updated",
    ]  # fmt: skip
    assert list(collection(Product).find({})) == before


def test_a_sku_that_a_variant_of_the_product_has_is_refused_dry_or_not(
    sam: Person, make_product: Callable[..., ProductRow]
) -> None:
    make_product(sku="V", slug="shirt", variants=[{"sku": "V-1", "options": [], "quantity": 10}])
    before = list(collection(Product).find({}))
    raw = b'{"name": "Shirt", "price": 5, "slug": "shirt", "sku": "V-1"}\n'
    for query in ("?dry_run=true", ""):
        job = done(sam, send(sam, raw, "application/jsonl", query))
        assert counts(job) == (0, 0, 0, 1)
        (fault,) = rows(sam, job)[0]["errors"]
        assert (fault["pointer"], fault["code"]) == ("/sku", "repeated_sku")
    assert list(collection(Product).find({})) == before


def test_a_dry_run_finds_what_another_product_has_already(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    make_product(sku="A", slug="a")
    make_product(sku="B", slug="b")
    raw = HEADER + b"b,A,A,1,1\n"
    for query in ("?dry_run=true", ""):
        job = done(sam, send(sam, raw, query=query))
        (row,) = rows(sam, job)
        assert (row["outcome"], [e["pointer"] for e in row["errors"]]) == ("failed", ["/slug"])
    assert {row["slug"] for row in collection(Product).find({"sku": "A"})} == {"a"}
