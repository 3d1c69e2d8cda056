"""POSTs that need no body take none: what a client says there is not left unheard."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.documents import ProductRow
from tests.client import Person

PATHS = ["/items/LAMP/save", "/saved-items/MUG/restore", "/refresh-prices"]


@pytest.fixture
def at(
    make_product: Callable[..., ProductRow], alice: Person, sam: Person
) -> Callable[[str], tuple[str, str]]:
    """The cart, and a path of it: a lamp whose price has changed is in it, a mug is saved."""
    lamp, mug = str(make_product()["_id"]), str(make_product()["_id"])
    items = [{"product_id": product, "quantity": 1} for product in (lamp, mug)]
    cart = f"/shopping-carts/{alice.api.post('/shopping-carts/', {'items': items})['id']}"
    alice.api.post(f"{cart}/items/{mug}/save")
    sam.api.patch(f"/products/{lamp}", {"price": 25})
    return lambda path: (cart, cart + path.replace("LAMP", lamp).replace("MUG", mug))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("raw", "kind", "outcome"),
    [
        (b'{"quantity": 1}', "application/json", (400, "validation_error")),
        (b"[]", "application/json", (400, "validation_error")),
        (b"{", "application/json", (400, "malformed_json")),
        (b"now", "text/plain", (415, "unsupported_media_type")),
    ],
)
def test_a_body_that_says_something_is_refused_and_nothing_changes(
    raw: bytes, kind: str, outcome: tuple[int, str], path: str,
    at: Callable[[str], tuple[str, str]], alice: Person,
) -> None:  # fmt: skip
    cart, address = at(path)
    before = alice.api.get(cart).json()
    assert alice.api.send("POST", address, raw=raw, content_type=kind).outcome == outcome
    assert alice.api.get(cart).json() == before


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [None, {}])
def test_no_body_and_an_empty_one_are_the_same(
    body: Any, path: str, at: Callable[[str], tuple[str, str]], alice: Person
) -> None:
    _, address = at(path)
    answer = alice.api.post(address, body)
    assert (answer.status, answer["version"]) == (200, 3)
