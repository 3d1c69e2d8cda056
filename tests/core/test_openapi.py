"""The OpenAPI document: complete, and what a generated client would want."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from accounts.rules import RULES
from catalog.documents import ProductRow
from ecommerce.core.money import to_minor
from tests.client import ApiClient, Person


def operations(document: Any) -> list[tuple[str, str, Any]]:
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def test_every_row_of_the_api_is_there(document: Any) -> None:
    assert {path: set(item) for path, item in document["paths"].items()} == {
        "/token": {"post"},
        "/token/revoke": {"post"},
        "/users/": {"get", "post"},
        "/audit-events/": {"get"},
        "/users/{id}": {"get", "put", "patch", "delete"},
        "/users/me/export": {"get"},
        "/users/me/password": {"post"},
        "/users/{id}/sessions": {"get", "delete"},
        "/users/{id}/sessions/{session_id}": {"delete"},
        "/users/me/verify-email": {"post"},
        "/users/verify-email": {"post"},
        "/password-reset": {"post"},
        "/password-reset/confirm": {"post"},
        "/products/": {"get", "post"},
        "/products/{id}": {"get", "put", "patch", "delete"},
        "/products/{id}/stock": {"get", "post"},
        "/products/bulk": {"post"},
        "/products/facets": {"get"},
        "/products/suggest": {"get"},
        "/products/imports": {"get", "post"},
        "/products/imports/{id}": {"get"},
        "/products/imports/{id}/rows": {"get"},
        "/products/exports": {"get"},
        "/categories/": {"get", "post"},
        "/categories/{id}": {"get", "put", "patch", "delete"},
        "/categories/{id}/products": {"get"},
        "/shopping-carts/": {"get", "post"},
        "/shopping-carts/{id}": {"get", "put", "patch", "delete"},
        "/shopping-carts/{id}/items": {"post"},
        "/shopping-carts/{id}/items/{product_id}": {"put", "patch", "delete"},
        "/shopping-carts/{id}/items/{product_id}/save": {"post"},
        "/shopping-carts/{id}/saved-items/{product_id}": {"delete"},
        "/shopping-carts/{id}/saved-items/{product_id}/restore": {"post"},
        "/shopping-carts/{id}/clear": {"delete"},
        "/shopping-carts/{id}/refresh-prices": {"post"},
        "/shopping-carts/{id}/merge": {"post"},
    }


def test_every_operation_has_a_name_a_summary_a_tag_and_its_errors(document: Any) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names) == 57
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        assert len(operation["tags"]) == 1
        statuses = {int(status) for status in operation["responses"]}
        assert min(statuses) < 300, (path, method)
        assert any(status >= 400 for status in statuses), (path, method)


def codes(operation: Any, status: str, media_type: str = "application/problem+json") -> set[str]:
    """The problems that an operation says it may answer with a status."""
    content = operation["responses"].get(status, {}).get("content", {})
    examples = content.get(media_type, {}).get("examples", {})
    return {example["value"]["code"] for example in examples.values()}


def test_every_operation_names_the_refusals_that_any_request_may_get(document: Any) -> None:
    for path, method, operation in operations(document):
        if path.startswith("/token"):
            assert {"400", "406", "415"} <= operation["responses"].keys(), (path, method)
        else:
            assert "validation_error" in codes(operation, "400"), (path, method)
            assert codes(operation, "406") == {"not_acceptable"}, (path, method)
        if method in {"post", "put", "patch"}:
            assert codes(operation, "411") == {"length_required"}, (path, method)
            assert codes(operation, "413") == {"body_too_large"}, (path, method)
            assert "unsupported_content_encoding" in codes(operation, "415"), (path, method)


def test_what_a_body_of_json_is_refused_for_stands_in_every_operation_that_reads_one(
    document: Any,
) -> None:
    refusals = {
        "malformed_json", "duplicate_key", "too_deep", "invalid_utf8", "invalid_unicode",
        "nul_character", "integer_out_of_range", "incomplete_body",
    }  # fmt: skip
    for path, method, operation in operations(document):
        if path.startswith("/token"):
            continue
        found = codes(operation, "400")
        assert {"nul_character", "invalid_utf8"} <= found, (path, method)
        if path == "/products/imports" and method == "post":
            assert "incomplete_body" in found
            assert "malformed_json" not in found, "a file is judged row by row"
        elif method in {"post", "put", "patch"}:
            assert refusals <= found, (path, method)
        else:
            assert found.isdisjoint(refusals - {"nul_character", "invalid_utf8"}), (path, method)


def members(document: Any, operation: Any, status: str) -> set[str]:
    """The members that a problem of this status may have."""
    reference = operation["responses"][status]["content"]["application/problem+json"]["schema"]
    shape = document["components"]["schemas"][reference["$ref"].rsplit("/", 1)[1]]
    return set(shape["properties"])


def test_examples_of_problems_have_the_titles_and_members_of_real_ones(
    document: Any, lamp: ProductRow, alice: Person, sam: Person, anyone: ApiClient
) -> None:
    anyones = anyone.post("/shopping-carts/", {"items": []})
    guests, secret = f"/shopping-carts/{anyones['id']}", {"X_Cart_Token": anyones["cart_token"]}
    cart = f"/shopping-carts/{alice.api.post('/shopping-carts/', {'items': []})['id']}"
    alice.api.post(f"{guests}/merge", {"into": cart.split("/")[2]}, **secret)
    too_many = {"product_id": str(lamp["_id"]), "quantity": 11}
    product, of_cart = "/products/{id}", "/shopping-carts/{id}"
    real = [
        (product, "get", anyone.get("/products/nothing")),
        (product, "patch", anyone.patch(f"/products/{lamp['_id']}", {})),
        (product, "patch", anyone.patch(f"/products/{lamp['_id']}", {}, Authorization="Bearer x")),
        (product, "patch", alice.api.patch(f"/products/{lamp['_id']}", {})),
        (product, "patch", sam.api.patch(f"/products/{lamp['_id']}", {"name": 1})),
        (product, "patch", sam.api.send("PATCH", f"/products/{lamp['_id']}", raw=b"{")),
        (product, "patch", sam.api.patch(f"/products/{lamp['_id']}", {}, If_Match='"v9"')),
        ("/products/", "get", anyone.get("/products/", Accept="image/png")),
        (of_cart, "delete", alice.api.delete(cart, If_Match='"v9"')),
        (of_cart, "delete", alice.api.delete(guests, **secret)),
        (f"{of_cart}/items", "post", alice.api.post(f"{cart}/items", too_many)),
        ("/products/{id}/stock", "post", sam.api.post(
            f"/products/{lamp['_id']}/stock", {"delta": -99, "reason": "broken"})),
    ]  # fmt: skip
    for path, method, answer in real:
        operation, problem = document["paths"][path][method], answer.json()
        status = str(answer.status)
        content = operation["responses"][status]["content"]["application/problem+json"]
        shown = {one["value"]["code"]: one["value"] for one in content["examples"].values()}
        example = shown[problem["code"]]
        assert example["title"] == problem["title"], (path, method, status)
        assert problem.keys() <= members(document, operation, status), problem["code"]
        assert example.keys() <= members(document, operation, status), problem["code"]
    assert real[-4][2]["cart"]["version"] == 2
    assert real[-3][2]["merged_into"] == cart.split("/")[2]


def test_each_write_may_refuse_a_condition_that_it_does_not_know(document: Any) -> None:
    for path, method, operation in operations(document):
        if not path.startswith("/token"):
            refuses = "unsupported_condition" in codes(operation, "400")
            assert refuses is (method != "get"), (path, method)


def test_a_description_names_each_code_once(document: Any) -> None:
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            named = re.findall("`[a-z_0-9]+`", answer["description"])
            assert len(named) == len(set(named)), (path, method, status)


def test_what_is_tried_again_while_a_cart_moves_says_that_it_may_be_in_vain(
    document: Any,
) -> None:
    cart, saved = "/shopping-carts/{id}", "saved-items/{product_id}"
    for path, method in (
        ("/shopping-carts/", "post"),
        (cart, "put"),
        (cart, "patch"),
        (f"{cart}/items", "post"),
        (f"{cart}/items/{{product_id}}/save", "post"),
        (f"{cart}/{saved}/restore", "post"),
        (f"{cart}/refresh-prices", "post"),
        (f"{cart}/merge", "post"),
    ):
        assert "cart_busy" in codes(document["paths"][path][method], "409"), (path, method)


def test_a_cart_that_is_started_may_be_gone_when_that_is_tried_again(document: Any) -> None:
    operation = document["paths"]["/shopping-carts/"]["post"]
    assert codes(operation, "404") == {"cart_not_found", "product_not_found", "user_not_found"}


def test_a_refusal_for_want_of_stock_shows_how_many_are_left(document: Any) -> None:
    paths, shown = document["paths"], "InsufficientStock"
    for path, method, members in (
        ("/shopping-carts/", "post", {"product_id", "sku", "available_quantity", "in_cart"}),
        ("/shopping-carts/{id}/items", "post", {"available_quantity", "in_cart"}),
        ("/shopping-carts/{id}", "put", {"available_quantity"}),
        ("/shopping-carts/{id}/items/{product_id}", "put", {"available_quantity"}),
        ("/shopping-carts/{id}/saved-items/{product_id}/restore", "post", {"available_quantity"}),
        ("/products/{id}/stock", "post", {"available_quantity"}),
    ):
        content = paths[path][method]["responses"]["409"]["content"]["application/problem+json"]
        example = content["examples"][shown]["value"]
        assert members <= example.keys(), (path, method)
        if method == "put":
            assert "in_cart" not in example, "it is set, not added to what is there"


def test_the_list_says_how_its_filters_compare_and_in_which_order_ids_come(document: Any) -> None:
    parameters = document["paths"]["/products/"]["get"]["parameters"]
    said = {one["name"]: one.get("description", "") for one in parameters}
    assert "capitals count" in said["brand"]
    assert "capitals count" in said["tag"]
    assert "in its `ordering`, not as they are named here" in said["ids"]
    assert "at most `limit` on a page" in said["ids"]


def test_what_has_a_tag_names_304(document: Any) -> None:
    for path in ("/products/", "/products/{id}", "/products/facets", "/products/suggest"):
        assert "304" in document["paths"][path]["get"]["responses"], path


def test_an_error_of_oauth_stays_one_where_problems_are_added(document: Any) -> None:
    for path in ("/token", "/token/revoke"):
        refusal = document["paths"][path]["post"]["responses"]["415"]
        assert list(refusal["content"]) == ["application/json", "application/problem+json"]


def test_every_operation_says_who_may_call_it(document: Any) -> None:
    for path, method, operation in operations(document):
        rule = RULES[operation["x-permission"]]
        assert operation["description"].endswith(f"Who may: {rule.who}."), (path, method)
        assert (not operation.get("security") or {} in operation["security"]) is rule.is_public
        denies = {"401", "403"} <= operation["responses"].keys()
        assert denies or rule.is_public, (path, method)


def test_whatever_reads_a_token_or_a_key_may_refuse_it(document: Any) -> None:
    secured = [one for one in operations(document) if one[2].get("security")]
    silent = [
        (path, method)
        for path, method, operation in secured
        if not {"invalid_token", "invalid_api_key"} <= codes(operation, "401")
    ]
    assert len(secured) > 40
    assert silent == []


def test_every_body_has_an_example(document: Any) -> None:
    for path, method, operation in operations(document):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            assert media["examples"], (path, method)


def examples(node: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where each example stands, the schema that it is of, and the example."""
    if isinstance(node, list):
        for number, member in enumerate(node):
            yield from examples(member, f"{path}/{number}")
    if not isinstance(node, dict):
        return
    if "example" in node:
        yield path, node, node["example"]
    for name, example in node.get("examples", {}).items():
        yield f"{path}/{name}", node["schema"], example["value"]
    for name, member in node.items():
        if name not in {"example", "examples"}:
            yield from examples(member, f"{path}/{name}")


def faults(document: Any, schema: Any, value: Any) -> list[str]:
    validator = Draft202012Validator({**schema, "components": document["components"]})
    return [fault.message for fault in validator.iter_errors(value)]


def test_every_example_is_what_its_schema_says(document: Any) -> None:
    """Prices too: 19.99 is no multiple of 0.01 to who computes with doubles."""
    found = list(examples(document))
    wrong = {path: said for path, *pair in found if (said := faults(document, *pair))}
    assert len(found) > 500
    assert wrong == {}


@pytest.mark.parametrize(
    ("currency", "right", "wrong"),
    [
        ("USD", [0, 19.99, 0.07, 99999999.99, "19.9", "99999999.99"],
         [-1, 100000000, "1.999", "100000000", "-1", "1e3", "1.", ""]),
        ("JPY", [0, 1999, 9999999999, "9999999999"], [10000000000, "19.99", "10000000000"]),
        ("KWD", [0, 1.999, 9999999.999, "1.999", "9999999.999"],
         [10000000, "1.9999", "10000000"]),
    ],
)  # fmt: skip
def test_a_price_is_documented_in_the_currency_of_the_shop(
    currency: str, right: list[Any], wrong: list[Any], settings: Any, anyone: ApiClient
) -> None:
    settings.CURRENCY = currency
    document = anyone.get("/openapi.json").json()
    price = document["components"]["schemas"]["ProductInputRequest"]["properties"]["price"]
    (decimals,) = re.findall(r"at most (\d) decimals", price["oneOf"][0]["description"])
    assert (currency, int(decimals)) in {("USD", 2), ("JPY", 0), ("KWD", 3)}
    for value in [*right, price["example"]]:
        assert faults(document, price, value) == [], value
        assert to_minor(Decimal(str(value)), currency) >= 0
    for value in wrong:
        assert faults(document, price, value) != [], value


def test_signing_in_is_the_password_flow(document: Any) -> None:
    scheme = document["components"]["securitySchemes"]
    assert scheme == {
        "password": {
            "type": "oauth2",
            "flows": {"password": {"tokenUrl": "/token", "refreshUrl": "/token", "scopes": {}}},
        },
        "serviceKey": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": (
                "For machines: `Api-Key <key>`, with a key of `manage.py api_keys create`."
            ),
        },
        "cartToken": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Cart-Token",
            "description": "For guests: the `cart_token` that `POST /shopping-carts/` answered.",
        },
    }
    carts = document["paths"]["/shopping-carts/"]
    assert carts["get"]["security"] == [{"password": []}, {"serviceKey": ["carts:read"]}]
    assert carts["post"]["security"] == [{"password": []}, {}], "guests start carts too"


def test_a_guest_puts_the_secret_of_a_cart_into_authorize(document: Any) -> None:
    alone: Any = [{"password": []}, {"cartToken": []}, {}]
    both: Any = [{"password": [], "cartToken": []}, {"password": []}]
    opened = [
        (path, operation["security"])
        for path, _, operation in operations(document)
        if "X-Cart-Token" in {one["name"] for one in operation.get("parameters", ())}
    ]
    assert len(opened) == 14
    for path, security in opened:
        assert security == (both if path.endswith("/merge") else alone), path
    others = [
        path
        for path, _, operation in operations(document)
        if "cartToken" in str(operation.get("security")) and path not in dict(opened)
    ]
    assert others == []


def test_an_operation_names_the_scope_that_opens_it_to_a_key(document: Any) -> None:
    for path, method, operation in operations(document):
        rule = RULES[operation["x-permission"]]
        scopes = [
            scheme["serviceKey"]
            for scheme in operation.get("security", [])
            if scheme.get("serviceKey")
        ]
        assert scopes == ([[rule.scope]] if rule.scope else []), (path, method)


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/redoc", "/redoc/", "/"])
def test_the_pages_need_nothing_from_outside(path: str, anyone: ApiClient) -> None:
    answer = anyone.get(path, Accept="text/html")
    assert answer.status == 200
    page = answer.body.decode()
    assert 'src="http' not in page
    assert 'href="http' not in page.replace('href="https://www.django-rest-framework.org', "")


def test_each_write_of_a_cart_may_find_it_busy(document: Any) -> None:
    writes = [
        (path, method, operation)
        for path, method, operation in operations(document)
        if path.startswith("/shopping-carts/") and method != "get"
    ]
    silent = [
        f"{method} {path}"
        for path, method, operation in writes
        if "`cart_busy`" not in operation["responses"]["409"]["description"]
    ]
    assert len(writes) == 14
    assert silent == []


def test_no_parameter_of_a_query_is_null(document: Any) -> None:
    """A query has text alone: what is not asked is left out."""
    nullable = [
        (path, one["name"])
        for path, _, operation in operations(document)
        for one in operation.get("parameters", [])
        if "null" in one["schema"].get("type", "")
    ]
    assert nullable == []
