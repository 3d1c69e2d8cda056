"""The calls that are measured, and one measurement of them."""

import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter, process_time
from typing import Any, Final

from django.test import Client

HOST: Final = "127.0.0.1"
_LEAST: Final = 5
_MOST: Final = 200
_WARM_UP: Final = 2
_ROWS: Final = 2
"""Of the pages that are walked: page 500 then exists in a catalog of 1,000."""


@dataclass(frozen=True)
class Spread:
    """Milliseconds: the median, and where a tenth of the samples lies below and above."""

    low: float
    median: float
    high: float

    @staticmethod
    def of(seconds: list[float]) -> "Spread":
        """The spread of at least two samples."""
        tenths = quantiles([sample * 1000 for sample in seconds], n=10, method="inclusive")
        return Spread(tenths[0], tenths[4], tenths[8])


@dataclass(frozen=True)
class Cost:
    """What one call takes; a call that was not answered has only its status."""

    status: int
    wall: Spread | None = None
    cpu: Spread | None = None
    """Of this process: of the server too where that is the embedded store, else without it."""


def calls(client: Client) -> Iterator[tuple[str, str]]:
    """Name and address of each."""
    product = _json(client, "/products/?limit=1&fields=id")["items"][0]["id"]
    yield "list, page 1 of 20 rows", "/products/"
    yield f"list, page 1 of {_ROWS} rows", f"/products/?limit={_ROWS}"
    yield f"list, page 500 of {_ROWS} rows", _page(client, 500)
    yield "list by price, page 1", "/products/?ordering=price"
    yield "list of a category by price", "/products/?category=home&ordering=price"
    yield "search of one word", "/products/?q=lamp"
    yield "search of two words", "/products/?q=oak+lamp"
    yield "facets of everything", "/products/facets"
    yield "facets of a search", "/products/facets?q=lamp"
    yield "suggestions", "/products/suggest?q=la"
    yield "one product", f"/products/{product}"


def cost(client: Client, address: str, *, seconds: float) -> Cost:
    """Call it for about this long, at least five and at most 200 times."""
    for _ in range(_WARM_UP):
        status = client.get(address).status_code
        if status != 200:
            return Cost(status)
    gc.collect()
    wall, cpu, end = list[float](), list[float](), perf_counter() + seconds
    while len(wall) < _LEAST or (len(wall) < _MOST and perf_counter() < end):
        begun, used = perf_counter(), process_time()
        status = client.get(address).status_code
        wall.append(perf_counter() - begun)
        cpu.append(process_time() - used)
        if status != 200:
            return Cost(status)
    return Cost(200, Spread.of(wall), Spread.of(cpu))


def _page(client: Client, number: int) -> str:
    """The address of this page, reached over larger ones: a cursor only says where one stands."""
    before = (number - 1) * _ROWS
    address = "/products/?limit=100"
    for _ in range(before // 100):
        address = _json(client, address)["next"]
    if before % 100:
        address = _json(client, _of_rows(address, before % 100))["next"]
    return _of_rows(address, _ROWS)


def _of_rows(address: str, rows: int) -> str:
    path, _, query = address.partition("?")
    others = [part for part in query.split("&") if not part.startswith("limit=")]
    return f"{path}?{'&'.join([f'limit={rows}', *others])}"


def _json(client: Client, address: str) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = client.get(address).json()
    return answer
