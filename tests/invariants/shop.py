"""A shop with one of everything, breaking what it stores, and what the command says then."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from typing import Any

import mongoengine
from bson import ObjectId
from django.core.management import CommandError, call_command

from accounts.documents import AuditEvent, MailToken, Purpose
from accounts.rules import Scope
from accounts.selectors import user
from accounts.services import ApiKeyService
from accounts.services.mail_tokens import MailTokenService
from catalog.documents import ProductRow, StockMovement
from catalog.importing.jobs import run_next
from catalog.services import CategoryService, ImportJobService, ProductService
from ecommerce.core import mongo
from ecommerce.core.document_classes import documents
from ecommerce.core.documents import DataMigrationRecord, IdempotencyRecord
from ecommerce.core.mongo import collection, utc_now
from tests.client import ApiClient, Person

Document = type[mongoengine.Document]
Broken = dict[str, list[str]]
"""Ids by the full name of the rule that they break."""


@dataclass(frozen=True)
class Shop:
    """Ids of what is in it."""

    alice: ObjectId
    bob: ObjectId
    lamp: ObjectId
    shirt: ObjectId
    gone: ObjectId
    lighting: ObjectId
    home: ObjectId
    old_category: ObjectId
    cart: ObjectId
    """Alice's: a lamp, a shirt saved for later, and what was in `source`."""
    other_cart: ObjectId
    """Bob's, empty."""
    guest: ObjectId
    """A guest's cart with a lamp."""
    source: ObjectId
    """The guest's cart that was merged into alice's."""
    mailed: str
    """Alice's, to reset her password."""
    key: ObjectId
    event: ObjectId
    record: str
    movement: ObjectId
    job: ObjectId
    waiting_job: ObjectId


def fill(alice: Person, bob: Person, sam: Person, make_product: Callable[..., ProductRow]) -> Shop:
    """A shop, filled over the API and the services."""
    categories = CategoryService.create_many(
        values=[
            {"name": "Home", "slug": "home"},
            {"name": "Lighting", "slug": "lighting", "parent": "home"},
            {"name": "Old", "slug": "old"},
        ]
    )
    CategoryService.delete(reference="old")
    lamp = make_product(
        sku="L-1", slug="lamp", brand="Aldershaw", tags=["new"], category="lighting"
    )["_id"]
    sizes = [{"sku": f"S-{size}", "options": [], "quantity": 5} for size in "ML"]
    shirt = make_product(name="Shirt", variants=sizes)["_id"]
    gone = make_product(name="Gone", sku="G-1", slug="gone")["_id"]
    ProductService.delete(product_id=str(gone))
    stock = f"/products/{lamp}/stock"
    moved = sam.api.post(stock, {"delta": 5, "reason": "delivery"}, Idempotency_Key="k" * 36)
    assert moved.status == 200, moved.body
    guest, source = (_guests_cart(lamp) for _ in range(2))
    cart = alice.api.post("/shopping-carts/", {"items": [_item(lamp), _item(shirt, sku="S-M")]})
    path = f"/shopping-carts/{cart['id']}"
    saved = alice.api.post(f"{path}/items/{shirt}/save?sku=S-M")
    assert saved.status == 200, saved.body
    merged = alice.api.post(
        f"/shopping-carts/{source['id']}/merge",
        {"into": cart["id"], "mode": "sum"},
        X_Cart_Token=source["cart_token"],
    )
    assert merged.status == 200, merged.body
    MailTokenService.issue(
        user=user(str(alice.principal.id), caller=alice.principal),
        purpose=Purpose.RESET_PASSWORD,
        email="alice@example.com",
    )
    key, _ = ApiKeyService.create(
        name="till", scopes=[next(iter(Scope))], lifetime=timedelta(days=9)
    )
    mongo.insert(DataMigrationRecord, id=1, name="tried", state="done", lease_until=utc_now())
    done, waiting = (_import(sam, name) for name in ("Chair", "Table"))
    assert run_next(stop=lambda: False)
    return Shop(
        alice=alice.principal.id,
        bob=bob.principal.id,
        lamp=lamp,
        shirt=shirt,
        gone=gone,
        home=categories[0]["_id"],
        lighting=categories[1]["_id"],
        old_category=categories[2]["_id"],
        cart=ObjectId(cart["id"]),
        other_cart=ObjectId(bob.api.post("/shopping-carts/", {})["id"]),
        guest=ObjectId(guest["id"]),
        source=ObjectId(source["id"]),
        mailed=first(MailToken)["_id"],
        key=key["_id"],
        event=first(AuditEvent)["_id"],
        record=first(IdempotencyRecord)["_id"],
        movement=first(StockMovement)["_id"],
        job=done,
        waiting_job=waiting,
    )


def _item(product: ObjectId, **more: Any) -> dict[str, Any]:
    return {"product_id": str(product), "quantity": 1, **more}


def _guests_cart(product: ObjectId) -> Any:
    return ApiClient().post("/shopping-carts/", {"items": [_item(product)]})


def _import(by: Person, name: str) -> ObjectId:
    line = json.dumps({"name": name, "price": 5, "sku": name}).encode()
    return ImportJobService.create(
        blocks=[line], format_name="jsonl", dry_run=False, by=by.principal.id
    )["_id"]


def first(document: Document) -> dict[str, Any]:
    """The first stored row."""
    row = collection(document).find_one({}, sort=[("_id", 1)])
    assert row is not None
    return row


def stored(document: Document, row_id: Any) -> dict[str, Any] | None:
    """A row as it is now."""
    return collection(document).find_one({"_id": row_id})


def put(document: Document, row_id: Any, **values: Any) -> str:
    """Set fields past the services; `__` for a dot. The id, as it is reported."""
    change = {"$set": {name.replace("__", "."): value for name, value in values.items()}}
    assert collection(document).update_one({"_id": row_id}, change).matched_count == 1
    return str(row_id)


def drop(document: Document, row_id: Any, *fields: str) -> str:
    """Take fields away past the services. The id, as it is reported."""
    change = {"$unset": dict.fromkeys(fields, "")}
    assert collection(document).update_one({"_id": row_id}, change).matched_count == 1
    return str(row_id)


def verify(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code, and what is written as JSON."""
    out, code = StringIO(), 0
    try:
        call_command("verify_invariants", "--json", *arguments, stdout=out)
    except CommandError as refusal:
        code = refusal.returncode
    return code, json.loads(out.getvalue())


def broken(*arguments: str) -> Broken:
    """Which rows break which rules; the exit code says the same."""
    code, collections = verify(*arguments)
    tallies: list[Mapping[str, Any]] = [t for one in collections for t in one["broken"]]
    assert code == int(any(t["broken"] > t["repaired"] for t in tallies))
    return {t["rule"]: [example["id"] for example in t["examples"]] for t in tallies}


@dataclass(frozen=True)
class Breakage:
    """A way to break a rule."""

    rule: str
    how: str
    do: Callable[[Shop], str]
    """Breaks it in one row, whose id it gives."""
    mended: Callable[[Shop], bool] | None = None
    """What holds after a repair; None: only a person can say what is right."""
    also: Mapping[str, Callable[[Shop], Any]] = field(default_factory=dict)
    """Rules that break with it, each in one row."""

    def __str__(self) -> str:
        return f"{self.rule}: {self.how}"


def everything() -> dict[str, list[dict[str, Any]]]:
    """All that is stored."""
    return {
        one._get_collection_name(): list(collection(one).find({}, sort=[("_id", 1)]))
        for one in documents()
    }


def check(breakage: Breakage, shop: Shop) -> None:
    """It is reported, alone, and mended if that is safe; else nothing is changed."""
    row_id = breakage.do(shop)
    expected = {breakage.rule: [row_id]}
    expected |= {rule: [str(row(shop))] for rule, row in breakage.also.items()}
    assert broken() == expected
    before = everything()
    assert broken("--repair", "--yes") == expected
    if breakage.mended is None:
        assert broken() == expected
        assert everything() == before
    else:
        assert broken() == {}
        assert breakage.mended(shop)
