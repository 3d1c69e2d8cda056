"""What several files of tests about carts start from."""

import pytest

from tests.client import Person


@pytest.fixture
def cart(alice: Person) -> str:
    """The path of an empty cart of alice."""
    return f"/shopping-carts/{alice.api.post('/shopping-carts/', {})['id']}"
