"""`/products/imports`: files of products come in as jobs, row by row, each row once."""

import errno
import json
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from itertools import count
from threading import Event
from typing import Any

import bson
import pytest
from bson import ObjectId
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from catalog.documents import (
    ImportChunk,
    ImportJob,
    ImportResult,
    Product,
    ProductRow,
)
from catalog.documents.imports import CHUNK_BYTES
from catalog.errors import EmptyFileError
from catalog.importing.jobs import run_next, work_on_imports
from catalog.services import ImportJobService
from catalog.services.imports import LEASE, LeaseLostError
from ecommerce.core.idempotency import KeyReusedError, Operation
from ecommerce.core.mongo import collection, utc_now
from tests.client import Answer, ApiClient, Person

PATH = "/products/imports"
HEADER = b"Handle,Title,Variant SKU,Variant Inventory Qty,Variant Price\n"
AB = b'{"name":"A","price":5},{"name":"B","price":5}'
FOREVER: Callable[[], bool] = lambda: False  # noqa: E731


def send(person: Person, raw: bytes, kind: str = "text/csv", query: str = "") -> Answer:
    return person.api.send("POST", PATH + query, raw=raw, content_type=kind)


def form(*files: tuple[str, str, bytes]) -> tuple[bytes, str]:
    """A multipart body of (field, file name, content), and its content type."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
        .encode() + content + b"\r\n"
        for field, name, content in files
    ]  # fmt: skip
    return b"".join(parts) + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def done(person: Person, accepted: Answer) -> Any:
    """The job of this answer, after everything that waits has been worked on."""
    assert accepted.status == 202, accepted.body
    work_on_imports(Event())
    return person.api.get(f"{PATH}/{accepted['id']}").json()


def counts(job: Any) -> tuple[int, ...]:
    """Created, updated, unchanged, failed."""
    return tuple(job[name] for name in ("created", "updated", "unchanged", "failed"))


def rows(person: Person, job: Any, query: str = "") -> list[Any]:
    found: list[Any] = person.api.get(f"{PATH}/{job['id']}/rows{query}")["items"]
    return found


def names() -> list[str]:
    return sorted(row["name"] for row in collection(Product).find({}))


def lines(*skus: str, price: str = "5") -> bytes:
    return HEADER + b"".join(f"{sku.lower()},{sku},{sku},1,{price}\n".encode() for sku in skus)


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


# --- faulty rows ------------------------------------------------------------------------------


def test_faulty_rows_say_where_and_why_and_keep_no_other_out(sam: Person) -> None:
    raw = HEADER + b'a,"two\nlines",A,1,5\nb,B,B,1,free\nc,,C,1,1\nd,D,D,-3,1\n'
    job = done(sam, send(sam, raw))
    assert (job["state"], counts(job)) == ("done", (2, 0, 0, 2))
    assert [(row["line"], row["errors"]) for row in rows(sam, job, "?outcome=failed")] == [
        (4, [{"pointer": "/price", "code": "invalid",
              "detail": "A price is a number such as 19.99, or the same as text."}]),
        (5, [{"pointer": "/name", "code": "required", "detail": "This field is required."}]),
    ]  # fmt: skip
    assert rows(sam, job)[3]["warnings"] == ["stock -3 was read as 0"]


@pytest.mark.parametrize(
    ("line", "pointer", "code"),
    [
        (b"{", "", "malformed_json"),
        (b'{"name": NaN}', "", "malformed_json"),
        (b"5", "", "invalid"),
        (b'{"name": "A", "name": "B", "price": 1}', "", "duplicate_key"),
        (b'{"name": "a\\u0000b", "price": 1}', "/name", "nul_character"),
        (b'{"name": "\\ud800", "price": 1}', "/name", "invalid_unicode"),
        (b'{"name": "\xff", "price": 1}', "", "invalid_utf8"),
        (b"[" * 100_000, "", "too_deep"),
        (
            b'{"name": "A", "price": 1, "quantity": 9223372036854775808}',
            "/quantity",
            "integer_out_of_range",
        ),
        (b'{"name": "' + b"x" * 1024 * 1024 + b'"}', "", "line_too_long"),
        (b'{"name": "A", "price": 1, "images": [5]}', "/images/0", "invalid"),
        (b'{"name": "A", "price": 1, "status": "deleted"}', "/status", "invalid_choice"),
    ],
)
def test_a_hostile_line_is_a_fault_of_its_own(
    line: bytes, pointer: str, code: str, sam: Person
) -> None:
    raw = line + b'\n{"name": "Good", "price": 1}\n'
    job = done(sam, send(sam, *form(("file", "a.jsonl", raw))))
    assert counts(job) == (1, 0, 0, 1)
    (row,) = rows(sam, job, "?outcome=failed")
    assert (row["line"], row["errors"][0]["pointer"], row["errors"][0]["code"]) == (
        1,
        pointer,
        code,
    )
    assert names() == ["Good"]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (b'{"name": "a\\u0000b", "price": 1}', "nul_character"),
        (b'{"a": ' * 33 + b"1" + b"}" * 33, "too_deep"),
        (b'{"a": ' * 5_000 + b"1" + b"}" * 5_000, "too_deep"),
        (b'{"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "too_deep"),
        (b'{"name": "A", "price": 1e400}', "amount"),
    ],
)
def test_a_hostile_item_is_a_fault_of_its_own(item: bytes, code: str, sam: Person) -> None:
    raw = b"[" + item + b', {"name": "Good", "price": 1}]'
    job = done(sam, send(sam, raw, "application/json"))
    assert counts(job) == (1, 0, 0, 1)
    assert [e["code"] for e in rows(sam, job)[0]["errors"]] == [code]


WIDE = ",".join(f"c{number}" for number in range(20_000)).encode()


@pytest.mark.parametrize(
    ("kind", "raw", "state"),
    [
        ("application/json", b"[" * 5_000, "failed"),
        ("application/json", b'{"products": [' + b'{"a": ' * 5_000, "failed"),
        ("application/json", (b'{"' + b"k" * 100_000 + b'": ') * 9 + b"1" + b"}" * 9, "failed"),
        ("application/json", b'[{"images": [' + b"5," * 100_000 + b"5]}]", "done"),
        ("application/json", b'[{"a": ' + b'{"a": ' * 31 + b"1" + b"}" * 31 + b"}]", "done"),
        ("text/csv", HEADER[:-1] + b"," + WIDE + b"\n" + b"a,A,A,1,1\n" * 400, "failed"),
    ],
    ids=["lists", "objects", "long names", "a long list", "as deep as may be", "many columns"],
)
def test_a_small_file_takes_little_memory_however_it_is_made(
    kind: str, raw: bytes, state: str, sam: Person
) -> None:
    accepted = send(sam, raw, kind)
    tracemalloc.start()
    try:
        job = done(sam, accepted)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert job["state"] == state


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("application/jsonl", b"{" + b",".join(b'"%x": 1' % n for n in range(2000)) + b"}"),
        ("application/json", b'[{"name": "A", "price": 1, "status": "' + b"x" * 200_000 + b'"}]'),
        ("text/csv", b"Handle,Variant Price," + b"n" * 100_000 + b"\na,1,x\n"),
        ("text/csv", b"Handle,Title,Variant Price,Option1 Value\n" + b"".join(
            b"h" * 10_000 + b",T,1,%d\n" % n for n in range(300))),
    ],
    ids=["unknown members", "a long value", "a long column", "long warnings"],
)  # fmt: skip
def test_whatever_a_row_says_its_result_is_small(kind: str, raw: bytes, sam: Person) -> None:
    job = done(sam, send(sam, *form(("file", f"a.{kind.split('/')[1]}", raw))))
    assert (job["state"], job["total"]) == ("done", 1)
    (stored,) = collection(ImportResult).find({})
    assert len(bson.encode(stored)) < 150_000
    assert len(json.dumps(job)) < 50_000


def test_a_product_of_too_many_lines_is_a_fault(sam: Person) -> None:
    job = done(sam, send(sam, HEADER + b"a,A,A,1,1\n" * 600 + b"b,B,B,1,1\n"))
    assert [(row["line"], row["outcome"]) for row in rows(sam, job)] == [
        (2, "failed"),
        (602, "created"),
    ]


def test_a_quantity_for_a_product_with_variants_is_a_fault(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    variants = [{"sku": "V", "options": [{"name": "size", "value": "S"}], "quantity": 2}]
    make_product(sku="P", quantity=2, variants=variants)
    raw = b'{"name": "P", "price": 1, "sku": "P", "quantity": 9}'
    job = done(sam, send(sam, raw, "application/jsonl"))
    assert rows(sam, job)[0]["errors"][0]["code"] == "quantity_of_variants"
    assert collection(Product).count_documents({"quantity": 2}) == 1


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("application/json", "[%s]"),
        ("application/json", '{"n": 1, "n": 2, "products": [%s]}'),
        ("application/json", '{"products": [%s]}'),
        ("application/x-ndjson", "%s"),
    ],
)
@pytest.mark.parametrize(
    ("faulty", "name"),
    [
        ('{"name": "A", "price": 1, "price": 2}', "price"),
        ('{"name": "A", "price": 1, "images": [{"url": "x", "url": "y"}]}', "url"),
        ('{"a": {"name": 1}, "name": "A", "price": 1, "name": "A"}', "name"),
    ],
)
def test_a_member_that_stands_there_twice_is_a_fault_of_its_row_in_every_json(
    faulty: str, name: str, kind: str, text: str, sam: Person
) -> None:
    good = '{"attributes": {"name": "x"}, "name": "B", "price": 1}'
    between = "\n" if kind.endswith("ndjson") else ","
    job = done(sam, send(sam, (text % f"{faulty}{between}{good}").encode(), kind))
    assert [row["outcome"] for row in rows(sam, job)] == ["failed", "created"]
    assert rows(sam, job)[0]["errors"] == [
        {
            "pointer": "",
            "code": "duplicate_key",
            "detail": f'An object has the member "{name}" twice: leave one of them out.',
        }
    ]
    assert names() == ["B"]


def test_old_spreadsheet_bytes_are_read(sam: Person) -> None:
    done(sam, send(sam, HEADER + "a,Café,A,1,1\n".encode("cp1252")))
    assert names() == ["Café"]


@pytest.mark.parametrize(
    ("kind", "raw", "detail"),
    [
        ("text/csv", b"a,b\n1,2\n", "no columns Handle and Variant Price"),
        ("text/csv", "Handle,Variant Price\n".encode("utf-16"), "no columns Handle"),
        ("text/csv", HEADER + b'a,"' + b"x" * 200_000 + b'",A,1,1\n',
         "Line 2 cannot be read: field larger than field limit (131072)."),
        ("text/csv", HEADER + b"a,A,A,1,1\n" * 9000 + b"b,caf\xe9\x81,B,1,1\n",
         "Line 9002 is neither UTF-8 nor Windows-1252: save it as UTF-8."),
        ("application/json", b'[{"name": "A", "price": 1},',
         "It cannot be read: item 2 is not complete: the file ends too early."),
        ("application/json", b'[{"name": "A", "price": 1}, {"name": tru}]',
         "It cannot be read: item 2 is not valid JSON."),
        ("application/json", b'[{"name": "A", "price": 1}]x',
         "It cannot be read: item 2 stands behind the end of the JSON text."),
        ("application/json", b'[{"price": ' + b"9" * 5000 + b"}]",
         "It cannot be read: item 1 has an integer that does not fit in 64 bits."),
        ("application/json", b'[{"name": "A", "price": 1}, 5]', "item 2 is no object"),
        ("application/json", b'[{"name": "\xff", "price": 1}]',
         "It cannot be read: item 1 is not UTF-8."),
        ("application/json", b'[{"price": 1e99999999999999999999}]',
         "It cannot be read: item 1 has a number with too large an exponent."),
        ("application/json", b'{"n": 1, "products": [' + AB + b'], "products": [' + AB + b"]}",
         'It cannot be read: the outermost object has the member "products" twice.'),
        ("application/json", b'{"products": [' + AB + b'], "products": [' + AB + b"]}",
         'It cannot be read: the outermost object has the member "products" twice.'),
        ("application/json", b'{"products": [' + AB + b'], "n": 1, "products": 5}',
         'It cannot be read: the outermost object has the member "products" twice.'),
        ("application/json", b"null", "no list of products"),
        ("application/json", '[{"name": "A"}]'.encode("utf-16"), "no list of products"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_fails_before_anything_is_written(
    kind: str, raw: bytes, detail: str, sam: Person
) -> None:
    job = done(sam, send(sam, raw, kind))
    assert (job["state"], job["fault"]["code"]) == ("failed", "unreadable_file")
    assert detail in job["fault"]["detail"]
    assert names() == []
    assert collection(ImportChunk).count_documents({}) == 0


# --- what is refused at once ------------------------------------------------------------------


def test_a_form_for_which_there_is_no_room_on_the_disk_is_to_come_again(
    sam: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", full)
    refused = send(sam, *form(("file", "a.csv", HEADER + b"#" * 3 * 1024 * 1024)))
    assert refused.outcome == (503, "no_room_for_upload")
    assert refused.headers["Retry-After"] == "30"


@pytest.mark.parametrize(
    ("raw", "kind", "outcome"),
    [
        (b"", "text/csv", (400, "empty_file")),
        (b"", "", (400, "empty_file")),
        (form(("file", "a.csv", b""))[0], form()[1], (400, "empty_file")),
        (b"a", "text/plain", (415, "unsupported_media_type")),
        (b"a", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (form(("file", "a.xlsx", b"a"))[0], form()[1], (400, "validation_error")),
        (form(("other", "a.csv", b"a"))[0], form()[1], (400, "validation_error")),
        (b"no form", form()[1], (400, "empty_file")),
        (b"--edge", "multipart/form-data", (400, "parse_error")),
    ],
)
def test_what_is_no_file_is_refused_and_nothing_is_kept(
    raw: bytes, kind: str, outcome: tuple[int, str], sam: Person
) -> None:
    assert send(sam, raw, kind).outcome == outcome
    assert collection(ImportJob).count_documents({}) == 0
    assert collection(ImportChunk).count_documents({}) == 0


def test_more_than_50_megabytes_are_refused_before_they_are_read(sam: Person) -> None:
    limit = 50 * 1024 * 1024
    length = {"Content-Length": str(limit + 1)}
    answer = sam.api.send("POST", PATH, raw=b"x", content_type="text/csv", headers=length)
    assert answer.outcome == (413, "body_too_large")
    assert str(limit) in answer["detail"]


def test_a_file_may_be_larger_than_other_bodies(sam: Person) -> None:
    raw = b'{"name": "A", "price": 1}' + b"\n" * 2 * 1024 * 1024
    for body in ((raw, "application/jsonl"), form(("file", "a.jsonl", raw))):
        assert counts(done(sam, send(sam, *body))) == (1, 0, 0, 0)
    big = sam.api.send("POST", "/products/", raw=raw)
    assert big.outcome == (413, "body_too_large")


def test_a_field_of_a_form_may_not_be_large(sam: Person) -> None:
    raw = b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 2_000_000
    answer = send(sam, raw + b"\r\n--edge--\r\n", form()[1])
    assert answer.outcome == (413, "body_too_large")


@pytest.mark.parametrize("kind", ["text/csv", form()[1]])
def test_a_body_that_ends_early_leaves_nothing(kind: str, sam: Person) -> None:
    raw = lines("A") if kind == "text/csv" else form(("file", "a.csv", lines("A")))[0][:-12]
    broken: Any = {"wsgi.input": BytesIO(raw), "CONTENT_LENGTH": str(len(raw) + 50)}
    token = {"Authorization": f"Bearer {sam.api.token}"}
    client = sam.api._client
    answer = Answer(client.generic("POST", PATH, raw, kind, headers=token, **broken))
    assert answer.outcome == (400, "incomplete_body")
    assert collection(ImportJob).count_documents({}) == 0
    assert collection(ImportChunk).count_documents({}) == 0


def test_customers_and_strangers_may_not(alice: Person, anyone: ApiClient, sam: Person) -> None:
    job = f"{PATH}/{send(sam, lines('A'))['id']}"
    before = collection(ImportJob).count_documents({})
    for path in (PATH, job, f"{job}/rows"):
        assert alice.api.get(path).outcome == (403, "permission_denied")
        assert anyone.get(path).outcome == (401, "not_authenticated")
    assert send(alice, lines("A")).outcome == (403, "permission_denied")
    assert anyone.send("POST", PATH, raw=lines("A"), content_type="text/csv").status == 401
    assert collection(ImportJob).count_documents({}) == before


@pytest.mark.parametrize("job", ["0" * 24, "nothing"])
@pytest.mark.parametrize("path", ["", "/rows"])
def test_an_unknown_import_is_404(job: str, path: str, sam: Person) -> None:
    assert sam.api.get(f"{PATH}/{job}{path}").outcome == (404, "import_not_found")


@pytest.mark.parametrize("query", ["?dry_run=maybe", "?dry_run=", "?x=1"])
def test_a_bad_query_is_400_and_nothing_is_kept(query: str, sam: Person) -> None:
    assert send(sam, lines("A"), query=query).outcome == (400, "validation_error")
    assert collection(ImportJob).count_documents({}) == 0


def test_a_bad_outcome_is_400(sam: Person) -> None:
    job = send(sam, lines("A"))["id"]
    assert sam.api.get(f"{PATH}/{job}/rows?outcome=lost").pointers == ["/outcome"]


# --- stops, kills and races -------------------------------------------------------------------


def after(rows_done: int) -> Callable[[], bool]:
    """Stops when it has been asked this often."""
    asked = count(1)
    return lambda: next(asked) >= rows_done


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows alone end a batch: on a busy machine the clock ends some before they are full."""
    monkeypatch.setattr("catalog.importing.jobs._CHECKPOINT_SECONDS", 3600.0)


def test_a_stop_finishes_the_row_and_the_next_worker_goes_on_behind_it(
    unhurried: None, sam: Person
) -> None:
    job = send(sam, lines("A", "B", "C", "D"))
    assert run_next(stop=after(2))
    halted = sam.api.get(f"{PATH}/{job['id']}")
    assert (halted["state"], halted["done"], halted["total"]) == ("queued", 2, 4)
    assert names() == ["A", "B"]
    finished = done(sam, job)
    assert (finished["state"], counts(finished)) == ("done", (4, 0, 0, 0))
    assert names() == ["A", "B", "C", "D"]
    assert {row["version"] for row in collection(Product).find({})} == {1}


class _Killed(BaseException):
    """As if the process ended here."""


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, int], None]]:
    """Ends the worker when it calls this method of ImportJobService for the n-th time."""

    def prepare(method: str, call: int) -> None:
        original, calls = getattr(ImportJobService, method), count(1)

        def dying(**kwargs: Any) -> Any:
            if next(calls) == call:
                raise _Killed
            return original(**kwargs)

        monkeypatch.setattr(ImportJobService, method, staticmethod(dying))

    yield prepare
    monkeypatch.undo()


def abandon(job: Answer) -> None:
    """Let the lease of the dead worker run out."""
    past = {"lease_until": utc_now() - timedelta(seconds=1)}
    collection(ImportJob).update_one({"_id": ObjectId(job["id"])}, {"$set": past})


@pytest.mark.parametrize("method", ["checkpoint", "renew", "finish"])
def test_a_worker_that_dies_is_followed_by_another_and_no_row_counts_twice(
    method: str, kill_at: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch, sam: Person
) -> None:
    raw = b"".join(f'{{"name": "N{n}", "price": 1}}\n'.encode() for n in range(120))
    job = send(sam, raw, "application/jsonl")
    kill_at(method, 2 if method == "checkpoint" else 1)
    with pytest.raises(_Killed):
        run_next(stop=FOREVER)
    assert not run_next(stop=FOREVER), "its lease still holds"
    abandon(job)
    monkeypatch.undo()
    finished = done(sam, job)
    assert (finished["state"], finished["done"]) == ("done", 120)
    assert counts(finished) == (120, 0, 0, 0)
    assert collection(Product).count_documents({}) == 120
    assert {row["version"] for row in collection(Product).find({})} == {1}
    assert [row["number"] for row in collection(ImportResult).find({}).sort([("number", 1)])] == [
        *range(1, 121)
    ]


def test_a_file_that_ends_whoever_reads_it_is_given_up(
    monkeypatch: pytest.MonkeyPatch, sam: Person
) -> None:
    def die(_: Any) -> None:
        raise _Killed

    monkeypatch.setattr("catalog.importing.jobs.inspected", die)
    job = send(sam, lines("A"))
    for _ in range(5):
        with pytest.raises(_Killed):
            run_next(stop=FOREVER)
        abandon(job)
    assert run_next(stop=FOREVER), "nobody is killed any more"
    given_up = sam.api.get(f"{PATH}/{job['id']}")
    assert (given_up["state"], given_up["fault"]["code"]) == ("failed", "gave_up")
    assert collection(ImportChunk).count_documents({}) == 0
    monkeypatch.undo()
    assert counts(done(sam, send(sam, lines("B")))) == (1, 0, 0, 0), "and others come in"


def test_a_file_is_not_given_up_while_its_rows_get_done(
    kill_at: Callable[[str, int], None], unhurried: None, sam: Person
) -> None:
    raw = b"".join(f'{{"name": "N{n}", "price": 1}}\n'.encode() for n in range(400))
    job = send(sam, raw, "application/jsonl")
    for _ in range(7):
        kill_at("checkpoint", 2)
        with pytest.raises(_Killed):
            run_next(stop=FOREVER)
        abandon(job)
    halfway = sam.api.get(f"{PATH}/{job['id']}")
    assert (halfway["state"], halfway["done"]) == ("running", 350)


def test_a_repeated_upload_makes_one_job(sam: Person) -> None:
    def upload(raw: bytes, boundary: str = "edge") -> Answer:
        body = form(("file", "a.csv", raw))[0].replace(b"edge", boundary.encode())
        kind = f"multipart/form-data; boundary={boundary}"
        headers = {"Idempotency-Key": "one"}
        return sam.api.send("POST", PATH, raw=body, content_type=kind, headers=headers)

    first = upload(lines("A"))
    assert upload(lines("A"), boundary="else").body == first.body
    assert upload(lines("A", "B")).outcome == (422, "idempotency_key_reused")
    assert collection(ImportJob).count_documents({}) == 1
    assert collection(ImportChunk).count_documents({}) == 1
    assert counts(done(sam, first)) == (1, 0, 0, 0)


@pytest.mark.parametrize("as_form", [False, True], ids=["body", "form"])
def test_a_corrected_file_of_the_same_length_needs_a_key_of_its_own(
    as_form: bool, sam: Person
) -> None:
    def upload(raw: bytes, name: str = "a.csv") -> Answer:
        body, kind = form(("file", name, raw)) if as_form else (raw, "text/csv")
        headers = {"Idempotency-Key": "one"}
        return sam.api.send("POST", PATH, raw=body, content_type=kind, headers=headers)

    first = upload(lines("A", price="5"))
    assert upload(lines("A", price="6")).outcome == (422, "idempotency_key_reused")
    again = upload(lines("A", price="5"))
    assert (again.status, again.body) == (202, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    done(sam, first)
    assert upload(lines("A", price="6")).outcome == (422, "idempotency_key_reused")
    assert upload(lines("A", price="5")).body == first.body
    assert collection(ImportJob).count_documents({}) == 1
    assert collection(ImportChunk).count_documents({}) == 0, "a replay stores no file"


def test_the_same_bytes_as_a_file_of_another_format_need_a_key_of_their_own(sam: Person) -> None:
    def upload(name: str) -> Answer:
        body, kind = form(("file", name, b'[{"name":"A","price":5}]'))
        headers = {"Idempotency-Key": "one"}
        return sam.api.send("POST", PATH, raw=body, content_type=kind, headers=headers)

    assert upload("a.json").status == 202
    assert upload("ab.csv").outcome == (422, "idempotency_key_reused")


@pytest.mark.parametrize("retried", [True, False], ids=["retry", "slow first try"])
def test_another_file_under_the_operation_of_a_job_is_refused_and_leaves_nothing(
    retried: bool, sam: Person
) -> None:
    operation = Operation(ObjectId(), keyed=True)

    def create(raw: bytes, try_: Operation) -> ObjectId:
        job = ImportJobService.create(
            blocks=[raw], format_name="csv", dry_run=False, by=sam.principal.id, operation=try_
        )
        return job["_id"]

    assert create(lines("A", price="5"), operation) == operation.id
    with pytest.raises(KeyReusedError):
        create(lines("A", price="6"), replace(operation, retried=retried))
    assert collection(ImportChunk).count_documents({}) == 1


def test_a_job_of_before_files_had_digests_answers_its_retries(sam: Person) -> None:
    operation = Operation(ObjectId(), keyed=True)
    given: Any = {"format_name": "csv", "dry_run": False, "by": sam.principal.id}
    job = ImportJobService.create(blocks=[lines("A")], operation=operation, **given)
    collection(ImportJob).update_one({"_id": job["_id"]}, {"$unset": {"sha256": ""}})
    again = ImportJobService.create(
        blocks=[lines("A")], operation=replace(operation, retried=True), **given
    )
    assert again["_id"] == job["_id"]


@pytest.mark.parametrize("retried", [True, False], ids=["retry", "slow first try"])
def test_two_tries_of_one_upload_leave_one_job_with_one_file(retried: bool, sam: Person) -> None:
    operation = Operation(ObjectId(), keyed=True)
    for try_ in (operation, replace(operation, retried=retried)):
        job = ImportJobService.create(
            blocks=[lines("A")], format_name="csv", dry_run=False, by=sam.principal.id,
            operation=try_,
        )  # fmt: skip
        assert job["_id"] == operation.id
    (piece,) = collection(ImportChunk).find({})
    assert piece["file_id"] == job["file_id"]
    assert collection(ImportJob).count_documents({}) == 1


def test_what_a_person_changed_after_the_row_came_in_stays_when_it_is_run_again(
    kill_at: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch, sam: Person
) -> None:
    job = send(sam, lines("A"))
    kill_at("checkpoint", 1)
    with pytest.raises(_Killed):
        run_next(stop=FOREVER)
    product = collection(Product).find_one({"sku": "A"})
    assert product is not None
    sam.api.patch(f"/products/{product['_id']}", {"price": 9})
    abandon(job)
    monkeypatch.undo()
    assert counts(done(sam, job)) == (1, 0, 0, 0)
    assert sam.api.get(f"/products/{product['_id']}")["price"] == 9


def test_a_worker_that_was_away_too_long_stops_and_writes_nothing_to_the_job(sam: Person) -> None:
    job = send(sam, lines("A", "B"))
    taken = ImportJobService.claim(holder="slow", free_since=utc_now())
    assert taken is not None
    abandon(job)
    finished = done(sam, job)
    late: list[Callable[[], None]] = [
        lambda: ImportJobService.renew(job_id=taken["_id"], holder="slow", total=7),
        lambda: ImportJobService.finish(
            job_id=taken["_id"], holder="slow", file_id=taken["file_id"]
        ),
        lambda: ImportJobService.give_back(job_id=taken["_id"], holder="slow"),
        lambda: ImportJobService.checkpoint(
            job_id=taken["_id"], holder="slow", counts={"done": 9}, results=[]
        ),
    ]
    for write in late:
        with pytest.raises(LeaseLostError):
            write()
    assert sam.api.get(f"{PATH}/{job['id']}").json() == finished


def test_a_job_is_claimed_once_and_the_oldest_first(sam: Person) -> None:
    first, second = send(sam, lines("A")), send(sam, lines("B"))
    claimed = [ImportJobService.claim(holder=str(n), free_since=utc_now()) for n in range(3)]
    assert [str(row["_id"]) if row else None for row in claimed] == [
        first["id"],
        second["id"],
        None,
    ]


def test_servers_leave_a_new_job_to_the_workers_for_a_while(sam: Person) -> None:
    send(sam, lines("A"))
    assert not run_next(stop=FOREVER, unless_taken_within=timedelta(seconds=15))
    free = {"lease_until": utc_now() - timedelta(seconds=16)}
    collection(ImportJob).update_many({}, {"$set": free})
    assert run_next(stop=FOREVER, unless_taken_within=timedelta(seconds=15))
    assert names() == ["A"]


def test_the_lease_is_kept_while_the_file_is_read(
    monkeypatch: pytest.MonkeyPatch, sam: Person
) -> None:
    monkeypatch.setattr("catalog.importing.jobs._RENEW_SECONDS", 0)
    renewals: list[Any] = []
    original = ImportJobService.renew

    def seen(**kwargs: Any) -> None:
        renewals.append(kwargs)
        original(**kwargs)

    monkeypatch.setattr(ImportJobService, "renew", staticmethod(seen))
    raw = b'{"name": "A", "price": 1}' + b"\n" * 3 * CHUNK_BYTES
    send(sam, raw, "application/jsonl")
    run_next(stop=FOREVER)
    assert len(renewals) > 2 * 3, "at each piece, in both passes"
    assert timedelta(seconds=15) <= LEASE


def test_a_fault_of_ours_ends_the_job_and_shows_no_internals(
    monkeypatch: pytest.MonkeyPatch, sam: Person
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("catalog.importing.run.RowImporter.bring_in", broken)
    job = done(sam, send(sam, lines("A")))
    assert (job["state"], job["fault"]["code"]) == ("failed", "internal_error")
    assert "secret" not in json.dumps(job)


def test_an_upload_that_fails_leaves_no_pieces(sam: Person) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 600_000
        raise OSError

    for blocks, fault in ((broken(), OSError), (iter([b""]), EmptyFileError)):
        with pytest.raises(fault):
            ImportJobService.create(
                blocks=blocks, format_name="csv", dry_run=False, by=sam.principal.id
            )
    assert collection(ImportChunk).count_documents({}) == 0
    assert collection(ImportJob).count_documents({}) == 0
