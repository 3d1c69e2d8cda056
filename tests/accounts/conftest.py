"""What several files of tests about accounts start from."""

import pytest

from tests.client import ApiClient, Person
from tests.inbox import Inbox


@pytest.fixture
def busy_alice(alice: Person, inbox: Inbox) -> Person:
    """Alice with something of everything that is stored about users."""
    alice.api.post("/shopping-carts/", {})
    alice.api.patch("/users/me", {"email": "alice@example.org"})
    ApiClient().post("/password-reset", {"email": "alice@example.org"})
    assert inbox.token("alice@example.org")
    return alice
