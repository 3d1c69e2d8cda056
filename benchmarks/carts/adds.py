"""Carts of several sizes, and what an add to each takes."""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any, Final
from uuid import uuid4

from benchmarks.catalog.calls import HOST, Spread

LINES: Final = (1, 10, 100)
KINDS: Final = ("add", "add with an Idempotency-Key")
_WARM_UP: Final = 5


@dataclass(frozen=True)
class Cost:
    """What adding one piece takes."""

    operations: int
    """Of the database."""
    wall: Spread
    cpu: Spread
    """Of this process: of the server too where that is the embedded store, else without it."""


Figures = Mapping[str, Mapping[int, Cost]]
"""By kind of add, then by lines in the cart."""


def adder(lines: int) -> Callable[[str], None]:
    """What raises a line of a guest's cart of so many lines by one piece."""
    from django.test import Client

    from catalog.services import ProductService

    values: Any = {"name": "Lamp", "price_minor": 1999, "quantity": 10**6, "status": "active"}
    products = [str(ProductService.create(values=dict(values))["_id"]) for _ in range(lines)]
    items = [{"product_id": product, "quantity": 1} for product in products]
    client = Client(SERVER_NAME=HOST)
    json: Any = {"content_type": "application/json"}
    cart = client.post("/shopping-carts/", {"items": items}, **json).json()
    path, secret = f"/shopping-carts/{cart['id']}", {"X-Cart-Token": cart["cart_token"]}

    def add(kind: str) -> None:
        key = {"Idempotency-Key": str(uuid4())} if kind == KINDS[1] else {}
        answer = client.post(f"{path}/items", items[-1], headers={**secret, **key}, **json)
        if answer.status_code != 200:
            raise AssertionError(answer.content)

    return add


def figures_of(adders: Mapping[int, Callable[[str], None]], samples: int) -> Figures:
    return {kind: costs(adders, kind, samples) for kind in KINDS}


def costs(adders: Mapping[int, Callable[[str], None]], kind: str, samples: int) -> dict[int, Cost]:
    """What adds of one kind take, by lines in the cart."""
    operations = {lines: _operations(add, kind) for lines, add in adders.items()}
    times = {lines: (list[float](), list[float]()) for lines in adders}
    gc.collect()
    for _ in range(samples):
        for lines, add in adders.items():  # in turns: other work on the machine meets all alike
            begun, used = perf_counter(), process_time()
            add(kind)
            wall, cpu = times[lines]
            cpu.append(process_time() - used)
            wall.append(perf_counter() - begun)
    return {
        lines: Cost(operations[lines], Spread.of(wall), Spread.of(cpu))
        for lines, (wall, cpu) in times.items()
    }


def _operations(add: Callable[[str], None], kind: str) -> int:
    from tests.operations import recorded

    for _ in range(_WARM_UP):
        add(kind)
    with recorded() as seen:
        add(kind)
    return len(seen)
