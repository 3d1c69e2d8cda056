"""What the benchmark takes for a right answer: one that says what the data says, or nothing is
timed."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from subprocess import Popen
from threading import Thread
from typing import Any, ClassVar

import pytest

from benchmarks.checks import Expected, check
from benchmarks.dataset import Dataset, Shopper
from benchmarks.kinds import PEERS
from benchmarks.load import Call, write_calls
from benchmarks.servers import Server
from benchmarks.workloads import WORKLOADS

IDS = [f"{number:024x}" for number in range(60, 0, -1)]
CART = "c" * 24
DATA = Dataset(IDS, [Shopper("a", "ours", "theirs", {2: CART})], "d" * 24, {3: "/products/?page=x"})
ADD = Call("POST", f"/shopping-carts/{CART}/items", "theirs", "application/json",
           json.dumps({"product_id": IDS[0], "quantity": 1}))  # fmt: skip


def fault(call: Call, answer: Any) -> str:
    return Expected(DATA).fault(call, json.dumps(answer).encode())


def rows(first: int, count: int = 20) -> list[dict[str, str]]:
    return [{"id": identity} for identity in IDS[first : first + count]]


def cart(*quantities: int) -> dict[str, Any]:
    pairs = zip(IDS, quantities, strict=False)
    return {"items": [{"product_id": one, "quantity": pieces} for one, pieces in pairs]}


@pytest.mark.parametrize("name", ["id", "_id"])
def test_a_product_is_the_one_that_was_asked_for(name: str) -> None:
    call = Call("GET", f"/products/{IDS[7]}")
    assert fault(call, {name: IDS[7]}) == ""
    assert fault(call, {name: IDS[8]}) == "another product"
    assert fault(call, {}) == "another product"


@pytest.mark.parametrize(
    ("path", "first"),
    [("/products/", 0), (f"/products/?after={IDS[39]}", 40), ("/products/?page=x", 40)],
)
def test_a_list_is_the_page_that_was_asked_for(path: str, first: int) -> None:
    call = Call("GET", path)
    assert fault(call, rows(first)) == fault(call, {"items": rows(first)}) == ""
    assert fault(call, rows(first, 19)) == "19 products and not 20"
    assert fault(call, rows(first)[::-1]) == "another page"
    assert fault(call, rows(20)) == "another page"


def test_a_search_gives_a_whole_page_of_different_products() -> None:
    call = Call("GET", "/products/?q=lamp")
    assert fault(call, {"items": rows(20)}) == ""
    assert fault(call, {"items": rows(0, 10) * 2}) == "a product twice"
    assert fault(call, {"items": []}) == "0 products and not 20"


def test_an_add_keeps_the_lines_and_raises_the_one_that_it_names() -> None:
    assert fault(ADD, cart(2, 1)) == ""
    assert fault(ADD, cart(1, 1)) == "1 pieces in the line and not 2"
    assert fault(ADD, cart(1, 2)) == "1 pieces in the line and not 2"
    assert fault(ADD, cart(2)) == "1 lines and not 2"


def test_each_add_raises_the_line_once_more() -> None:
    expected = Expected(DATA)
    assert expected.fault(ADD, json.dumps(cart(2, 1)).encode()) == ""
    assert expected.fault(ADD, json.dumps(cart(3, 1)).encode()) == ""
    assert expected.fault(ADD, json.dumps(cart(3, 1)).encode()) == "3 pieces in the line and not 4"


def test_a_login_gives_a_token_and_everything_json() -> None:
    login = Call("POST", "/token", "-", "application/x-www-form-urlencoded", "username=a")
    assert fault(login, {"access_token": "x"}) == ""
    assert fault(login, {"detail": "fine"}) == "no access token"
    assert Expected(DATA).fault(login, b"<html>") == "no JSON"


class Shop(BaseHTTPRequestHandler):
    """Answers every path with one product, and drafts as it is told."""

    product: ClassVar[str] = IDS[0]
    draft_status: ClassVar[int] = 404

    def do_GET(self) -> None:
        body = json.dumps({"id": self.product, "name": "Lamp"}).encode()
        self.send_response(self.draft_status if self.path.endswith(DATA.draft_id) else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nowhere."""


@pytest.fixture
def shop() -> Iterator[Server]:
    with HTTPServer(("127.0.0.1", 0), Shop) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        process: Popen[bytes] = Popen.__new__(Popen)  # none: the server is in this process
        yield Server(PEERS["F"], f"http://127.0.0.1:{listening.server_port}", process)
        listening.shutdown()


def checked(shop: Server, folder: Path) -> None:
    workload = next(one for one in WORKLOADS if one.name == "GET product, uncached")
    calls = write_calls([Call("GET", f"/products/{IDS[0]}")], folder / "calls")
    check(shop, calls, workload, DATA)


def test_a_server_with_right_answers_may_be_timed(shop: Server, tmp_path: Path) -> None:
    checked(shop, tmp_path)


def test_a_server_that_answers_another_product_is_not_timed(
    shop: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shop, "product", IDS[1])
    with pytest.raises(RuntimeError, match=r"FastAPI \+ Beanie, asked .*: another product"):
        checked(shop, tmp_path)


def test_a_server_that_shows_drafts_is_not_timed(
    shop: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shop, "draft_status", 200)
    with pytest.raises(RuntimeError, match=r"FastAPI \+ Beanie shows a draft \(200\)"):
        checked(shop, tmp_path)
