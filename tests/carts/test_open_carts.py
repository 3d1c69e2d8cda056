"""At most 20 open carts a user: under any race, and given back by carts that are gone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from carts.documents import OpenCarts, ShoppingCart
from carts.services import open_carts
from catalog.documents import ProductRow
from ecommerce.core.documents import IdempotencyRecord
from ecommerce.core.mongo import collection, utc_now
from tests.carts.items import item
from tests.client import Answer, ApiClient, Person
from tests.faults import DiesAt, KilledError

KEY = "0b5b6d0e-6a53-4c1a-9f39-000000000002"


def start(who: Person, *items: dict[str, Any], **headers: str) -> Answer:
    return who.api.post("/shopping-carts/", {"items": items}, **headers)


def full(who: Person, lamp: ProductRow) -> list[str]:
    """20 carts with a lamp each."""
    return [start(who, item(lamp))["id"] for _ in range(20)]


def minutes_pass(minutes: float = 2) -> None:
    """Every place in a list is so much older."""
    before = utc_now() - timedelta(minutes=minutes)
    for row in collection(OpenCarts).find({}):
        places = [{**place, "at": before} for place in row["carts"]]
        collection(OpenCarts).update_one({"_id": row["_id"]}, {"$set": {"carts": places}})


def count(who: Person) -> int:
    return collection(ShoppingCart).count_documents({"user_id": who.principal.id})


def test_with_20_carts_in_use_there_is_no_other(lamp: ProductRow, alice: Person) -> None:
    full(alice, lamp)
    refused = start(alice)
    assert (refused.outcome, refused["limit"]) == ((409, "too_many_carts"), 20)
    assert count(alice) == 20


def test_others_have_carts_of_their_own(lamp: ProductRow, alice: Person, bob: Person) -> None:
    full(alice, lamp)
    assert start(bob).status == 201
    assert ApiClient().post("/shopping-carts/", {}).status == 201


def test_then_the_oldest_empty_cart_is_used_again(lamp: ProductRow, alice: Person) -> None:
    carts = full(alice, lamp)
    for number in (7, 3):
        alice.api.delete(f"/shopping-carts/{carts[number]}/clear")
    answer = start(alice, item(lamp, 4))
    assert (answer.status, answer["id"], answer["total_quantity"]) == (201, carts[3], 4)
    assert start(alice, item(lamp))["id"] == carts[7]
    assert start(alice, item(lamp)).outcome == (409, "too_many_carts")


def test_a_cart_with_saved_lines_is_not_empty(lamp: ProductRow, alice: Person) -> None:
    carts = full(alice, lamp)
    alice.api.post(f"/shopping-carts/{carts[0]}/items/{lamp['_id']}/save")
    assert start(alice).outcome == (409, "too_many_carts")


def test_a_deleted_cart_gives_its_place_back_at_once(lamp: ProductRow, alice: Person) -> None:
    carts = full(alice, lamp)
    alice.api.delete(f"/shopping-carts/{carts[0]}")
    assert start(alice, item(lamp)).status == 201
    assert start(alice).outcome == (409, "too_many_carts")


def test_an_expired_cart_gives_its_place_back(lamp: ProductRow, alice: Person) -> None:
    carts = full(alice, lamp)
    minutes_pass()
    ended = utc_now() - timedelta(seconds=1)
    collection(ShoppingCart).update_one(
        {"_id": ObjectId(carts[0])}, {"$set": {"expires_at": ended}}
    )
    assert start(alice, item(lamp)).status == 201
    assert start(alice).outcome == (409, "too_many_carts")


def test_a_place_without_a_cart_is_kept_for_a_minute(lamp: ProductRow, alice: Person) -> None:
    carts = full(alice, lamp)
    collection(ShoppingCart).delete_one({"_id": ObjectId(carts[0])})
    assert start(alice).outcome == (409, "too_many_carts"), "it may be on its way"
    minutes_pass()
    assert start(alice, item(lamp)).status == 201


def test_parallel_starts_stop_exactly_at_20(lamp: ProductRow, alice: Person) -> None:
    def post(_: int) -> int:
        body = {"items": [item(lamp)]}
        return ApiClient(alice.api.token).post("/shopping-carts/", body).status

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(post, range(32)))
    assert sorted(statuses) == [201] * 20 + [409] * 12
    assert count(alice) == 20


def test_parallel_starts_share_no_empty_cart(lamp: ProductRow, alice: Person) -> None:
    carts = full(alice, lamp)
    for cart in carts[:5]:
        alice.api.delete(f"/shopping-carts/{cart}/clear")

    def post(_: int) -> Answer:
        body = {"items": [item(lamp, 2)]}
        return ApiClient(alice.api.token).post("/shopping-carts/", body)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(8)))
    used = [answer["id"] for answer in answers if answer.status == 201]
    assert sorted(used) == sorted(carts[:5])
    assert {answer["total_quantity"] for answer in answers if answer.status == 201} == {2}


def test_a_retry_finds_the_empty_cart_that_the_first_try_filled(
    lamp: ProductRow, alice: Person, dies_at: DiesAt
) -> None:
    carts = full(alice, lamp)
    alice.api.delete(f"/shopping-carts/{carts[4]}/clear")
    dies_at("idempotency.effect")
    with pytest.raises(KilledError):
        start(alice, item(lamp, 3), Idempotency_Key=KEY)
    ended = utc_now() - timedelta(seconds=1)
    collection(IdempotencyRecord).update_many({}, {"$set": {"lease_until": ended}})
    alice.api.delete(f"/shopping-carts/{carts[0]}")
    answer = start(alice, item(lamp, 3), Idempotency_Key=KEY)
    assert (answer.status, answer["id"], answer["total_quantity"]) == (201, carts[4], 3)
    assert count(alice) == 19


def test_a_guests_cart_needs_a_place_to_become_the_users(lamp: ProductRow, alice: Person) -> None:
    carts = full(alice, lamp)
    guests = ApiClient().post("/shopping-carts/", {"items": [item(lamp)]})
    path, token = f"/shopping-carts/{guests['id']}/merge", guests["cart_token"]
    assert alice.api.post(path, {}, X_Cart_Token=token).outcome == (409, "too_many_carts")
    assert ApiClient().get(path.removesuffix("/merge"), X_Cart_Token=token).status == 200
    assert alice.api.post(path, {"into": carts[0]}, X_Cart_Token=token).status == 200
    assert count(alice) == 20


def test_a_cart_that_is_not_to_be_had_takes_no_place(alice: Person, bob: Person) -> None:
    bobs = start(bob)["id"]
    for cart in (bobs, "0" * 24):
        refused = alice.api.post(f"/shopping-carts/{cart}/merge", {}, X_Cart_Token="x" * 43)
        assert refused.outcome == (404, "cart_not_found")
    assert collection(OpenCarts).find_one({"_id": alice.principal.id}) is None


def test_a_deleted_user_leaves_no_list(alice: Person) -> None:
    start(alice)
    alice.api.delete("/users/me")
    assert collection(OpenCarts).count_documents({}) == 0


def test_a_retry_keeps_its_old_place_from_those_who_look_for_one(
    lamp: ProductRow, alice: Person
) -> None:
    full(alice, lamp)
    where = {"_id": alice.principal.id}
    cart, old = ObjectId(), utc_now() - timedelta(minutes=2)
    collection(OpenCarts).update_one(where, {"$set": {"carts.0": {"cart_id": cart, "at": old}}})
    assert open_carts.take_place(alice.principal.id, cart), "an earlier try had got it"
    assert not open_carts.take_place(alice.principal.id, ObjectId())
    row = collection(OpenCarts).find_one(where) or {}
    assert row["carts"][0]["at"] > old


def test_a_dry_run_of_a_hand_over_says_that_there_is_no_room(
    lamp: ProductRow, alice: Person, anyone: ApiClient
) -> None:
    carts = full(alice, lamp)
    guests = anyone.post("/shopping-carts/", {})
    path, secret = f"/shopping-carts/{guests['id']}/merge", guests["cart_token"]
    for query in ("?dry_run=true", ""):
        answer = alice.api.post(path + query, {"mode": "sum"}, X_Cart_Token=secret)
        assert answer.outcome == (409, "too_many_carts")
    alice.api.delete(f"/shopping-carts/{carts[0]}")
    for query in ("?dry_run=true", ""):
        answer = alice.api.post(path + query, {"mode": "sum"}, X_Cart_Token=secret)
        assert answer.status == 200
