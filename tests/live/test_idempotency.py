"""Idempotency-Key over HTTP: workers killed between two steps, and many clients at once."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from tests.live.kills import STEPS, killed, until_answered
from tests.live.server import LiveServer

pytestmark = pytest.mark.wire
STAFF: Final = ("staff", "staff-shop-2026")
ROUNDS: Final = 50


@pytest.fixture(scope="module")
def staff(breakable: LiveServer) -> LiveServer:
    return breakable.sign_in(*STAFF)


@pytest.mark.parametrize("step", [*STEPS, "products.inserted"])
def test_a_product_is_made_once(step: str, staff: LiveServer, fault_file: Path) -> None:
    name = f"Lamp {uuid.uuid4().hex}"
    reply = killed(staff, fault_file, step, "/products/", {"name": name, "price": 5})
    assert reply.status == 201
    found = staff.send("GET", f"/products/?q={name.split()[1]}&status=active").json()["items"]
    assert [product["id"] for product in found] == [reply.json()["id"]]


@pytest.mark.parametrize("step", [*STEPS, "stock.checked", "stock.moved", "stock.filed"])
def test_stock_moves_once(step: str, staff: LiveServer, fault_file: Path) -> None:
    body = {"name": "Lamp", "price": 5, "quantity": 10}
    path = f"/products/{staff.send('POST', '/products/', body).json()['id']}"
    reply = killed(staff, fault_file, step, f"{path}/stock", {"delta": -3, "reason": "sold"})
    assert (reply.status, reply.json()["quantity"]) == (200, 7)
    present = staff.send("GET", path).json()
    assert (present["quantity"], present["version"]) == (7, 2)
    assert len(staff.send("GET", f"{path}/stock").json()["items"]) == 1


@pytest.mark.parametrize("step", [*STEPS, "categories.decided", "categories.carried_out"])
def test_a_category_is_made_once(step: str, staff: LiveServer, fault_file: Path) -> None:
    name = f"Lamps {uuid.uuid4().hex}"
    reply = killed(staff, fault_file, step, "/categories/", {"name": name})
    assert reply.status == 201
    assert not reply.json()["slug"].endswith("-2")
    slug = reply.json()["slug"]
    assert staff.send("GET", f"/categories/{slug}").json()["id"] == reply.json()["id"]
    assert staff.send("GET", f"/categories/{slug}-2").status == 404


@pytest.mark.parametrize("step", STEPS)
def test_a_user_is_registered_once(step: str, staff: LiveServer, fault_file: Path) -> None:
    name = f"u{uuid.uuid4().hex}"
    body = {"username": name, "email": f"{name}@example.com", "password": "blue-kettle-77"}
    reply = killed(staff, fault_file, step, "/users/", body)
    assert (reply.status, reply.json()["username"]) == (201, name)


def test_the_same_key_32_times_at_once_moves_stock_once(staff: LiveServer) -> None:
    body = {"name": "Lamp", "price": 5, "quantity": 1000}
    path = f"/products/{staff.send('POST', '/products/', body).json()['id']}"
    taken = {"delta": -3, "reason": "sold"}
    with ThreadPoolExecutor(32) as pool:
        for number in range(1, ROUNDS + 1):
            key = str(uuid.uuid4())

            def post(_: int, key: str = key) -> int:
                return staff.send("POST", f"{path}/stock", taken, Idempotency_Key=key).status

            statuses = Counter(pool.map(post, range(32)))
            assert statuses[200] >= 1
            assert statuses.keys() <= {200, 409}
            assert until_answered(staff, f"{path}/stock", taken, key).status == 200
            assert staff.send("GET", path).json()["quantity"] == 1000 - 3 * number
