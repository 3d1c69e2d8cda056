"""Files of products with faults: of a row, which keep no other out, and of the whole file."""

import json
import tracemalloc
from collections.abc import Callable

import bson
import pytest

from catalog.documents import ImportChunk, ImportResult, Product, ProductRow
from ecommerce.core.mongo import collection
from tests.catalog.import_files import AB, HEADER, counts, done, form, names, rows, send
from tests.client import Person


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


def test_rows_without_a_handle_are_products_of_their_own(sam: Person) -> None:
    raw = b"Handle,Title,Variant Price\n,A,1\n,B,2\n,,3\nc,C,4\n"
    job = done(sam, send(sam, raw))
    assert [(row["line"], row["outcome"]) for row in rows(sam, job)] == [
        (2, "created"), (3, "created"), (4, "failed"), (5, "created"),
    ]  # fmt: skip
    assert names() == ["A", "B", "C"]


def test_a_row_with_more_cells_than_columns_is_a_fault(sam: Person) -> None:
    raw = b"Handle,Title,Variant Price,Vendor,Tags\n"
    raw += b"a,A,5,Acme,,\nb,B,5,Acme, Inc.,lamps\nc,C,5,Acme,,\nc,,,,,,x\n"
    job = done(sam, send(sam, raw))
    assert [(row["line"], row["outcome"]) for row in rows(sam, job)] == [
        (2, "created"), (3, "failed"), (4, "failed"),
    ]  # fmt: skip
    assert [row["errors"] for row in rows(sam, job, "?outcome=failed")] == [
        [{"pointer": "", "code": "too_many_cells",
          "detail": f"Line {line} has more cells than the first line has columns: put quotation "
                    "marks around a cell that holds a comma."}]
        for line in (3, 5)
    ]  # fmt: skip
    assert names() == ["A"]


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
        ("text/csv", b"Handle,Title,Vendor,Variant Price,Title\na,A,,1,B\n",
         "It cannot be read: its first line names the column Title twice."),
        ("text/csv", HEADER + b'a,A,A,1,1\nb,"B,B,1,1\nc,C,C,1,1\n',
         "Line 3 cannot be read: unexpected end of data. Is a quotation mark not closed?"),
        ("text/csv", HEADER + b'a,A,A,1,1\nb,"B,B,1,1\nc,"C",C,1,1\n', "Line 3 cannot be read: "),
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
