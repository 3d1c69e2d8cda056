"""What is asked for in each row of the results, and which servers it is asked of."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from benchmarks.dataset import PASSWORD, Dataset, zipf
from benchmarks.kinds import PEERS, PROCESS_WARM, REDIS_WARM, UNCACHED
from benchmarks.load import Call
from benchmarks.servers import Kind

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_REQUESTS: Final = 20_000
"""Different requests in a file, asked over and over."""


@dataclass(frozen=True)
class Goal:
    """Our rate divided by another's, in CPU per request: at least this."""

    against: str
    at_least: float
    aim: float | None = None


@dataclass(frozen=True)
class Workload:
    """One row."""

    name: str
    subject: Kind
    """Our server, as it is set up here."""
    peers: Sequence[str]
    calls: Callable[[Dataset, Kind], list[Call]]
    goals: Sequence[Goal] = ()
    headers: Sequence[str] = field(default_factory=tuple)

    @property
    def kinds(self) -> list[Kind]:
        """All that are measured, ours first."""
        return [self.subject, *(PEERS[letter] for letter in self.peers)]


def _products(data: Dataset, _: Kind) -> list[Call]:
    return [Call("GET", f"/products/{i}") for i in zipf(data.product_ids, _REQUESTS, seed=1)]


def _one_product(data: Dataset, _: Kind) -> list[Call]:
    return [Call("GET", f"/products/{data.product_ids[0]}")]


def _list(_: Dataset, __: Kind) -> list[Call]:
    return [Call("GET", "/products/")]


def _page(number: int) -> Callable[[Dataset, Kind], list[Call]]:
    """A page far into the list: ours by its cursor, the peers' by the id before it."""

    def calls(data: Dataset, kind: Kind) -> list[Call]:
        if kind.is_ours:
            return [Call("GET", data.page(number))]
        return [Call("GET", f"/products/?after={data.product_ids[20 * (number - 1) - 1]}")]

    return calls


def _search(_: Dataset, __: Kind) -> list[Call]:
    words = ("lamp", "oak", "plate", "kettle", "silver", "rug", "mug", "linen")
    return [Call("GET", f"/products/?q={word}") for word in words]


def _adds(lines: int, *, shared: bool = False) -> Callable[[Dataset, Kind], list[Call]]:
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


def _logins(password: str, *, known: bool = True) -> Callable[[Dataset, Kind], list[Call]]:
    def calls(data: Dataset, _: Kind) -> list[Call]:
        names = [s.username if known else f"nobody-{s.username}" for s in data.shoppers]
        forms = [urlencode({"username": name, "password": password}) for name in names]
        return [Call("POST", "/token", "-", _FORM, form) for form in forms]

    return calls


ALL_READERS: Final = ("D", "N", "F", "P", "L")
WORKLOADS: Final = (
    Workload(
        "GET product, process-warm", PROCESS_WARM, ("B", "F"), _products,
        [Goal("B", 0.40, 0.8), Goal("F", 1.5)],
    ),
    Workload(
        "GET product, Redis-warm", REDIS_WARM, ("B", "F"), _products,
        [Goal("B", 0.30, 0.40), Goal("F", 1.1)],
    ),
    Workload(
        "GET product, uncached", UNCACHED, ALL_READERS, _products,
        [Goal("D", 2.0), Goal("F", 0.75, 1.0)],
    ),
    Workload("GET product, 304", PROCESS_WARM, ("B",), _one_product, headers=("If-None-Match: *",)),
    Workload(
        "list of 20, uncached", UNCACHED, ALL_READERS, _list,
        [Goal("D", 3.0), Goal("F", 1.0, 1.3)],
    ),
    Workload("list of 20, cached", PROCESS_WARM, ("F",), _list, [Goal("F", 2.0, 3.0)]),
    Workload("list, page 500, uncached", UNCACHED, ("F",), _page(500)),
    Workload("search, process-warm", PROCESS_WARM, (), _search),
    Workload(
        "add to cart, own carts of 1 line", UNCACHED, ("D", "F", "P"), _adds(1),
        [Goal("D", 2.5), Goal("P", 1.0, 1.3)],
    ),
    Workload("add to cart, 10 lines", UNCACHED, ("P",), _adds(10)),
    Workload("add to cart, 100 lines", UNCACHED, ("P",), _adds(100)),
    Workload("add to cart, one contended cart", UNCACHED, ("P",), _adds(10, shared=True)),
    Workload("login, right", UNCACHED, ("F",), _logins(PASSWORD)),
    Workload("login, wrong", UNCACHED, ("F",), _logins("wrong-password-1")),
    Workload("login, unknown", UNCACHED, ("F",), _logins(PASSWORD, known=False)),
)  # fmt: skip
