"""What is asked for in each row of the results, and which servers it is asked of."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from benchmarks.catalogs import SIZES
from benchmarks.dataset import PASSWORD, Dataset, zipf
from benchmarks.goals import Goal
from benchmarks.kinds import (
    AS_DEPLOYED,
    PEERS,
    PROCESS_WARM,
    REDIS_WARM,
    SIZED,
    UNCACHED,
    WORKERS,
)
from benchmarks.load import Call
from benchmarks.servers import Kind

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_REQUESTS: Final = 5_000
"""Different requests in a file, asked over and over."""


@dataclass(frozen=True)
class Workload:
    """One row."""

    name: str
    subject: Kind
    """Our server, as it is set up here."""
    peers: Sequence[str]
    calls: Callable[[Dataset, Kind], list[Call]]
    goals: Sequence[Goal] = ()
    headers: Sequence[str] = ()
    others: Sequence[Kind] = ()
    """Ours too, set up in other ways."""
    connections: int = 8
    statuses: Sequence[int] = (200,)
    """What an answer may have."""

    @property
    def kinds(self) -> list[Kind]:
        """All that are measured, ours first."""
        return [self.subject, *self.others, *(PEERS[letter] for letter in self.peers)]


def product_calls(data: Dataset, _: Kind) -> list[Call]:
    return [Call("GET", f"/products/{i}") for i in zipf(data.product_ids, _REQUESTS, seed=1)]


def _newest_products(data: Dataset, _: Kind) -> list[Call]:
    """Those that the smallest of several catalogs holds too."""
    newest = data.product_ids[: min(SIZES)]
    return [Call("GET", f"/products/{i}") for i in zipf(newest, _REQUESTS, seed=1)]


def _one_product(data: Dataset, _: Kind) -> list[Call]:
    return [Call("GET", f"/products/{data.product_ids[0]}")]


def list_calls(_: Dataset, __: Kind) -> list[Call]:
    return [Call("GET", "/products/")]


def _page(number: int) -> Callable[[Dataset, Kind], list[Call]]:
    """A page far into the list: ours by its cursor, the peers' by the id before it."""

    def calls(data: Dataset, kind: Kind) -> list[Call]:
        if kind.is_ours:
            return [Call("GET", data.page(number))]
        return [Call("GET", f"/products/?after={data.product_ids[20 * (number - 1) - 1]}")]

    return calls


def search_calls(_: Dataset, __: Kind) -> list[Call]:
    words = ("lamp", "oak", "plate", "kettle", "silver", "rug", "mug", "linen")
    return [Call("GET", f"/products/?q={word}") for word in words]


def add_calls(lines: int, *, shared: bool = False) -> Callable[[Dataset, Kind], list[Call]]:
    """Adds to carts that hold some lines: one's own each, or one that all add to."""

    def calls(data: Dataset, kind: Kind) -> list[Call]:
        shoppers = data.shoppers[:1] if shared else data.shoppers
        ids = data.product_ids[:lines]
        made = []
        for number in range(len(shoppers) * lines):
            shopper = shoppers[number % len(shoppers)]
            body = {"product_id": ids[(number // len(shoppers)) % lines], "quantity": 1}
            token = shopper.our_token if kind.is_ours else shopper.peer_token
            cart = shopper.carts[lines]
            path = f"/shopping-carts/{cart}/items"
            made.append(Call("POST", path, token, _JSON, json.dumps(body)))
        return made

    return calls


def login_calls(password: str, *, known: bool = True) -> Callable[[Dataset, Kind], list[Call]]:
    def calls(data: Dataset, _: Kind) -> list[Call]:
        names = [s.username if known else f"nobody-{s.username}" for s in data.shoppers]
        forms = [urlencode({"username": name, "password": password}) for name in names]
        return [Call("POST", "/token", "-", _FORM, form) for form in forms]

    return calls


FIRST_PAGE: Final = "list of 20, uncached"
PAGE_500: Final = "list, page 500, uncached"
ALL_READERS: Final = ("D", "N", "F", "P", "L")
WORKLOADS: Final = (
    Workload(
        "GET product, process-warm", PROCESS_WARM, ("B", "F"), product_calls,
        [Goal("B", 0.40, 0.8), Goal("F", 1.5)], others=(AS_DEPLOYED,),
    ),
    Workload(
        "GET product, Redis-warm", REDIS_WARM, ("B", "F"), product_calls,
        [Goal("B", 0.30, 0.40), Goal("F", 1.1)],
    ),
    Workload(
        "GET product, uncached", UNCACHED, ALL_READERS, product_calls,
        [Goal("D", 2.0), Goal("F", 0.75, 1.0)],
    ),
    Workload(
        "GET product, 304", PROCESS_WARM, ("B",), _one_product, headers=("If-None-Match: *",),
        statuses=(200, 304),
    ),
    Workload(
        FIRST_PAGE, UNCACHED, ALL_READERS, list_calls,
        [Goal("D", 3.0), Goal("F", 1.0, 1.3)],
    ),
    Workload("list of 20, cached", PROCESS_WARM, ("F",), list_calls, [Goal("F", 2.0, 3.0)]),
    Workload(PAGE_500, UNCACHED, ("F",), _page(500)),
    Workload("list, page 500, cached", PROCESS_WARM, ("F",), _page(500)),
    Workload("search, uncached", UNCACHED, (), search_calls, connections=1),
    Workload("search, process-warm", PROCESS_WARM, (), search_calls),
    Workload(
        "add to cart, own carts of 1 line", UNCACHED, ("D", "F", "P"), add_calls(1),
        [Goal("D", 2.5), Goal("P", 1.0, 1.3)],
    ),
    Workload("add to cart, 10 lines", UNCACHED, ("P",), add_calls(10)),
    Workload("add to cart, 100 lines", UNCACHED, ("P",), add_calls(100)),
    Workload("add to cart, one contended cart", UNCACHED, ("P",), add_calls(10, shared=True)),
    Workload("login, right", UNCACHED, ("F",), login_calls(PASSWORD), connections=1),
    Workload(
        "login, wrong", UNCACHED, ("F",), login_calls("wrong-password-1"), connections=1,
        statuses=(400,),
    ),
    Workload(
        "login, unknown", UNCACHED, ("F",), login_calls(PASSWORD, known=False), connections=1,
        statuses=(400,),
    ),
    Workload(
        "GET product, by catalog", SIZED[0], (), _newest_products, others=SIZED[1:], connections=2
    ),
    Workload("list of 20, by catalog", SIZED[0], (), list_calls, others=SIZED[1:], connections=2),
    Workload("GET product, by workers", WORKERS[0], (), product_calls, others=WORKERS[1:]),
)  # fmt: skip
