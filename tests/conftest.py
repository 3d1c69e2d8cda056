"""What every test may use: an empty store, people with their clients, a catalog."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bson import ObjectId
from django.conf import settings
from django.core.cache import caches
from django.core.mail import EmailMessage

from accounts import login_limits
from accounts.documents import User, UserRow
from accounts.principal import Principal
from accounts.roles import Role, role_of
from accounts.services import TokenService, UserService
from catalog.documents import CategoryRow, ProductRow
from catalog.services import CategoryService, ProductService
from ecommerce.core import mongo
from ecommerce.core.background import wait_until_idle
from ecommerce.core.document_classes import documents
from ecommerce.core.indexes import ensure_indexes
from tests import operations, queries
from tests.client import PASSWORD, ApiClient, Person
from tests.faults import DiesAt, KilledError
from tests.inbox import Inbox
from tests.security.expectations import World


@pytest.fixture(scope="session", autouse=True)
def _connected_store() -> Iterator[None]:
    """One connection for the whole run; a server's database is dropped afterwards."""
    operations.watch()
    queries.watch()
    mongo.connect()
    ensure_indexes()
    yield
    mongo.disconnect()


@pytest.fixture(autouse=True)
def _every_query_has_its_index(_connected_store: None) -> Iterator[None]:
    """Each process of a run fails the test that sent a query without one."""
    yield
    assert queries.faults() == []


@pytest.fixture(autouse=True)
def store() -> Iterator[None]:
    """Every test starts with empty collections, their indexes in place, and an empty cache."""
    for document in documents():
        mongo.collection(document).delete_many({})
    for cache in caches.all(initialized_only=True):
        cache.clear()
    login_limits.store.forget_own()
    yield
    assert wait_until_idle(10), "what a test left to be done is done before the next one"


@pytest.fixture(scope="session")
def _people_rows(_connected_store: None) -> dict[str, UserRow]:
    """Registered once: hashing four passwords for every test would be most of the run."""
    roles = {
        "alice": Role.CUSTOMER, "bob": Role.CUSTOMER, "sam": Role.STAFF, "ada": Role.ADMIN,
    }  # fmt: skip
    people = {}
    for name, role in roles.items():
        user = UserService.register(
            username=name, email=f"{name}@example.com", password=PASSWORD, email_verified=True
        )
        people[name] = {**user, "role": role.value}
    return people  # type: ignore[return-value]


@pytest.fixture
def make_person(_people_rows: dict[str, UserRow]) -> Callable[[str], Person]:
    """A person by name, stored anew, signed in."""

    def make(name: str) -> Person:
        row = {**_people_rows[name], "_id": ObjectId()}
        mongo.collection(User).insert_one(dict(row))
        pair = TokenService.issue(user=row)  # type: ignore[arg-type]
        principal = Principal(row["_id"], name, role_of(row))  # type: ignore[arg-type]
        return Person(principal, ApiClient(pair.access_token), pair)

    return make


@pytest.fixture
def alice(make_person: Callable[[str], Person]) -> Person:
    """A customer."""
    return make_person("alice")


@pytest.fixture
def bob(make_person: Callable[[str], Person]) -> Person:
    """Another customer."""
    return make_person("bob")


@pytest.fixture
def sam(make_person: Callable[[str], Person]) -> Person:
    """Staff."""
    return make_person("sam")


@pytest.fixture
def ada(make_person: Callable[[str], Person]) -> Person:
    """An admin."""
    return make_person("ada")


@pytest.fixture
def anyone() -> ApiClient:
    """Somebody without a token."""
    return ApiClient()


@pytest.fixture
def make_product() -> Callable[..., ProductRow]:
    """A product of the catalog; 19.99 with 10 in stock unless said otherwise."""

    def make(**values: Any) -> ProductRow:
        given = {"name": "Lamp", "price_minor": 1999, "quantity": 10, "status": "active", **values}
        return ProductService.create(values=given)

    return make


@pytest.fixture
def make_category() -> Callable[..., CategoryRow]:
    """A category by its slug, with a name made of it."""

    def make(slug: str, parent: str | None = None, **values: Any) -> CategoryRow:
        new: Any = {"slug": slug, "name": slug.title(), "parent": parent, **values}
        return CategoryService.create(values=new)

    return make


@pytest.fixture
def lamp(make_product: Callable[..., ProductRow]) -> ProductRow:
    """The usual product."""
    return make_product()


@pytest.fixture
def world(
    alice: Person,
    bob: Person,
    sam: Person,
    ada: Person,
    make_category: Callable[..., CategoryRow],
    make_product: Callable[..., ProductRow],
) -> World:
    """People, a category, a product and a cart of alice's."""
    category, product = make_category("lamps"), make_product()
    lines = {"items": [{"product_id": str(product["_id"]), "quantity": 1}]}
    cart = alice.api.post("/shopping-carts/", lines)["id"]
    return World(alice, bob, sam, ada, str(product["_id"]), category["slug"], cart)


@pytest.fixture
def inbox(mailoutbox: list[EmailMessage]) -> Inbox:
    """Every mail that goes out."""
    return Inbox(mailoutbox)


@pytest.fixture
def limits_on(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate limits as in production; the windows of a process alone begin with the test."""
    settings.RATE_LIMITS_ENABLED = True
    began = time.time()

    def window(_value: object, period: int) -> int:
        return int(began + ((time.time() - began) // period + 1) * period)

    monkeypatch.setattr("django_ratelimit.core._get_window", window)


@pytest.fixture
def dies_at(settings: Any) -> DiesAt:
    """Have the process die (KilledError) at the next checkpoint of a name, once."""

    def arm(name: str) -> None:
        def die(reached: str) -> None:
            if reached == name:
                settings.CHECKPOINT = None
                raise KilledError

        settings.CHECKPOINT = die

    return arm


def pytest_report_header() -> str:
    """Which store the run is about."""
    where = settings.MONGODB_URI or "embedded"
    return f"store: {where}; cache: {settings.REDIS_URL or 'local memory'}; pid {os.getpid()}"
