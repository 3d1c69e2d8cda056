"""A merge that is sent twice, at once or again after a crash happens once, and whole."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

import pytest
from bson import ObjectId

from carts.documents import OpenCarts
from catalog.documents import ProductRow
from ecommerce.core.mongo import collection, utc_now
from tests.carts.items import MakeProduct, item
from tests.carts.merges import MODES, GuestCart, cart_of, lines
from tests.client import ApiClient, Person
from tests.faults import DiesAt, KilledError

STEPS: Final = ("carts.merge_claimed", "carts.merge_written", "carts.merge_marked")


@pytest.mark.parametrize("mode", MODES)
def test_sent_twice_it_merges_once_and_answers_the_same(
    mode: str, make_product: MakeProduct, alice: Person
) -> None:
    scarce = make_product(quantity=3)
    guests, mine = GuestCart(item(scarce, 3)), cart_of(alice, item(scarce, 2))
    first, again = guests.merge(alice, mine, mode), guests.merge(alice, mine, mode)
    assert again.json() == first.json()
    alice.api.put(f"/shopping-carts/{mine}/items/{scarce['_id']}", {"quantity": 1})
    third = guests.merge(alice, mine, mode)
    assert lines(third["cart"]) == [("Lamp", 1)], "the present state, not a second merge"
    assert third["adjustments"] == first["adjustments"]


@pytest.mark.parametrize("step", STEPS)
def test_interrupted_it_is_completed_by_the_next_try(
    step: str, make_product: MakeProduct, alice: Person, dies_at: DiesAt
) -> None:
    scarce = make_product(quantity=6)
    guests, mine = GuestCart(item(scarce, 5)), cart_of(alice, item(scarce, 2))
    dies_at(step)
    with pytest.raises(KilledError):
        guests.merge(alice, mine)
    frozen = guests.add(scarce)
    assert frozen.outcome == (409, "cart_merged")
    answer = guests.merge(alice, mine)
    assert answer.status == 200
    assert lines(answer["cart"]) == [("Lamp", 6)]
    assert [(one["code"], one["asked"], one["got"]) for one in answer["adjustments"]] == [
        ("insufficient_stock", 7, 6)
    ]
    assert guests.stored()["merged_into"] == ObjectId(mine)
    assert guests.merge(alice, mine).json() == answer.json()


@pytest.mark.parametrize("step", STEPS)
def test_another_merge_of_the_same_cart_is_refused_and_says_which_one_holds(
    step: str, lamp: ProductRow, alice: Person, bob: Person, dies_at: DiesAt
) -> None:
    guests, mine, other = GuestCart(item(lamp, 2)), cart_of(alice), cart_of(alice)
    bobs = cart_of(bob)
    dies_at(step)
    with pytest.raises(KilledError):
        guests.merge(alice, mine)
    for refused in (
        guests.merge(alice, other), guests.merge(alice, mine, "max"), guests.merge(alice, None)
    ):  # fmt: skip
        assert (refused.outcome, refused["merged_into"]) == ((409, "cart_merged"), mine)
        assert lines(alice.api.get(f"/shopping-carts/{mine}").json()) == [("Lamp", 2)], (
            "and is true"
        )
    foreign = guests.merge(bob, bobs)
    assert (foreign.outcome, "merged_into" in foreign.json()) == ((409, "cart_merged"), False)
    assert bob.api.get(f"/shopping-carts/{bobs}")["items"] == []


@pytest.mark.parametrize("into", ["another cart", "itself"])
@pytest.mark.parametrize("person", ["alice", "bob"])
def test_another_merge_opens_a_cart_again_whose_target_is_gone(
    into: str,
    person: str,
    lamp: ProductRow,
    alice: Person,
    bob: Person,
    dies_at: DiesAt,
) -> None:
    guests, mine = GuestCart(item(lamp, 2)), cart_of(alice)
    dies_at("carts.merge_claimed")
    with pytest.raises(KilledError):
        guests.merge(alice, mine)
    alice.api.delete(f"/shopping-carts/{mine}")
    whose = {"alice": alice, "bob": bob}[person]
    answer = guests.merge(whose, cart_of(whose) if into == "another cart" else None)
    assert (answer.status, answer["cart"]["user_id"]) == (200, whose.id)
    assert lines(answer["cart"]) == [("Lamp", 2)]


def test_a_dry_run_carries_out_nothing_that_was_left(
    lamp: ProductRow, alice: Person, dies_at: DiesAt
) -> None:
    guests, mine = GuestCart(item(lamp, 2)), cart_of(alice)
    dies_at("carts.merge_claimed")
    with pytest.raises(KilledError):
        guests.merge(alice, mine)
    for into in (mine, None):
        assert guests.merge(alice, into, dry_run="true").outcome == (409, "cart_merged")
    assert alice.api.get(f"/shopping-carts/{mine}")["items"] == []


def test_a_target_that_is_gone_opens_the_source_again(
    lamp: ProductRow, alice: Person, dies_at: DiesAt
) -> None:
    guests, mine, other = GuestCart(item(lamp, 2)), cart_of(alice), cart_of(alice)
    dies_at("carts.merge_claimed")
    with pytest.raises(KilledError):
        guests.merge(alice, mine)
    alice.api.delete(f"/shopping-carts/{mine}")
    assert guests.merge(alice, mine).outcome == (404, "merge_target_not_found")
    assert guests.add(lamp)["total_quantity"] == 3
    assert lines(guests.merge(alice, other)["cart"]) == [("Lamp", 3)]


def test_a_merge_that_was_done_is_told_again_after_its_target_is_gone(
    lamp: ProductRow, alice: Person
) -> None:
    guests, mine = GuestCart(item(lamp, 2)), cart_of(alice)
    assert guests.merge(alice, mine).status == 200
    alice.api.delete(f"/shopping-carts/{mine}")
    before = guests.stored()
    again = guests.merge(alice, mine)
    assert (again.outcome, again["merged_into"]) == ((409, "cart_merged"), mine)
    assert guests.stored() == before


def test_a_try_that_is_overtaken_does_not_say_that_the_cart_is_as_it_was(
    lamp: ProductRow, alice: Person, settings: Any
) -> None:
    guests, mine = GuestCart(item(lamp, 2)), cart_of(alice)

    def overtaken(reached: str) -> None:
        settings.CHECKPOINT = None
        assert reached == "carts.merge_claimed"
        assert guests.merge(alice, mine).status == 200
        alice.api.delete(f"/shopping-carts/{mine}")

    settings.CHECKPOINT = overtaken
    late = guests.merge(alice, mine)
    assert (late.outcome, late["merged_into"]) == ((409, "cart_merged"), mine)


@pytest.mark.parametrize("step", ["carts.merge_placed", "carts.merge_adopted"])
def test_becoming_the_callers_is_completed_by_the_next_try_and_takes_one_place(
    step: str, lamp: ProductRow, alice: Person, dies_at: DiesAt
) -> None:
    guests = GuestCart(item(lamp, 2))
    dies_at(step)
    with pytest.raises(KilledError):
        guests.merge(alice, None)
    answer = guests.merge(alice, None)
    assert (answer.status, answer["cart"]["version"]) == (200, 2)
    assert (answer["cart"]["user_id"], lines(answer["cart"])) == (alice.id, [("Lamp", 2)])
    (places,) = collection(OpenCarts).find({})
    assert [place["cart_id"] for place in places["carts"]] == [ObjectId(guests.id)]


def test_a_place_for_a_cart_that_never_came_is_given_to_another(
    lamp: ProductRow, alice: Person, dies_at: DiesAt
) -> None:
    guests = GuestCart(item(lamp, 2))
    dies_at("carts.merge_placed")
    with pytest.raises(KilledError):
        guests.merge(alice, None)
    assert guests.add(lamp)["total_quantity"] == 3, "it is the guest's as before"
    assert alice.api.get("/shopping-carts/")["items"] == []
    earlier = utc_now() - timedelta(minutes=2)
    collection(OpenCarts).update_one({}, {"$set": {"carts.0.at": earlier}})
    for _ in range(20):
        assert alice.api.post("/shopping-carts/", {"items": [item(lamp)]}).status == 201


def test_parallel_merges_of_one_cart_merge_it_once(
    make_product: MakeProduct, alice: Person
) -> None:
    lamp = make_product(quantity=500)
    for _ in range(5):
        guests, mine = GuestCart(item(lamp, 3)), cart_of(alice, item(lamp, 2))
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(guests.merge, [alice] * 8, [mine] * 8))
        assert {answer.status for answer in answers} == {200}
        assert lines(alice.api.get(f"/shopping-carts/{mine}").json()) == [("Lamp", 5)]
        alice.api.delete(f"/shopping-carts/{mine}")


def test_no_add_is_lost_while_carts_merge(make_product: MakeProduct, alice: Person) -> None:
    lamp = make_product(quantity=500)
    for _ in range(5):
        guests, mine = GuestCart(item(lamp)), cart_of(alice, item(lamp))

        def work(number: int, guests: GuestCart = guests, mine: str = mine) -> int:
            """Merge, add to the source or add to the target; how many were added."""
            if number == 8:
                return 0 if guests.merge(alice, mine).status == 200 else -1000
            if number % 2:
                return int(guests.add(lamp).status < 300)
            path = f"/shopping-carts/{mine}/items"
            return int(ApiClient(alice.api.token).post(path, item(lamp)).status < 300)

        with ThreadPoolExecutor(16) as pool:
            added = sum(pool.map(work, range(16)))
        assert alice.api.get(f"/shopping-carts/{mine}")["total_quantity"] == 2 + added
        alice.api.delete(f"/shopping-carts/{mine}")
