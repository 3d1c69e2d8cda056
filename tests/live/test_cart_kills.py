"""Workers killed (kill -9) in the middle of writes of carts: a retry has one effect."""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.live.kills import STEPS, dies, killed, until_answered
from tests.live.server import LiveServer, Reply

pytestmark = pytest.mark.wire
MERGE_STEPS: Final = ("carts.merge_claimed", "carts.merge_written", "carts.merge_marked")


@pytest.fixture(scope="module")
def user(breakable: LiveServer) -> LiveServer:
    return breakable.sign_in("demo", "demo-shop-2026")


@pytest.fixture(scope="module")
def scarce(breakable: LiveServer) -> str:
    """A product of which six are left."""
    staff = breakable.sign_in("staff", "staff-shop-2026")
    made: str = staff.send(
        "POST", "/products/", {"name": "Lamp", "price": 5, "quantity": 6}
    ).json()["id"]
    return made


class Merge:
    """A guest's cart with five pieces, to go into a user's cart with two: six are left."""

    def __init__(self, breakable: LiveServer, user: LiveServer, product: str) -> None:
        self.guest, self.user = breakable, user
        guests = breakable.send("POST", "/shopping-carts/", items(product, 5)).json()
        mine = user.send("POST", "/shopping-carts/", items(product, 2)).json()
        self.source, self.target = (f"/shopping-carts/{cart['id']}" for cart in (guests, mine))
        self.path, self.body = f"{self.source}/merge", {"into": mine["id"]}
        self.secret = {"X_Cart_Token": guests["cart_token"]}

    def assert_done_once(self, reply: Reply) -> None:
        assert reply.status == 200
        answer = reply.json()
        assert [line["quantity"] for line in answer["cart"]["items"]] == [6]
        adjusted = [(one["code"], one["asked"], one["got"]) for one in answer["adjustments"]]
        assert adjusted == [("insufficient_stock", 7, 6)]
        now = self.user.send("GET", self.target).json()
        assert (now, now["version"]) == (answer["cart"], 2)
        left = self.guest.send("GET", self.source, **self.secret).json()
        assert (left["status"], left["total_quantity"], left["version"]) == ("merged", 5, 3)
        self.user.send("DELETE", self.target)


def items(product: str, quantity: int) -> dict[str, Any]:
    return {"items": [{"product_id": product, "quantity": quantity}]}


@pytest.mark.parametrize("step", MERGE_STEPS)
def test_a_merge_is_completed_by_sending_it_again(
    step: str, breakable: LiveServer, user: LiveServer, scarce: str, fault_file: Path
) -> None:
    merge = Merge(breakable, user, scarce)
    send = ("POST", merge.path, merge.body)
    dies(fault_file, step, lambda: user.send(*send, **merge.secret))
    reply = until_answered(user, merge.path, merge.body, **merge.secret)
    assert user.send(*send, **merge.secret).body == reply.body
    merge.assert_done_once(reply)


@pytest.mark.parametrize("step", [*STEPS, *MERGE_STEPS])
def test_a_merge_with_a_key_has_one_effect_and_one_answer(
    step: str, breakable: LiveServer, user: LiveServer, scarce: str, fault_file: Path
) -> None:
    merge = Merge(breakable, user, scarce)
    merge.assert_done_once(killed(user, fault_file, step, merge.path, merge.body, **merge.secret))


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("step", ["carts.merge_placed", "carts.merge_adopted"])
def test_a_cart_becomes_the_users_once(
    step: str, keyed: bool, breakable: LiveServer, user: LiveServer, scarce: str, fault_file: Path
) -> None:
    made = breakable.send("POST", "/shopping-carts/", items(scarce, 2)).json()
    path, secret = f"/shopping-carts/{made['id']}", {"X_Cart_Token": made["cart_token"]}
    before = ids(user)
    if keyed:
        reply = killed(user, fault_file, step, f"{path}/merge", {}, **secret)
    else:
        dies(fault_file, step, lambda: user.send("POST", f"{path}/merge", {}, **secret))
        reply = until_answered(user, f"{path}/merge", {}, **secret)
    now = user.send("GET", path).json()
    assert (reply.status, reply.json()["cart"]) == (200, now)
    assert (now["total_quantity"], now["version"]) == (2, 2)
    assert sorted(ids(user)) == sorted([made["id"], *before])
    assert breakable.send("GET", path, **secret).status == 404
    user.send("DELETE", path)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("several", [False, True])
def test_an_add_is_done_once(
    several: bool, step: str, breakable: LiveServer, scarce: str, fault_file: Path
) -> None:
    made = breakable.send("POST", "/shopping-carts/", items(scarce, 1)).json()
    path, secret = f"/shopping-carts/{made['id']}", {"X_Cart_Token": made["cart_token"]}
    body = items(scarce, 2) if several else items(scarce, 2)["items"][0]
    reply = killed(breakable, fault_file, step, f"{path}/items", body, **secret)
    now = breakable.send("GET", path, **secret).json()
    assert (reply.status, reply.json()) == (200, now)
    assert (now["total_quantity"], now["version"]) == (3, 2)


@pytest.mark.parametrize("step", STEPS)
def test_a_saved_line_is_restored_once(
    step: str, breakable: LiveServer, scarce: str, fault_file: Path
) -> None:
    made = breakable.send("POST", "/shopping-carts/", items(scarce, 2)).json()
    path, secret = f"/shopping-carts/{made['id']}", {"X_Cart_Token": made["cart_token"]}
    breakable.send("POST", f"{path}/items/{scarce}/save", **secret)
    breakable.send("POST", f"{path}/items", items(scarce, 1), **secret)
    restore = f"{path}/saved-items/{scarce}/restore"
    reply = killed(breakable, fault_file, step, restore, None, **secret)
    now = breakable.send("GET", path, **secret).json()
    assert (reply.status, reply.json()) == (200, now)
    assert (now["total_quantity"], now["saved_items"], now["version"]) == (3, [], 4)


@pytest.mark.parametrize("step", STEPS)
def test_a_cart_is_made_once(step: str, user: LiveServer, scarce: str, fault_file: Path) -> None:
    before = ids(user)
    reply = killed(user, fault_file, step, "/shopping-carts/", items(scarce, 2))
    made = reply.json()["id"]
    assert reply.status == 201
    assert ids(user) == [made, *before]
    user.send("DELETE", f"/shopping-carts/{made}")


@pytest.mark.parametrize("step", STEPS)
def test_a_guest_gets_one_cart_and_its_secret(
    step: str, breakable: LiveServer, scarce: str, fault_file: Path
) -> None:
    made = killed(breakable, fault_file, step, "/shopping-carts/", items(scarce, 2)).json()
    path = f"/shopping-carts/{made['id']}"
    now = breakable.send("GET", path, X_Cart_Token=made["cart_token"])
    assert (now.status, now.json()["total_quantity"]) == (200, 2)


def ids(user: LiveServer) -> list[str]:
    """The user's carts, newest first."""
    return [cart["id"] for cart in user.send("GET", "/shopping-carts/").json()["items"]]
