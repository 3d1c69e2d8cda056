"""Demo data that is the same for the same seed: run again, it adds only what is missing."""

import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from bson import ObjectId
from django.conf import settings

from accounts.errors import DuplicateUserError
from accounts.principal import Principal
from accounts.roles import Role
from accounts.selectors import user_for_login
from accounts.services import UserService
from carts.selectors import has_carts
from carts.services import Item, ShoppingCartService
from carts.shopper import Shopper
from catalog.documents import ProductStatus
from catalog.selectors import categories_by_slug, products_for_sale
from catalog.services import CategoryService, ProductService
from catalog.services.categories import NewCategory
from demo.words import ADJECTIVES, BRANDS, CATALOG, FIRST_NAMES, SENTENCES, TAGS, TREE
from ecommerce.core.idempotency import Operation

DEMO_LOGINS: Final = (
    ("demo", "demo-shop-2026", Role.CUSTOMER),
    ("staff", "staff-shop-2026", Role.STAFF),
)
_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_BATCH: Final = 500

Progress = Callable[[int], None]
"""Told how many more are done."""


def seed_demo_logins() -> int:
    """The two logins the start banner names; how many were missing. Development only."""
    return sum(
        _register(name, f"{name}@example.com", password, role)
        for name, password, role in DEMO_LOGINS
    )


def seed_categories() -> None:
    """The tree that demo products stand in, as far as it is missing."""
    there = categories_by_slug(slug for slug, _, _ in TREE)
    missing: list[NewCategory] = [
        {"slug": slug, "name": name, "parent": parent, "position": position}
        for position, (slug, name, parent) in enumerate(TREE)
        if slug not in there
    ]
    if missing:
        CategoryService.create_many(values=missing)


def seed_products(count: int, *, seed: int, progress: Progress = lambda _: None) -> int:
    """`count` products of this seed, with their categories; how many were missing."""
    seed_categories()
    products, added = _products(count, seed), 0
    while batch := list(islice(products, _BATCH)):
        added += ProductService.create_many(products=batch)
        progress(len(batch))
    return added


def seed_users(count: int, *, seed: int, progress: Progress = lambda _: None) -> int:
    """`count` customers of this seed, whom nobody can sign in as; how many were missing."""
    added = 0
    for number in range(count):
        name = f"{FIRST_NAMES[number % len(FIRST_NAMES)]}.{seed}.{number}"
        if user_for_login(name) is None:
            added += _register(name, f"{name}@example.com", secrets.token_urlsafe(24))
        progress(1)
    return added


@dataclass(frozen=True, slots=True)
class SeededCarts:
    """What became of the carts that were asked for; the others were there."""

    added: int
    left_out: int
    """Their customers are not there."""


def seed_carts(count: int, *, seed: int, progress: Progress = lambda _: None) -> SeededCarts:
    """A cart for each of the first `count` customers of this seed that has none."""
    chance = random.Random(f"carts-{seed}")  # noqa: S311 - demo data, not secrets
    offered = [
        row
        for row in products_for_sale(limit=200)
        if row["quantity"] > 0 and not row.get("variants")
    ]
    added = left_out = 0
    for number in range(count):
        name = f"{FIRST_NAMES[number % len(FIRST_NAMES)]}.{seed}.{number}"
        chosen = chance.sample(offered, k=min(len(offered), chance.randint(1, 5)))
        owner = user_for_login(name)
        if owner is None:
            left_out += 1
        elif not has_carts(owner["_id"]):
            caller = Principal(owner["_id"], name, Role.CUSTOMER)
            items = [Item(str(row["_id"]), min(row["quantity"], 2)) for row in chosen]
            ShoppingCartService.create(
                shopper=Shopper(caller), operation=Operation.unkeyed(), items=items
            )
            added += 1
        progress(1)
    return SeededCarts(added, left_out)


def _register(name: str, email: str, password: str, role: Role = Role.CUSTOMER) -> bool:
    try:
        user = UserService.register(
            username=name, email=email, password=password, email_verified=True
        )
    except DuplicateUserError:
        return False
    if role is not Role.CUSTOMER:
        UserService.set_role(user=user, role=role)
    return True


def _products(count: int, seed: int) -> Iterator[dict[str, Any]]:
    tree = categories_by_slug(CATALOG)
    chance = random.Random(f"products-{seed}")  # noqa: S311 - demo data, not secrets
    for number in range(count):
        values = _product(chance, seed, number)
        category = tree[values["category"]]
        values |= {"category_path": category["path"], "tree_version": category["tree_version"]}
        yield values


def _product(chance: random.Random, seed: int, number: int) -> dict[str, Any]:
    category = chance.choice(list(CATALOG))
    name = f"{chance.choice(ADJECTIVES)} {chance.choice(CATALOG[category])}"
    made = _EPOCH + timedelta(minutes=number)
    sku = f"DEMO-{seed}-{number:06d}"
    return {
        "id": _same_id(made, seed, number),
        "name": name,
        "slug": f"{name.lower().replace(' ', '-')}-{seed}-{number}",
        "description": " ".join(chance.sample(SENTENCES, k=2)),
        "price_minor": chance.randint(2, 400) * 50 + chance.choice((0, 45, 49)),
        "currency": settings.CURRENCY,
        "quantity": chance.choice((0, 1, 3, 8, 20, 50, 200, 500)),
        "sku": sku,
        "brand": chance.choice(BRANDS),
        "category": category,
        "tags": sorted(chance.sample(TAGS, k=chance.randint(0, 3))),
        "status": str(ProductStatus.ACTIVE),
        "created_at": made,
        "updated_at": made,
    }


def _same_id(made: datetime, seed: int, number: int) -> ObjectId:
    """An id that depends on nothing but its arguments, so that a second run finds the first."""
    tail = random.Random(f"{seed}-{number}").randbytes(8)  # noqa: S311 - demo data, not secrets
    return ObjectId(int(made.timestamp()).to_bytes(4, "big") + tail)
