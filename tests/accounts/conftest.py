"""What several files of tests about accounts start from."""

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest

from accounts.services.mail_tokens import MailTokenService
from ecommerce.core.background import wait_until_idle
from ecommerce.settings import base
from tests.client import ApiClient, Person
from tests.inbox import Inbox


@pytest.fixture
def real_hashing(settings: Any) -> None:
    """The hash of production."""
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS


@pytest.fixture
def held_mails(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Links wait in the background to be mailed, as behind a slow mail server, until told."""
    goes_on, issue = Event(), MailTokenService.issue

    def slow(**values: Any) -> str:
        assert goes_on.wait(10)
        return issue(**values)

    monkeypatch.setattr(MailTokenService, "issue", slow)
    yield goes_on.set
    goes_on.set()
    assert wait_until_idle(10)


@pytest.fixture
def busy_alice(alice: Person, inbox: Inbox) -> Person:
    """Alice with something of everything that is stored about users."""
    alice.api.post("/shopping-carts/", {})
    alice.api.patch("/users/me", {"email": "alice@example.org"})
    ApiClient().post("/password-reset", {"email": "alice@example.org"})
    assert inbox.token("alice@example.org")
    return alice
