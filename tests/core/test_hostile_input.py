"""Whatever is sent, the answer is a problem with a code: never a 500, never a lost write."""

import itertools
import re
import time
from io import BytesIO
from typing import Any

import pytest

from catalog.documents import Product, ProductRow
from ecommerce.core.mongo import collection
from tests.client import Answer, ApiClient, Person, Reset, cut_short


def post(person: Person, raw: bytes, **options: Any) -> Answer:
    return person.api.send("POST", "/products/", raw=raw, **options)


BODIES = {
    "not json": (b"{", 400, "malformed_json"),
    "empty": (b"", 400, "validation_error"),
    "nan": (b'{"price": NaN}', 400, "malformed_json"),
    "infinity": (b'{"price": -Infinity}', 400, "malformed_json"),
    "huge exponent": (b'{"name": "x", "price": 1e400}', 400, "validation_error"),
    "absurd exponent": (b'{"name": "x", "price": 1e99999999999999999999}', 400, ""),
    "tiny exponent": (b'{"name": "x", "price": 1e-400}', 400, "validation_error"),
    "2^63": (b'{"name": "x", "quantity": 9223372036854775808}', 400, "integer_out_of_range"),
    "10,000 digits": (b'{"quantity": ' + b"9" * 10_000 + b"}", 400, "integer_out_of_range"),
    "nul": (b'{"name": "a\\u0000b", "price": 1}', 400, "nul_character"),
    "nul in a key": (b'{"na\\u0000me": "ab", "price": 1}', 400, "nul_character"),
    "half a surrogate": (b'{"name": "\\ud800", "price": 1}', 400, "invalid_unicode"),
    "deep array": (b"[" * 100_000 + b"]" * 100_000, 400, "too_deep"),
    "deep object": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400, "too_deep"),
    "33 levels": (b"[" * 33 + b"]" * 33, 400, "too_deep"),
    "bad utf-8": (b'{"name": "\xff\xfe"}', 400, "invalid_utf8"),
    "utf-16": ('{"name": "x"}'.encode("utf-16"), 400, "invalid_utf8"),
    "twice the same key": (b'{"price": 1, "price": 2, "name": "x"}', 400, "duplicate_key"),
    "too large": (b'{"name": "' + b"x" * 1024 * 1024 + b'"}', 413, "body_too_large"),
    "an array": (b"[]", 400, "validation_error"),
    "null": (b"null", 400, "validation_error"),
    "a string": (b'"text"', 400, "validation_error"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_gets_its_code_and_stores_nothing(name: str, sam: Person) -> None:
    raw, status, code = BODIES[name]
    answer = post(sam, raw)
    assert answer.status == status
    assert not code or answer["code"] == code
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert collection(Product).count_documents({}) == 0


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b'{"price": ' + b"9" * 5000 + b"}", "An integer does not fit in 64 bits."),
        (b'{"quantity": 9223372036854775808}',
         "An integer does not fit in 64 bits: see `/quantity`."),
        (b'{"price": 1e99999999999999999999}', "A number has too large an exponent."),
        (b'{"price": 1, "price": 2}',
         'An object has the member "price" twice: leave one of them out.'),
        (b'{"\\ud800": 1, "\\ud800": 2}',
         'An object has the member "?" twice: leave one of them out.'),
        (b'{"name": "a\\u0000b"}', "Text must not hold NUL characters: see `/name`."),
        (b'{"images": [{}, {"a/b": "\\ud800"}]}',
         "Text holds half of a surrogate pair: see `/images/1/a~1b`."),
        (b'{"' + b"x" * 5000 + b'": "\\u0000"}',
         f"Text must not hold NUL characters: see `/{'x' * 99}`."),
    ],
    ids=["5,000 digits", "2^63", "exponent", "twice", "twice, of no Unicode", "nul", "surrogate",
         "long name"],
)  # fmt: skip
def test_a_refused_body_is_told_what_is_wrong_and_where(
    raw: bytes, detail: str, sam: Person
) -> None:
    """The place for programs stands in `errors`, as that of a fault of validation does."""
    answer = post(sam, raw)
    assert answer["detail"] == detail
    fault, _, pointer = detail.removesuffix("`.").partition(": see `")
    if not pointer:
        assert "errors" not in answer.json()
        return
    assert answer["errors"] == [{"pointer": pointer, "code": answer["code"], "detail": f"{fault}."}]


def test_a_refused_parameter_is_named_in_errors(anyone: ApiClient) -> None:
    for query, code in (("q=%00", "nul_character"), ("q=%ff", "invalid_utf8")):
        answer = anyone.get(f"/products/?{query}")
        assert (answer.outcome, answer.pointers) == ((400, code), ["/q"])


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"name=%ff&price=1", "invalid_utf8"),
        (b"name=caf\xe9&price=1", "invalid_utf8"),
        (b"name=a%c3&price=1", "invalid_utf8"),
        (b"&".join(b"f%d=1" % n for n in range(1001)), "too_many_fields"),
    ],
    ids=["escaped", "latin-1", "half a character", "1001 fields"],
)
def test_a_hostile_form_gets_its_code_and_stores_nothing(
    raw: bytes, code: str, sam: Person
) -> None:
    answer = post(sam, raw, content_type="application/x-www-form-urlencoded")
    assert answer.outcome == (400, code)
    assert collection(Product).count_documents({}) == 0


def test_a_form_may_hold_any_character(sam: Person) -> None:
    raw = "name=Caf%c3%a9+\u2615&price=1".encode()
    answer = post(sam, raw, content_type="application/x-www-form-urlencoded")
    assert (answer.status, answer["name"]) == (201, "Caf\u00e9 \u2615")


def multipart(*fields: tuple[bytes, bytes]) -> bytes:
    """What a page's form sends with PUT; its boundary is `edge`."""
    start = b'--edge\r\nContent-Disposition: form-data; name="'
    return b"".join(b'%s%s"\r\n\r\n%s\r\n' % (start, *field) for field in fields) + b"--edge--\r\n"


@pytest.mark.parametrize(
    ("raw", "charset", "code"),
    [
        (multipart((b"name", b"L\xffmp"), (b"price", b"1")), "", "invalid_utf8"),
        (multipart((b"name", b"a\xc3"), (b"price", b"1")), "", "invalid_utf8"),
        (multipart((b"name", b"Caf\xe9"), (b"price", b"1")), "; charset=latin-1", "invalid_utf8"),
        (multipart(*((b"f%d" % n, b"1") for n in range(1001))), "", "too_many_fields"),
    ],
    ids=["one byte", "half a character", "latin-1", "1001 fields"],
)
def test_a_hostile_multipart_form_gets_its_code_and_changes_nothing(
    raw: bytes, charset: str, code: str, lamp: ProductRow, sam: Person
) -> None:
    kind = f"multipart/form-data; boundary=edge{charset}"
    answer = sam.api.send("PUT", f"/products/{lamp['_id']}", raw=raw, content_type=kind)
    assert answer.outcome == (400, code)
    assert collection(Product).find_one({"_id": lamp["_id"]}) == lamp


def test_a_multipart_form_may_hold_any_character(lamp: ProductRow, sam: Person) -> None:
    raw = multipart((b"name", "Caf\u00e9 \u2615".encode()), (b"price", b"1"))
    kind = "multipart/form-data; boundary=edge"
    answer = sam.api.send("PUT", f"/products/{lamp['_id']}", raw=raw, content_type=kind)
    assert (answer.status, answer["name"]) == (200, "Caf\u00e9 \u2615")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (multipart((b"file", b"\xff")), "invalid_utf8"),
        (multipart(*((b"f%d" % n, b"1") for n in range(1001))), "too_many_fields"),
    ],
    ids=["one byte", "1001 fields"],
)
def test_the_form_of_an_import_is_read_as_strictly(raw: bytes, code: str, sam: Person) -> None:
    kind = "multipart/form-data; boundary=edge"
    answer = sam.api.send("POST", "/products/imports", raw=raw, content_type=kind)
    assert answer.outcome == (400, code)


def items(text: str, count: int) -> bytes:
    """So many of it, one after the other."""
    return ",".join([text] * count).encode()


SEVERAL = "{" + items('"%x": 1', 80).decode() + "}"


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("/shopping-carts/", b'{"items": [' + items("{}", 340_000) + b"]}"),
        ("/shopping-carts/", b'{"items": [' + items("5", 500_000) + b"]}"),
        ("/products/", b'{"images": [' + items("5", 500_000) + b"]}"),
        ("/products/", b'{"tags": [' + items("5", 500_000) + b"]}"),
        ("/products/", b'{"variants": [' + items("{}", 340_000) + b"]}"),
        ("/products/", b'{"related_ids": [' + items("5", 500_000) + b"]}"),
        ("/products/", b'{"attributes": {' + items('"%x": []', 80_000) + b"}}"),
        ("/products/bulk", b'{"rows": [{"operation": "create", "images": [' + items("5", 500_000)
         + b"]}]}"),
        ("/users/", b"{" + items('"%x": 1', 80_000) + b"}"),
        ("/shopping-carts/", b'{"items": [' + items(SEVERAL, 99)
         + b"]}"),
    ],
    ids=["cart items", "cart numbers", "images", "tags", "variants", "related", "attributes",
         "bulk", "unknown members", "unknown members of items"],
)  # fmt: skip
def test_a_body_that_is_wrong_a_hundred_thousand_times_is_refused_in_few_words(
    path: str, raw: bytes, sam: Person
) -> None:
    numbers = itertools.count()
    raw = re.sub(b"%x", lambda _: b"%x" % next(numbers), raw)
    begun = time.thread_time()
    answer = sam.api.send("POST", path, raw=raw)
    assert time.thread_time() - begun < 2, "seconds of processor"
    assert answer.status in {200, 400}
    assert len(answer.body) < 150_000


@pytest.mark.parametrize("number", ["1e1000000", "-1e1000000", "1e-1000000"])
@pytest.mark.parametrize(
    ("path", "raw", "pointer"),
    [
        ("/products/", '{"name": "x", "price": %s}', "/price"),
        ("/products/", '{"name": "x", "price": 1, "compare_at_price": %s}', "/compare_at_price"),
        ("/products/", '{"name": "x", "price": 1, "quantity": %s}', "/quantity"),
        ("/products/", '{"name": "x", "price": 1, "attributes": {"a": %s}}', "/attributes/a"),
        ("/products/", '{"name": "x", "price": 1, "variants": [{"sku": "a", "price": %s}]}',
         "/variants/0/price"),
        ("/products/", '{"name": "x", "price": 1, "variants": [{"sku": "a", "quantity": %s}]}',
         "/variants/0/quantity"),
        ("/categories/", '{"name": "x", "position": %s}', "/position"),
        ("/products/{lamp}/stock", '{"delta": %s, "reason": "x"}', "/delta"),
        ("/shopping-carts/", '{"items": [{"product_id": "{lamp}", "quantity": %s}]}',
         "/items/0/quantity"),
        ("/shopping-carts/{cart}/items", '{"product_id": "{lamp}", "quantity": %s}', "/quantity"),
    ],
    ids=["price", "old price", "stock", "attribute", "price of a variant", "stock of a variant",
         "position", "delta", "new cart", "cart"],
)  # fmt: skip
def test_a_number_beyond_what_decimals_count_with_is_400_at_its_field(
    path: str, raw: str, pointer: str, number: str, lamp: ProductRow, sam: Person
) -> None:
    def named(text: str) -> str:
        return text.replace("{lamp}", str(lamp["_id"])).replace("{cart}", cart)

    cart = sam.api.post("/shopping-carts/")["id"] if "{cart}" in path else ""
    answer = sam.api.send("POST", named(path), raw=named(raw.replace("%s", number)).encode())
    assert answer.outcome == (400, "validation_error")
    assert answer.pointers == [pointer]


def test_a_row_of_a_bulk_call_with_such_a_number_is_refused_alone(sam: Person) -> None:
    rows = b'{"rows": [{"operation": "update", "sku": "a", "version": 1e1000000}]}'
    (row,) = sam.api.send("POST", "/products/bulk", raw=rows)["rows"]
    assert (row["status"], row["code"]) == (400, "validation_error")
    assert [fault["pointer"] for fault in row["errors"]] == ["/rows/0/version"]


def test_brackets_in_text_are_no_nesting(sam: Person) -> None:
    raw = b'{"name": "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\"[", "price": 1}'
    assert post(sam, raw).status == 201


def test_escaped_astral_characters_are_fine(sam: Person) -> None:
    assert post(sam, b'{"name": "\\ud83d\\ude00", "price": 1}')["name"] == "\U0001f600"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/jsonx", "x"]
)
def test_another_media_type_is_415(content_type: str, sam: Person) -> None:
    answer = post(sam, b"a=b", content_type=content_type)
    assert answer.outcome == (415, "unsupported_media_type")
    assert answer["detail"].startswith("Send the body as application/json or application/x-www-")


def test_a_415_names_what_the_action_reads(lamp: ProductRow, sam: Person) -> None:
    path = f"/products/{lamp['_id']}"
    answer = sam.api.send("PATCH", path, raw=b"x", content_type="text/plain")
    assert "application/merge-patch+json" in answer["detail"]
    answer = sam.api.send("POST", "/products/imports", raw=b"x", content_type="text/plain")
    assert answer["detail"] == (
        "Send the body as text/csv or application/json or application/x-ndjson or "
        "application/jsonl or multipart/form-data, and say so in `Content-Type`."
    )


def test_a_chunked_body_is_411(sam: Person) -> None:
    answer = post(sam, b"", headers={"Transfer-Encoding": "chunked"})
    assert answer.outcome == (411, "length_required")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/products/"),
        ("DELETE", "/users/"),
        ("POST", "/users/me"),
        ("GET", "/token"),
        ("GET", "/shopping-carts/x/clear"),
        ("TRACE", "/products/"),
        ("PROPFIND", "/products/"),
    ],
)
def test_a_wrong_method_is_405_with_allow(method: str, path: str, sam: Person) -> None:
    answer = sam.api.send(method, path)
    assert answer.status == 405
    assert answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/openapi.json", "/products/", "/token"])
def test_a_method_that_is_nowhere_is_405_and_never_a_page(path: str, anyone: ApiClient) -> None:
    answer = anyone.send("DELETE", path)
    assert answer.status == 405
    assert "GET" in answer.headers["Allow"] or path == "/token"
    assert answer.headers["Content-Type"].endswith("json")
    assert answer.json().get("code", "method_not_allowed") == "method_not_allowed"


@pytest.mark.parametrize("accept", ["*/*", "text/html", "image/png"])
@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/products/", "GET, POST, HEAD, OPTIONS"),
        ("/shopping-carts/x/items", "POST, OPTIONS"),
        ("/token", "POST, OPTIONS"),
        ("/token/revoke", "POST, OPTIONS"),
        ("/docs", "GET, HEAD, OPTIONS"),
        ("/redoc", "GET, HEAD, OPTIONS"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_names_the_methods_and_has_no_body(
    path: str, methods: str, accept: str, anyone: ApiClient
) -> None:
    answer = anyone.send("OPTIONS", path, headers={"Accept": accept})
    assert (answer.status, answer.headers["Allow"], answer.body) == (204, methods, b"")
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(
    ("status", "method", "path", "accept"),
    [
        (405, "POST", "/openapi.json", "*/*"),
        (406, "GET", "/openapi.json", "image/png"),
        (406, "GET", "/docs", "application/json"),
        (405, "POST", "/redoc", "text/html"),
        (405, "POST", "/docs", "*/*"),
        (405, "POST", "/", "*/*"),
    ],
)
def test_a_refusal_of_the_documentation_is_a_problem(
    status: int, method: str, path: str, accept: str, anyone: ApiClient
) -> None:
    answer = anyone.send(method, path, headers={"Accept": accept})
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer["status"], answer["instance"]) == (status, path)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("stream", [BytesIO, Reset])
@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b'{"name": "Lamp", "price": 19.99}', "application/json"),
        (b"name=Lamp&price=19", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_ends_before_its_length_is_not_read_as_what_has_come(
    raw: bytes, content_type: str, stream: type[BytesIO], sam: Person
) -> None:
    answer = post(sam, raw, content_type=content_type, environ=cut_short(raw, stream))
    assert answer.outcome == (400, "incomplete_body")
    assert answer["detail"] == "The body ended before its Content-Length: send it again, whole."
    assert collection(Product).count_documents({}) == 0


def test_a_wrong_host_is_400_and_names_the_setting(anyone: ApiClient) -> None:
    answer = anyone.get("/products/", Host="evil.example")
    assert answer.outcome == (400, "invalid_host")
    assert answer["detail"] == (
        "This server does not answer for the host name in the request: `ALLOWED_HOSTS` has those "
        "that it answers for."
    )


@pytest.mark.parametrize("path", ["/nothing", "/products/x/y", "/%ff", "/%00", "/token/x"])
def test_an_unknown_path_is_a_404_problem(path: str, anyone: ApiClient) -> None:
    answer = anyone.get(path)
    assert answer.outcome == (404, "not_found")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_answer_that_cannot_be_given_is_406(lamp: ProductRow, anyone: ApiClient) -> None:
    answer = anyone.get("/products/", Accept="image/png")
    assert answer.outcome == (406, "not_acceptable")
    assert answer["detail"] == (
        "There is no such representation: have `Accept` name application/json or text/html."
    )


@pytest.mark.parametrize("query", ["cursor=%ff%fe", "%00=1", "limit=%F0%9F%98%80", "a=1&a=2", "=1"])
def test_a_hostile_query_is_400(query: str, anyone: ApiClient) -> None:
    assert anyone.get(f"/products/?{query}").status == 400


@pytest.mark.parametrize("path", ["/products/", "/users/me", "/shopping-carts/"])
def test_a_query_that_is_no_utf8_is_400_whatever_it_is_for(path: str, sam: Person) -> None:
    """Raw bytes too; the name is shown as far as it can be read."""
    for query, pointer in (("q=%ff", "/q"), ("%ff=1", "/\ufffd"), ("x=a&b/c=%c3", "/b~1c")):
        answer = sam.api.get(f"{path}?{query}")
        assert answer.outcome == (400, "invalid_utf8")
        assert answer["detail"] == f"A parameter is not UTF-8: see `{pointer}`."


def test_a_query_where_none_is_known_is_400(lamp: ProductRow, sam: Person) -> None:
    path = f"/products/{lamp['_id']}?x=1"
    assert sam.api.get(path).pointers == ["/x"]
    assert sam.api.delete(path).pointers == ["/x"]


def test_a_problem_has_every_member_of_rfc_9457_and_ours(anyone: ApiClient) -> None:
    answer = anyone.get("/products/nothing", X_Request_ID="my-request-1")
    assert answer.json() == {
        "type": "urn:problem-type:shop:product-not-found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no such product.",
        "instance": "/products/nothing",
        "code": "product_not_found",
        "request_id": "my-request-1",
    }


@pytest.mark.parametrize("bad", ["short", "x" * 129, "has blank", "a\nb-injection", "<script>"])
def test_a_request_id_that_is_not_well_formed_is_replaced(bad: str, anyone: ApiClient) -> None:
    answer = anyone.get("/livez", X_Request_ID=bad)
    assert answer.status == 200
    made = answer.headers["X-Request-ID"]
    assert len(made) == 32
    assert made != bad


def test_a_fault_of_ours_shows_no_internals(
    anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("catalog.selectors.product_page", broken)
    anyone._client.raise_request_exception = False
    answer = anyone.get("/products/")
    assert answer.outcome == (500, "internal_error")
    assert b"secret" not in answer.body
