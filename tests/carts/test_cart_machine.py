"""Whatever shoppers and staff do in whatever order, carts do what a small model of them does.

`CART_MACHINE_EXAMPLES` has it run longer, and each time along other ways, unless pytest is given
`--hypothesis-seed`. A sequence that fails is kept below.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.carts.cart_model import Cart, Line, Model, Product, RefusedError
from tests.carts.items import MakeProduct
from tests.client import Answer, ApiClient, Person

EXAMPLES: Final = int(os.environ.get("CART_MACHINE_EXAMPLES", "0"))
carts = st.sampled_from(["mine", "guests"])
numbers = st.sampled_from([0, 1, 2])
quantities = st.sampled_from([1, 2, 3, 4, 400, 998])
wanted = st.lists(st.tuples(numbers, quantities), min_size=1, max_size=4)
few = st.fixed_dictionaries({number: st.integers(1, 4) for number in (0, 1, 2)})
changes = st.one_of(
    st.sampled_from([1, 999, 1999, 123_456]).map(lambda price: {"price": price}),
    st.sampled_from([0, 1, 4, 6, 700, 5000]).map(lambda stock: {"stock": stock}),
    st.sampled_from(["archived", "active", "deleted"]).map(lambda status: {"status": status}),
)
modes = st.sampled_from(["sum", "max", "keep-guest", "keep-mine"])
lines = st.sampled_from(["remove", "remove_saved", "save", "restore", "restore"])


class CartMachine(RuleBasedStateMachine):
    """The API on one side, the model on the other; after each step they say the same."""

    def __init__(self, alice: Person, bob: Person, sam: Person, make_product: MakeProduct) -> None:
        super().__init__()
        self.alice, self.bob, self.sam = alice.api, bob.api, sam.api
        made = [make_product(price_minor=1999, quantity=stock) for stock in (6, 700, 5000)]
        self.ids = [str(product["_id"]) for product in made]
        self.model = Model([Product(1999, stock) for stock in (6, 700, 5000)])
        self.paths: dict[str, str] = {}
        self.secret = ""
        self._start("mine")
        self._start("guests")

    @initialize(mine=few, guests=few, saved=numbers, shop=st.tuples(changes, changes, changes))
    def fill(
        self, mine: dict[int, int], guests: dict[int, int], saved: int,
        shop: tuple[dict[str, Any], ...],
    ) -> None:  # fmt: skip
        """Carts that share their products, each changed since: in empty ones little can happen."""
        for name, held in (("mine", mine), ("guests", guests)):
            self.add_several(name, list(held.items()))
            self.move_line(name, saved, "save")
        for number, change in enumerate(shop):
            self.change_product(number, change)
        for name in ("mine", "guests"):
            self.add(name, saved, 1)

    def teardown(self) -> None:
        """A user has room for 20 carts only."""
        self.call("DELETE", "mine")

    # --- what shoppers do ---------------------------------------------------------------------

    @rule(name=carts, number=numbers, quantity=quantities)
    def add(self, name: str, number: int, quantity: int) -> None:
        answer = self.call("POST", name, "/items", self.items([(number, quantity)])[0])
        started = self.agreed(answer, lambda: self.model.add(name, [(number, quantity)]), name)
        assert answer.status in (409, 404, 201 if started else 200)

    @rule(name=carts, several=wanted)
    def add_several(self, name: str, several: Sequence[tuple[int, int]]) -> None:
        answer = self.call("POST", name, "/items", {"items": self.items(several)})
        self.agreed(answer, lambda: self.model.add(name, several), name)

    @rule(name=carts, number=numbers, quantity=quantities)
    def set_quantity(self, name: str, number: int, quantity: int) -> None:
        answer = self.call("PUT", name, f"/items/{self.ids[number]}", {"quantity": quantity})
        self.agreed(answer, lambda: self.model.set(name, number, quantity), name)

    @rule(name=carts, number=numbers, what=lines)
    def move_line(self, name: str, number: int, what: str) -> None:
        """Out of the cart, to what is saved, or back."""
        model, product = self.model, self.ids[number]
        method, path, step = {
            "remove": ("DELETE", "items/{}", lambda: model.remove(name, number, "items")),
            "remove_saved": (
                "DELETE",
                "saved-items/{}",
                lambda: model.remove(name, number, "saved"),
            ),
            "save": ("POST", "items/{}/save", lambda: model.move(name, number, back=False)),
            "restore": (
                "POST",
                "saved-items/{}/restore",
                lambda: model.move(name, number, back=True),
            ),
        }[what]
        self.agreed(self.call(method, name, f"/{path.format(product)}"), step, name)

    @rule(name=carts)
    def clear(self, name: str) -> None:
        self.agreed(self.call("DELETE", name, "/clear"), lambda: self.model.clear(name), name)

    @rule(name=carts, several=wanted)
    def replace(self, name: str, several: Sequence[tuple[int, int]]) -> None:
        answer = self.call("PUT", name, "", {"items": self.items(several)})
        self.agreed(answer, lambda: self.model.replace(name, several), name)

    @rule(name=carts)
    def refresh_prices(self, name: str) -> None:
        answer = self.call("POST", name, "/refresh-prices")
        self.agreed(answer, lambda: self.model.refresh(name), name)

    @rule(mode=modes, dry_run=st.booleans())
    def merge(self, mode: str, dry_run: bool) -> None:
        merged, adjusted = self.model.merge(mode)
        answer = self._merge({"into": self.id_of("mine"), "mode": mode}, dry_run)
        told = [self._adjusted(one) for one in answer["adjustments"]]
        self.model.assert_nothing_is_lost(mode, self._quantities(answer["cart"]), told)
        assert told == adjusted
        merged.version -= dry_run
        self.assert_shows(answer["cart"], merged)
        if not dry_run:
            assert self._merge({"into": self.id_of("mine"), "mode": mode}).json() == answer.json()
            self.model.carts["mine"] = merged
            self._start("guests")
            self.add_several("guests", [(0, 2), (1, 3)])

    @rule()
    def adopt(self) -> None:
        """Without `into` the guest's cart becomes the user's."""
        self.call("DELETE", "mine")
        assert self._merge({}).status == 200
        self.model.carts["mine"] = self.model.carts["guests"]
        self.model.carts["mine"].version += 1
        self.paths["mine"] = self.paths["guests"]
        self._start("guests")

    # --- what the shop does -------------------------------------------------------------------

    @rule(number=numbers, change=changes)
    def change_product(self, number: int, change: dict[str, Any]) -> None:
        """Staff changes its price, its stock, or whether it is sold."""
        product, path = self.model.products[number], f"/products/{self.ids[number]}"
        gone = product.status == "deleted"
        if change.get("status") == "deleted":
            assert self.sam.delete(path).status == (404 if gone else 204)
        else:
            answer = self.sam.patch(path, as_sent(change))
            assert answer.status == (404 if gone else 200), answer.body
        if not gone:
            vars(product).update(change)

    # --- what nobody may do -------------------------------------------------------------------

    @rule(
        name=carts,
        request=st.sampled_from(
            [("GET", ""), ("POST", "/items"), ("PUT", ""), ("DELETE", ""), ("DELETE", "/clear")]
        ),
        with_secret=st.booleans(),
    )
    def come_as_somebody_else(self, name: str, request: tuple[str, str], with_secret: bool) -> None:
        """Bob, and whoever has the secret of the guest's cart, knock at the wrong door."""
        method, path = request
        body = {"POST": self.items([(0, 1)])[0], "PUT": {"items": []}}.get(method)
        headers = {"X_Cart_Token": self.secret} if with_secret and name == "mine" else {}
        refused = self.bob.send(method, self.paths[name] + path, body, headers=headers)
        assert refused.outcome == (404, "cart_not_found")

    # --- both sides say the same --------------------------------------------------------------

    @invariant()
    def both_agree(self) -> None:
        for name, cart in self.model.carts.items():
            self.assert_shows(self.call("GET", name).json(), cart)

    def agreed(self, answer: Answer, step: Callable[[], Any], name: str) -> Any:
        """What the model gives for a step; or the same refusal on both sides."""
        try:
            expected, result = None, step()
        except RefusedError as refused:
            expected, result = refused.outcome, None
        if answer.status not in (200, 201):
            assert answer.outcome == expected
            return None
        assert expected is None
        self.assert_shows(answer.json(), self.model.carts[name])
        return result

    def assert_shows(self, shown: dict[str, Any], cart: Cart) -> None:
        quantity, subtotal = self.model.totals(cart)
        assert self._lines(shown["items"]) == self.model.shown(cart.items)
        assert self._lines(shown["saved_items"]) == self.model.shown(cart.saved)
        assert (shown["total_quantity"], minor(shown["subtotal"])) == (quantity, subtotal)
        assert shown["version"] == cart.version

    def call(self, method: str, name: str, path: str = "", body: Any = None) -> Answer:
        """A request of the cart's owner."""
        api = self.alice if name == "mine" else ApiClient()
        headers = {} if name == "mine" else {"X_Cart_Token": self.secret}
        return api.send(method, self.paths[name] + path, body, headers=headers)

    def items(self, several: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
        return [{"product_id": self.ids[number], "quantity": n} for number, n in several]

    def id_of(self, name: str) -> str:
        return self.paths[name].rsplit("/", 1)[1]

    def _start(self, name: str) -> None:
        made = (self.alice if name == "mine" else ApiClient()).post("/shopping-carts/", {})
        assert made.status == 201, made.body
        self.paths[name] = f"/shopping-carts/{made['id']}"
        self.secret = made.json().get("cart_token", self.secret)
        self.model.carts[name] = Cart()

    def _merge(self, body: dict[str, Any], dry_run: bool = False) -> Answer:
        path = f"{self.paths['guests']}/merge{'?dry_run=true' if dry_run else ''}"
        answer = self.alice.post(path, body, X_Cart_Token=self.secret)
        assert answer.status == 200, answer.body
        return answer

    def _lines(self, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [self._line(line) for line in lines]

    def _line(self, line: dict[str, Any]) -> dict[str, Any]:
        amounts = {name: minor(line[name]) for name in ("unit_price", "line_total", "price_at_add")}
        problems = [(one["code"], one.get("available_quantity")) for one in line["problems"]]
        assert line["problem"] == next(iter(line["problems"]), None)
        assert line["price_changed"] == (("price_changed", None) in problems)
        assert line["available"] == (("product_unavailable", 0) not in problems)
        shown: Line = {"number": self.ids.index(line["product_id"]), "quantity": line["quantity"]}
        return {**shown, **amounts, "problems": problems}

    def _quantities(self, cart: dict[str, Any]) -> dict[str, dict[int, int]]:
        return {
            place: {self.ids.index(line["product_id"]): line["quantity"] for line in cart[place]}
            for place in ("items", "saved_items")
        }

    def _adjusted(self, one: dict[str, Any]) -> dict[str, Any]:
        counts = {name: one[name] for name in ("code", "asked", "got", "saved")}
        return {**counts, "number": self.ids.index(one["product_id"])}


def as_sent(change: Mapping[str, Any]) -> dict[str, Any]:
    """A change of the model as the API takes it."""
    if "price" in change:
        return {"price": f"{change['price'] // 100}.{change['price'] % 100:02}"}
    return {"quantity": change["stock"]} if "stock" in change else dict(change)


def minor(amount: float) -> int:
    """Minor units, exactly."""
    cents = round(amount * 100)
    assert cents / 100 == amount
    return cents


@pytest.fixture
def machine(
    alice: Person, bob: Person, sam: Person, make_product: MakeProduct
) -> Callable[[], CartMachine]:
    return lambda: CartMachine(alice, bob, sam, make_product)


@pytest.mark.timeout(1800)
def test_carts_and_their_model_agree_after_every_step(machine: Callable[[], CartMachine]) -> None:
    how = settings(
        max_examples=EXAMPLES or 12,
        stateful_step_count=30,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=how)  # type: ignore[arg-type]  # takes a maker too


Steps = Callable[[CartMachine], None]


def saved_beside_an_older_price(shop: CartMachine) -> None:
    shop.add("mine", 1, 2)
    shop.move_line("mine", 1, "save")
    shop.change_product(1, {"price": 999})
    shop.add("mine", 1, 3)
    shop.move_line("mine", 1, "save")


def merged_when_less_is_left_than_the_cart_holds(shop: CartMachine) -> None:
    shop.add("mine", 0, 5)
    shop.add("guests", 0, 1)
    shop.change_product(0, {"stock": 1})
    shop.merge("sum", dry_run=True)
    shop.merge("sum", dry_run=False)


def set_when_it_is_not_sold_any_more(shop: CartMachine) -> None:
    shop.add("guests", 2, 3)
    shop.change_product(2, {"status": "archived"})
    shop.set_quantity("guests", 2, 1)
    shop.change_product(2, {"status": "deleted"})
    shop.set_quantity("guests", 2, 1)


def merged_with_a_saved_line_when_it_is_not_sold_any_more(shop: CartMachine) -> None:
    for name in ("mine", "guests"):
        shop.add(name, 2, 2)
        shop.move_line(name, 2, "save")
    shop.add("guests", 2, 998)
    shop.change_product(2, {"status": "archived"})
    for mode in ("sum", "max", "keep-guest", "keep-mine"):
        shop.merge(mode, dry_run=True)
    shop.merge("keep-guest", dry_run=False)


def replaced_after_its_price_changed(shop: CartMachine) -> None:
    for name in ("mine", "guests"):
        shop.add(name, 1, 2)
    shop.change_product(1, {"price": 999})
    shop.replace("mine", [(1, 3), (2, 1), (1, 1)])
    shop.change_product(2, {"price": 1})
    shop.replace("mine", [(2, 2), (1, 1)])
    shop.replace("guests", [(0, 1)])
    shop.replace("guests", [(1, 1)])


@pytest.mark.parametrize(
    "steps",
    [
        replaced_after_its_price_changed,
        saved_beside_an_older_price,
        merged_when_less_is_left_than_the_cart_holds,
        set_when_it_is_not_sold_any_more,
        merged_with_a_saved_line_when_it_is_not_sold_any_more,
    ],
)
def test_ways_that_chance_has_missed_before(
    steps: Steps, machine: Callable[[], CartMachine]
) -> None:
    shop = machine()
    steps(shop)
    shop.both_agree()
