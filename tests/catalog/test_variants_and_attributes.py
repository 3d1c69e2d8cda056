"""Variants, attributes and merge patches: what a product holds beside the API document's fields."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from catalog.documents import Product, ProductRow
from ecommerce.core.mongo import collection
from tests.client import ApiClient, Person

SHIRT: dict[str, Any] = {
    "name": "Shirt",
    "price": 30,
    "variants": [
        {"sku": "S", "options": {"size": "S"}, "quantity": 3},
        {"sku": "M", "options": {"size": "M"}, "quantity": 1, "price": "31.50"},
    ],
}


def test_a_variant_has_the_products_price_unless_it_has_its_own(sam: Person) -> None:
    answer = sam.api.post("/products/", SHIRT)
    assert answer.status == 201
    assert answer["quantity"] == 4
    assert answer["variants"] == [
        {"sku": "S", "options": {"size": "S"}, "price": 30, "compare_at_price": None,
         "quantity": 3},
        {"sku": "M", "options": {"size": "M"}, "price": 31.5, "compare_at_price": None,
         "quantity": 1},
    ]  # fmt: skip


def test_the_quantity_is_the_sum_of_the_variants(sam: Person) -> None:
    wrong = sam.api.post("/products/", {**SHIRT, "quantity": 5})
    assert (*wrong.outcome, wrong.pointers) == (400, "validation_error", ["/quantity"])
    path = f"/products/{sam.api.post('/products/', {**SHIRT, 'quantity': 4})['id']}"
    for patch in ({"quantity": 9}, {"quantity": 9, "name": "Other", "tags": []}):
        refused = sam.api.patch(path, patch)
        assert refused.outcome == (409, "quantity_of_variants")
    assert sam.api.get(path)["quantity"] == 4
    fewer = sam.api.patch(path, {"variants": [{"sku": "S", "quantity": 2}]})
    assert (fewer.status, fewer["quantity"]) == (200, 2)
    none = sam.api.patch(path, {"variants": [], "quantity": 9})
    assert (none.status, none["quantity"], none["variants"]) == (200, 9, [])


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"variants": [{"sku": "A"}, {"sku": "A"}]}, "/variants"),
        ({"sku": "A", "variants": [{"sku": "A"}]}, "/variants"),
        ({"variants": [{}]}, "/variants/0/sku"),
        ({"variants": [{"sku": "A", "quantity": -1}]}, "/variants/0/quantity"),
        ({"variants": [{"sku": "A", "options": {"size": 1}}]}, "/variants/0/options/size"),
        ({"variants": [{"sku": "A", "options": dict.fromkeys("abcd", "x")}]},
         "/variants/0/options"),
        ({"variants": [{"sku": str(n)} for n in range(101)]}, "/variants"),
        ({"variants": [{"sku": "A", "quantity": 10**9}, {"sku": "B", "quantity": 1}]},
         "/variants"),
        ({"attributes": {"Bad Key": 1}}, "/attributes"),
        ({"attributes": {"$where": "x"}}, "/attributes"),
        ({"attributes": {"a.b": 1}}, "/attributes"),
        ({"attributes": {"a": [1]}}, "/attributes/a"),
        ({"attributes": {"a": "x" * 501}}, "/attributes/a"),
        ({"attributes": {"a": 1.0000000000000001}}, "/attributes/a"),
        ({"attributes": {f"a{n}": 1 for n in range(101)}}, "/attributes"),
        ({"compare_at_price": -1}, "/compare_at_price"),
        ({"related_ids": ["nonsense"]}, "/related_ids/0"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field(changes: Any, pointer: str, sam: Person) -> None:
    raw = repr({"name": "X", "price": 1, **changes}).replace("'", '"').encode()
    if "1.0000000000000001" in repr(changes) or pointer == "/attributes/a":
        raw = raw.replace(b"1.0}", b"1.0000000000000001}")
    answer = sam.api.send("POST", "/products/", raw=raw)
    assert (answer.status, answer.pointers) == (400, [pointer])
    assert collection(Product).count_documents({}) == 0


def test_a_sku_belongs_to_one_product_or_variant_of_the_shop(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    make_product(sku="TAKEN")
    sam.api.post("/products/", SHIRT)
    for body, pointer in (
        ({"sku": "S"}, "/sku"),
        ({"variants": [{"sku": "NEW"}, {"sku": "TAKEN"}]}, "/variants/1/sku"),
        ({"variants": [{"sku": "M"}]}, "/variants/0/sku"),
    ):
        answer = sam.api.post("/products/", {"name": "X", "price": 1, **body})
        assert (*answer.outcome, answer.pointers) == (409, "duplicate_product", [pointer])
    path = f"/products/{make_product()['_id']}"
    assert sam.api.patch(path, {"sku": "M"}).outcome == (409, "duplicate_product")


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"sku": "M"}, "/sku"),
        ({"variants": [{"sku": "S"}, {"sku": "OWN"}]}, "/variants"),
        ({"variants": [{"sku": "OWN"}], "name": "Other"}, "/variants"),
    ],
)
def test_a_patch_gives_a_product_no_sku_twice(patch: Any, pointer: str, sam: Person) -> None:
    path = f"/products/{sam.api.post('/products/', {**SHIRT, 'sku': 'OWN'})['id']}"
    before = collection(Product).find_one({})
    refused = sam.api.patch(path, patch)
    assert (*refused.outcome, refused.pointers) == (400, "validation_error", [pointer])
    assert refused["errors"][0]["code"] == "repeated_sku"
    assert collection(Product).find_one({}) == before


def test_a_sku_goes_from_a_product_to_its_variant_in_one_patch(sam: Person) -> None:
    path = f"/products/{sam.api.post('/products/', {**SHIRT, 'sku': 'OWN'})['id']}"
    changed = sam.api.patch(path, {"sku": "M", "variants": [{"sku": "OWN"}]})
    assert (changed.status, changed["sku"]) == (200, "M")
    assert [variant["sku"] for variant in changed["variants"]] == ["OWN"]


def test_of_parallel_patches_that_give_one_sku_one_is_refused(sam: Person) -> None:
    path = f"/products/{sam.api.post('/products/', SHIRT)['id']}"
    patches: list[Any] = [{"sku": "N"}, {"variants": [{"sku": "N"}]}]
    with ThreadPoolExecutor(2) as pool:
        asked = pool.map(lambda body: ApiClient(sam.api.token).patch(path, body).status, patches)
        assert sorted(asked) == [200, 400]


def test_the_skus_of_a_deleted_product_are_free_again(sam: Person) -> None:
    first = sam.api.post("/products/", SHIRT)["id"]
    assert sam.api.delete(f"/products/{first}").status == 204
    assert sam.api.post("/products/", SHIRT).status == 201


def test_attributes_keep_their_types(sam: Person) -> None:
    sent = {"text": "oak", "whole": 1200, "half": 0.5, "yes": True, "no": False, "big": 2**53 + 1}
    answer = sam.api.post("/products/", {"name": "X", "price": 1, "attributes": sent})
    assert answer["attributes"] == sent
    assert {key: type(value) for key, value in answer["attributes"].items()} == {
        "text": str, "whole": int, "half": float, "yes": bool, "no": bool, "big": int,
    }  # fmt: skip


# --- PATCH -------------------------------------------------------------------------------------


@pytest.fixture
def table(sam: Person) -> str:
    body = {
        "name": "Table",
        "price": 1,
        "brand": "Fennick",
        "attributes": {"wood": "oak", "cm": 90},
    }
    return f"/products/{sam.api.post('/products/', body)['id']}"


def merge(api: ApiClient, path: str, body: str) -> Any:
    kind = "application/merge-patch+json"
    return api.send("PATCH", path, raw=body.encode(), content_type=kind)


def test_a_json_patch_replaces_attributes_as_a_whole(table: str, sam: Person) -> None:
    assert sam.api.patch(table, {"attributes": {"legs": 4}})["attributes"] == {"legs": 4}
    assert sam.api.patch(table, {"attributes": {}})["attributes"] == {}


def test_a_merge_patch_changes_single_attributes(table: str, sam: Person) -> None:
    answer = merge(sam.api, table, '{"attributes": {"legs": 4, "cm": null}, "brand": null}')
    assert answer.status == 200
    assert answer["attributes"] == {"wood": "oak", "legs": 4}
    assert answer["brand"] is None
    assert answer["name"] == "Table"


def test_a_merge_patch_that_names_no_attribute_leaves_all(table: str, sam: Person) -> None:
    before = sam.api.get(table).json()
    assert merge(sam.api, table, '{"attributes": {}}').json() == before
    changed = merge(sam.api, table, '{"attributes": {}, "brand": "Eastlight"}')
    assert (changed["attributes"], changed["brand"]) == (before["attributes"], "Eastlight")


def test_a_merge_patch_leaves_at_most_100_attributes(table: str, sam: Person) -> None:
    def merged(first: int, after: int, **gone: None) -> Any:
        more = {f"a{number}": 1 for number in range(first, after)}
        return merge(sam.api, table, json.dumps({"attributes": {**more, **gone}}))

    assert len(merged(0, 98)["attributes"]) == 100
    full = sam.api.get(table).json()
    refused = merged(98, 99)
    assert (*refused.outcome, refused.pointers) == (400, "validation_error", ["/attributes"])
    too_many = {f"a{number}": 1 for number in range(101)}
    sent = sam.api.patch(table, {"attributes": too_many})
    assert refused["errors"] == sent["errors"], "the same as for too many in one request"
    assert sam.api.get(table).json() == full
    assert len(merged(98, 99, wood=None)["attributes"]) == 100
    assert sam.api.patch(table, {"attributes": sam.api.get(table)["attributes"]}).status == 200


def test_parallel_merges_do_not_go_past_100_attributes_together(table: str, sam: Person) -> None:
    def add(number: int) -> int:
        values = {f"a{number}x{one}": 1 for one in range(30)}
        body = json.dumps({"attributes": values})
        status: int = merge(ApiClient(sam.api.token), table, body).status
        return status

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, range(4))) == [200, 200, 200, 400]
    assert len(sam.api.get(table)["attributes"]) == 92


def test_parallel_merges_lose_no_attribute(table: str, sam: Person) -> None:
    def add(number: int) -> int:
        api = ApiClient(sam.api.token)
        status: int = merge(api, table, f'{{"attributes": {{"a{number}": {number}}}}}').status
        return status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(add, range(24))) == {200}
    assert len(sam.api.get(table)["attributes"]) == 26


def test_a_merge_patch_is_for_patch_alone(table: str, sam: Person) -> None:
    kind = "application/merge-patch+json"
    for method, path in (("PUT", table), ("POST", "/products/")):
        answer = sam.api.send(method, path, raw=b"{}", content_type=kind)
        assert answer.outcome == (415, "unsupported_media_type")


def test_parallel_changes_of_searched_fields_lose_none(table: str, sam: Person) -> None:
    changes: list[Any] = [{"name": "Desk"}, {"brand": "Eastlight"}, {"tags": ["new"]}, {"sku": "D"}]

    def change(body: Any) -> int:
        return ApiClient(sam.api.token).patch(table, body).status

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(change, changes)) == [200] * 4
    for q in ("desk", "eastlight", "new", "d"):
        assert len(sam.api.get(f"/products/?q={q}")["items"]) == 1, q
    assert sam.api.get("/products/?q=table")["items"] == []
