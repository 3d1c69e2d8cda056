"""The OpenAPI document: complete, and what a generated client would want."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from accounts.rules import RULES
from ecommerce.core.money import to_minor
from tests.client import ApiClient
from tests.core.api_document import operations


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


def test_every_operation_says_who_may_call_it(document: Any) -> None:
    for path, method, operation in operations(document):
        rule = RULES[operation["x-permission"]]
        assert operation["description"].endswith(f"Who may: {rule.who}."), (path, method)
        assert (not operation.get("security") or {} in operation["security"]) is rule.is_public
        denies = {"401", "403"} <= operation["responses"].keys()
        assert denies or rule.is_public, (path, method)


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


def parameter(operation: Any, name: str) -> str:
    """What is said of a parameter."""
    said = {one["name"]: one.get("description", "") for one in operation["parameters"]}
    return str(said[name])


def test_what_a_client_would_else_find_out_by_trying_stands_in_the_text(document: Any) -> None:
    paths = document["paths"]
    key = parameter(paths["/products/"]["post"], "Idempotency-Key")
    assert "corrected input needs a new key" in key
    assert "`next` does not carry it on" in parameter(paths["/products/"]["get"], "count")
    for path, method, operation in operations(document):
        assert ("set by the server" in operation["description"]) is (method == "put"), path


def test_no_parameter_of_a_query_is_null(document: Any) -> None:
    """A query has text alone: what is not asked is left out."""
    nullable = [
        (path, one["name"])
        for path, _, operation in operations(document)
        for one in operation.get("parameters", [])
        if "null" in one["schema"].get("type", "")
    ]
    assert nullable == []
