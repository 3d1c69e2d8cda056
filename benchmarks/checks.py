"""Before anything is timed: whether a server gives the answers that its figures are taken for."""

import http.client
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.dataset import Dataset
from benchmarks.load import Call
from benchmarks.peers.shop import PAGE
from benchmarks.servers import Server
from benchmarks.workloads import Workload

_CHECKED: Final = 5
_PRODUCTS: Final = "/products/"
CARTS: Final = "/shopping-carts/"


def check(server: Server, calls: Path, workload: Workload, data: Dataset) -> None:
    """Ask for the first few and hold each answer against the data.

    Every line of every cart must hold one piece (`Dataset.empty_lines`).

    Raises:
        RuntimeError: a status, a length or what an answer says is wrong.
    """
    lines = calls.read_text("utf-8").splitlines()[:_CHECKED]
    wanted, expected = [Call(*line.split("\t")) for line in lines], Expected(data)
    for call in wanted:
        status, length, content = _answer(server, call, workload.headers)
        as_said = length is None or int(length) == len(content)
        has_body = status == 304 or len(content) >= 20
        if status not in workload.statuses or not as_said or not has_body:
            raise RuntimeError(f"{server.kind.name} answers {status} to {call}: {content!r}")
        if status == 200 and server.kind.letter != "B" and (fault := expected.fault(call, content)):
            raise RuntimeError(f"{server.kind.name}, asked {call}: {fault}: {content!r}")
    if server.kind.letter != "B" and wanted[0].path.startswith(_PRODUCTS):
        _check_draft(server, data)


def _check_draft(server: Server, data: Dataset) -> None:
    """Whether a product is for sale is a question that every server must ask."""
    status, _, content = _answer(server, Call("GET", f"{_PRODUCTS}{data.draft_id}"), ())
    if status != 404:
        raise RuntimeError(f"{server.kind.name} shows a draft ({status}): {content!r}")


class Expected:
    """What answers must say, by the data of the run and by what was added to carts so far."""

    def __init__(self, data: Dataset) -> None:
        self._data = data
        self._lines = {
            cart: lines for shopper in data.shoppers for lines, cart in shopper.carts.items()
        }
        self._added: Counter[tuple[str, str]] = Counter()

    def fault(self, call: Call, content: bytes) -> str:
        """What is wrong with an answer of status 200; nothing where it is right."""
        try:
            found = json.loads(content)
        except ValueError:
            return "no JSON"
        path = urlsplit(call.path)
        if call.method == "POST" and path.path.startswith(CARTS):
            return self._fault_of_add(path.path.split("/")[2], json.loads(call.body), found)
        if call.method == "POST":
            return "" if found.get("access_token") else "no access token"
        if path.path == _PRODUCTS:
            return self._fault_of_list(call.path, path.query, found)
        return "" if _id_of(found) == path.path.removeprefix(_PRODUCTS) else "another product"

    def _fault_of_list(self, address: str, query: str, found: Any) -> str:
        ids = [_id_of(row) for row in (found["items"] if isinstance(found, dict) else found)]
        if len(ids) != PAGE:
            return f"{len(ids)} products and not {PAGE}"
        if query.startswith("q="):  # by relevance: no order that is known here
            return "" if len(set(ids)) == PAGE else "a product twice"
        first = self._first_of_page(address, query)
        return "" if ids == self._data.product_ids[first : first + PAGE] else "another page"

    def _first_of_page(self, address: str, query: str) -> int:
        if query.startswith("after="):
            return self._data.product_ids.index(query.removeprefix("after=")) + 1
        numbers = {cursor: number for number, cursor in self._data.cursors.items()}
        return PAGE * (numbers.get(address, 1) - 1)

    def _fault_of_add(self, cart: str, added: Any, found: Any) -> str:
        product, items = added["product_id"], found["items"]
        self._added[cart, product] += added["quantity"]
        if len(items) != self._lines[cart]:
            return f"{len(items)} lines and not {self._lines[cart]}"
        quantity = next((one["quantity"] for one in items if one["product_id"] == product), 0)
        wanted = 1 + self._added[cart, product]
        return "" if quantity == wanted else f"{quantity} pieces in the line and not {wanted}"


def _id_of(row: Any) -> str:
    """Beanie's documents call it as MongoDB does."""
    return str(row.get("id", row.get("_id")))


def _answer(server: Server, call: Call, further: Sequence[str]) -> tuple[int, str | None, bytes]:
    headers = dict(header.split(": ", 1) for header in further)
    headers |= {"Authorization": f"Bearer {call.token}"} if call.token != "-" else {}
    headers |= {"Content-Type": call.kind} if call.kind != "-" else {}
    connection = http.client.HTTPConnection(server.base.removeprefix("http://"), timeout=10)
    try:
        connection.request(call.method, call.path, call.body if call.body != "-" else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Length"), answer.read()
    finally:
        connection.close()
