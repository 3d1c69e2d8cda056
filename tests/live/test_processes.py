"""Races between separate server processes on one database, over HTTP."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.live.server import LiveServer, Reply

pytestmark = pytest.mark.wire


def at_once(count: int, work: Callable[[int], Reply]) -> Counter[int]:
    """How often each status came back from `count` clients at once."""
    with ThreadPoolExecutor(count) as pool:
        return Counter(reply.status for reply in pool.map(work, range(count)))


def new_product(cluster: LiveServer, **values: Any) -> str:
    staff = cluster.sign_in("staff", "staff-shop-2026")
    body = {"name": "Racing lamp", "price": 5, "quantity": 100_000, **values}
    product: str = staff.send("POST", "/products/", body).json()["id"]
    return product


def new_cart(shopper: LiveServer) -> str:
    return f"/shopping-carts/{shopper.send('POST', '/shopping-carts/', {}).json()['id']}"


def test_a_line_stops_exactly_at_999(cluster: LiveServer) -> None:
    product, shopper = new_product(cluster), cluster.sign_in("demo", "demo-shop-2026")
    cart = new_cart(shopper)
    body = {"product_id": product, "quantity": 100}
    assert at_once(32, lambda _: shopper.send("POST", f"{cart}/items", body))[409] == 32 - 9
    assert shopper.send("GET", cart).json()["total_quantity"] == 900


def test_a_cart_stops_exactly_at_100_lines(cluster: LiveServer) -> None:
    shopper = cluster.sign_in("demo", "demo-shop-2026")
    listed = [
        shopper.send("GET", f"/products/?limit=100&in_stock=true{page}").json() for page in ("",)
    ]
    listed.append(shopper.send("GET", listed[0]["next"].removeprefix(shopper.base)).json())
    stocked = [p["id"] for page in listed for p in page["items"] if p["quantity"] > 0][:112]
    cart = new_cart(shopper)
    items = [{"product_id": product, "quantity": 1} for product in stocked]
    assert shopper.send("PUT", cart, {"items": items[:96]}).status == 200
    statuses = at_once(16, lambda n: shopper.send("POST", f"{cart}/items", items[96 + n]))
    assert statuses == {201: 4, 409: 12}
    assert len(shopper.send("GET", cart).json()["items"]) == 100


def test_writers_with_one_etag_give_one_200(cluster: LiveServer) -> None:
    product = new_product(cluster)
    staff = cluster.sign_in("staff", "staff-shop-2026")

    def write(number: int) -> Reply:
        return staff.send("PATCH", f"/products/{product}", {"price": number}, If_Match='"v1"')

    assert at_once(16, write) == {200: 1, 412: 15}
