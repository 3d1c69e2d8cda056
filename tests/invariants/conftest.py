"""The shop that the rules are tried on."""

from collections.abc import Callable

import pytest

from catalog.documents import ProductRow
from tests.client import Person
from tests.invariants.shop import Shop, fill


@pytest.fixture
def shop(alice: Person, bob: Person, sam: Person, make_product: Callable[..., ProductRow]) -> Shop:
    """One of everything, with every rule kept."""
    return fill(alice, bob, sam, make_product)
