"""Whatever text products hold, files carry it: export then import gives the same products."""

import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from catalog.documents import CategoryRow, Product
from catalog.presenters import present_product
from catalog.serializers import ProductInput
from catalog.services import ProductService
from ecommerce.core.mongo import collection, uses_embedded_store
from tests.commands import run

EXAMPLES: Final = 150 if uses_embedded_store() else 30
"""Over the wire each write takes milliseconds."""
NASTY: Final = (
    '"', ",", ";", "'", "\n", "\r\n", "\r", "\t", " ", "\x0b", "\x1c", "\x85", "\u2028", "\ufeff",
    "=1+1", "+1", "-1", "@a", "'=1", "''", "<b>x</b>", "<", ">", "a < b", "&amp;", "&", "\\", "\\n",
    "null", "true", "Default Title", "0", "é", "e\u0301", "\ufdfa", "\U0001f600", "\u202e", "{}",
)  # fmt: skip
SAME_PRICE: Final = "19.99"
"""Often that of a product and of its variants."""
words = st.one_of(
    st.lists(st.sampled_from(NASTY), min_size=1, max_size=4).map("".join),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12),
)
text = words.map(str.strip).filter(bool)
optional_text = st.one_of(st.none(), text)
cents = st.integers(0, 10**7).map(lambda minor: f"{Decimal(minor).scaleb(-2):.2f}")
pieces = st.integers(0, 10_000)
values = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.sampled_from([1.5, -0.25]), text)
images = st.fixed_dictionaries(
    {
        "url": st.sampled_from(["https://i.example/1.jpg", "http://i.example/a?b=c,d&e='f'\"g\""]),
        "alt": words,
    }
)
variants = st.fixed_dictionaries(
    {
        "sku": text,
        "options": st.dictionaries(st.sampled_from(["size", "colour", "a b"]), text, max_size=3),
        "quantity": pieces,
    },
    optional={"price": st.one_of(cents, st.just(SAME_PRICE)), "compare_at_price": cents},
)
products = st.fixed_dictionaries(
    {"name": text, "price": st.one_of(cents, st.just(SAME_PRICE))},
    optional={
        "description": words,
        "compare_at_price": cents,
        "sku": text,
        "slug": st.just("slug"),
        "brand": text,
        "category": st.sampled_from(["home", "lamps"]),
        "tags": st.lists(text, max_size=3),
        "images": st.lists(images, max_size=2),
        "attributes": st.dictionaries(st.sampled_from(["oak", "weight_g"]), values),
        "status": st.sampled_from(["active", "draft", "archived"]),
        "variants": st.lists(variants, max_size=3),
        "quantity": pieces,
    },
)
OURS: Final = {"id", "version", "created_at", "updated_at"}
"""Members that a shop makes itself."""
NOT_IN_CSV: Final = {"attributes", "related_ids"}
"""Members that Shopify's columns have no place for."""


@pytest.fixture
def tree(make_category: Callable[..., CategoryRow]) -> None:
    make_category("home")
    make_category("lamps", "home")


def stock_up(bodies: list[dict[str, Any]]) -> None:
    """Only these products, as the API would have made them of these bodies."""
    collection(Product).delete_many({})
    for number, given_body in enumerate(bodies):
        body = unique(given_body, number)
        if body.get("variants"):
            body.pop("quantity", None)
        serializer = ProductInput(data=json.loads(json.dumps(body), parse_float=Decimal))
        assume(serializer.is_valid())
        ProductService.create(values=serializer.validated_data)


def unique(body: dict[str, Any], number: int) -> dict[str, Any]:
    """No two products, and no two variants, share a sku or a slug."""
    own: dict[str, Any] = {n: f"{body[n]}-{number}" for n in ("sku", "slug") if n in body}
    made = {**body, **own}
    if "variants" in body:
        made["variants"] = [
            {**variant, "sku": f"{variant['sku']}-{number}-{place}"}
            for place, variant in enumerate(body["variants"])
        ]
    return made


def stored() -> list[Any]:
    return list(collection(Product).find({}).sort([("_id", 1)]))


def shown(*, without: set[str]) -> list[dict[str, Any]]:
    rows = map(present_product, stored())
    return [{name: value for name, value in row.items() if name not in without} for row in rows]


def own_prices() -> list[dict[str, int]]:
    """Of the variants of each product, in minor units."""
    return [
        {one["sku"]: one["price_minor"] for one in row.get("variants", ()) if "price_minor" in one}
        for row in stored()
    ]


def other_prices() -> list[dict[str, int]]:
    """The same without what is the product's price too: a file cannot say whose it is."""
    return [
        {sku: price for sku, price in own.items() if price != row["price_minor"]}
        for own, row in zip(own_prices(), stored(), strict=True)
    ]


def bring_in(path: Path) -> str:
    return run("import_products", str(path)).splitlines()[-1]


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl"])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(bodies=st.lists(products, min_size=1, max_size=4))
@pytest.mark.usefixtures("tree")
def test_what_goes_out_comes_in_again_as_it_was(
    name: str, bodies: list[dict[str, Any]], tmp_path: Path
) -> None:
    stock_up(bodies)
    path, count, before = tmp_path / name, len(bodies), stored()
    call_command("export_products", str(path), stderr=StringIO())
    assert bring_in(path) == f"0 created, 0 updated, {count} unchanged, 0 faulty."
    assert stored() == before, "into the shop that it came from: nothing changes"

    without = OURS | (NOT_IN_CSV if name == "all.csv" else set())
    expected, prices = shown(without=without), other_prices()
    collection(Product).delete_many({})
    assert bring_in(path) == f"{count} created, 0 updated, 0 unchanged, 0 faulty."
    assert shown(without=without) == expected, "into an empty shop: the same products"
    assert own_prices() == prices, (
        "those that cost what the product does have no price of their own"
    )
