"""Bulk requests as the tests write them, and what they look at in the answers."""

from collections.abc import Callable
from typing import Any

from catalog.documents import Product, ProductRow
from ecommerce.core.mongo import collection
from tests.client import Answer, Person

Make = Callable[..., ProductRow]
ALL_OR_NOTHING = "all-or-nothing"


def send(person: Person, *rows: Any, **more: Any) -> Answer:
    return person.api.post("/products/bulk", {"rows": list(rows), **more})


def create(**values: Any) -> dict[str, Any]:
    return {"operation": "create", "name": "Shelf", "price": 59, **values}


def update(**values: Any) -> dict[str, Any]:
    return {"operation": "update", **values}


def upsert(sku: str, **values: Any) -> dict[str, Any]:
    return {"operation": "upsert", "sku": sku, "name": "Shelf", "price": 59, **values}


def delete(**values: Any) -> dict[str, Any]:
    return {"operation": "delete", **values}


def outcomes(answer: Answer) -> list[tuple[int, str]]:
    assert answer.status == 200
    return [(row["status"], row["code"]) for row in answer["rows"]]


def faults(answer: Answer) -> list[list[tuple[str, str]]]:
    """Pointer and code of the faults of each row."""
    assert answer.status == 200
    return [[(e["pointer"], e["code"]) for e in row.get("errors", [])] for row in answer["rows"]]


def stored(**where: Any) -> list[dict[str, Any]]:
    return list(collection(Product).find(where).sort("_id"))
