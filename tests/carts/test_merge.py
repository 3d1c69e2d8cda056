"""POST /shopping-carts/{id}/merge: a guest's cart goes into the user's without loss."""

from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from carts.documents import ShoppingCart
from catalog.documents import ProductRow
from ecommerce.core.mongo import collection, utc_now
from tests.carts.items import MakeProduct, item
from tests.carts.merges import MODES, GuestCart, cart_of, lines
from tests.client import ApiClient, Person


@pytest.mark.parametrize(
    ("mode", "lamps"), [("sum", 7), ("max", 5), ("keep-guest", 5), ("keep-mine", 2)]
)
def test_a_mode_decides_about_lines_in_both_carts_and_the_others_are_kept(
    mode: str, lamps: int, make_product: MakeProduct, alice: Person
) -> None:
    lamp, mug, rug = (make_product(name=name, quantity=50) for name in ("Lamp", "Mug", "Rug"))
    mine = cart_of(alice, item(lamp, 2), item(mug, 3))
    guests = GuestCart(item(lamp, 5), item(rug, 4))
    answer = guests.merge(alice, mine, mode)
    assert (answer.status, answer["adjustments"]) == (200, [])
    assert lines(answer["cart"]) == [("Lamp", lamps), ("Mug", 3), ("Rug", 4)]
    assert (answer["cart"]["id"], answer["cart"]["version"]) == (mine, 2)
    assert alice.api.get(f"/shopping-carts/{mine}").json() == answer["cart"]


@pytest.mark.parametrize("target", ["mine", None])
def test_a_merge_answers_the_tag_of_the_cart_in_it(
    target: str | None, lamp: ProductRow, alice: Person
) -> None:
    mine = cart_of(alice, item(lamp, 2)) if target else None
    guests = GuestCart(item(lamp))
    dry = guests.merge(alice, mine, dry_run="true")
    assert "ETag" not in dry.headers, "there is no such cart"
    answer = guests.merge(alice, mine, "sum")
    path = f"/shopping-carts/{answer['cart']['id']}"
    assert answer.headers["ETag"] == alice.api.get(path).headers["ETag"]
    assert alice.api.delete(f"{path}/clear", If_Match=answer.headers["ETag"]).status == 200


@pytest.mark.parametrize("mode", ["max", "keep-guest"])
def test_fewer_of_the_guest_count_only_where_the_guest_wins(
    mode: str, lamp: ProductRow, alice: Person
) -> None:
    answer = GuestCart(item(lamp, 2)).merge(alice, cart_of(alice, item(lamp, 6)), mode)
    assert lines(answer["cart"]) == [("Lamp", 6 if mode == "max" else 2)]


@pytest.mark.parametrize(("mode", "note"), [("sum", "mine"), ("keep-guest", "guest")])
def test_a_line_keeps_the_note_of_the_winner_or_of_who_has_one(
    mode: str, note: str, make_product: MakeProduct, alice: Person
) -> None:
    lamp, mug = make_product(), make_product()
    mine = cart_of(alice, item(lamp, note="mine"), item(mug))
    guests = GuestCart(item(lamp, note="guest"), item(mug, note="guest"))
    answer = guests.merge(alice, mine, mode)
    assert [line["note"] for line in answer["cart"]["items"]] == [note, "guest"]


def test_what_does_not_fit_is_capped_and_reported(
    make_product: MakeProduct, alice: Person, sam: Person
) -> None:
    plenty, scarce, none, gone = (
        make_product(name=name, quantity=quantity)
        for name, quantity in (("Plenty", 5000), ("Scarce", 5), ("None", 2), ("Gone", 9))
    )
    mine = cart_of(alice, item(plenty, 600), item(scarce, 4))
    guests = GuestCart(item(plenty, 500), item(scarce, 3), item(none, 2), item(gone, 4))
    sam.api.patch(f"/products/{none['_id']}", {"quantity": 0})
    sam.api.delete(f"/products/{gone['_id']}")
    answer = guests.merge(alice, mine)
    assert lines(answer["cart"]) == [("Plenty", 999), ("Scarce", 5)]
    assert lines(answer["cart"], "saved_items") == [("None", 2), ("Gone", 4)]

    def adjusted(code: str, product: ProductRow, *counts: int) -> dict[str, Any]:
        asked, got, saved = counts
        return {"code": code, "product_id": str(product["_id"]), "sku": None,
                "asked": asked, "got": got, "saved": saved}  # fmt: skip

    assert answer["adjustments"] == [
        adjusted("quantity_limit", plenty, 1100, 999, 0),
        adjusted("insufficient_stock", scarce, 7, 5, 0),
        adjusted("insufficient_stock", none, 2, 0, 2),
        adjusted("product_unavailable", gone, 4, 0, 4),
    ]


def test_a_merge_takes_nothing_from_what_is_there(
    make_product: MakeProduct, alice: Person, sam: Person
) -> None:
    lamp = make_product(quantity=9)
    mine, guests = cart_of(alice, item(lamp, 5)), GuestCart(item(lamp, 4))
    sam.api.patch(f"/products/{lamp['_id']}", {"quantity": 1})
    answer = guests.merge(alice, mine)
    assert lines(answer["cart"]) == [("Lamp", 5)]
    assert [(one["asked"], one["got"]) for one in answer["adjustments"]] == [(9, 5)]


def test_lines_beyond_100_are_saved_for_later(make_product: MakeProduct, alice: Person) -> None:
    products = [make_product() for _ in range(102)]
    mine = cart_of(alice, *map(item, products[:99]))
    answer = GuestCart(*map(item, products[98:])).merge(alice, mine)
    assert (len(answer["cart"]["items"]), len(answer["cart"]["saved_items"])) == (100, 2)
    assert [(one["code"], one["saved"]) for one in answer["adjustments"]] == [("cart_full", 1)] * 2


def test_what_is_saved_stays_saved(make_product: MakeProduct, alice: Person) -> None:
    lamp, mug = make_product(name="Lamp"), make_product(name="Mug")
    mine, guests = cart_of(alice, item(lamp, 2)), GuestCart(item(lamp, 3), item(mug))
    alice.api.post(f"/shopping-carts/{mine}/items/{lamp['_id']}/save")
    for product in (lamp, mug):
        ApiClient().post(f"{guests.path}/items/{product['_id']}/save", X_Cart_Token=guests.token)
    answer = guests.merge(alice, mine)
    assert (lines(answer["cart"]), answer["adjustments"]) == ([], [])
    assert lines(answer["cart"], "saved_items") == [("Lamp", 5), ("Mug", 1)]


def test_the_source_is_marked_merged_and_not_lost(lamp: ProductRow, alice: Person) -> None:
    guests, mine = GuestCart(item(lamp, 2)), cart_of(alice)
    guests.merge(alice, mine)
    left = ApiClient().get(guests.path, X_Cart_Token=guests.token)
    assert (left["status"], lines(left.json())) == ("merged", [("Lamp", 2)])
    assert guests.stored()["merged_into"] == ObjectId(mine)


def test_a_merged_cart_takes_nothing_more_and_tells_its_owner_where_it_went(
    lamp: ProductRow, alice: Person
) -> None:
    guests, mine = GuestCart(item(lamp, 2)), cart_of(alice)
    guests.merge(alice, mine)
    before = guests.stored()
    stranger = guests.add(lamp)
    assert (stranger.outcome, "merged_into" in stranger.json()) == ((409, "cart_merged"), False)
    owner = alice.api.post(f"{guests.path}/items", item(lamp), X_Cart_Token=guests.token)
    assert (owner.outcome, owner["merged_into"]) == ((409, "cart_merged"), mine)
    for method, path in (("PUT", ""), ("DELETE", ""), ("DELETE", "/clear")):
        refused = ApiClient().send(
            method, guests.path + path, None, headers={"X-Cart-Token": guests.token}
        )
        assert refused.outcome == (409, "cart_merged")
    assert guests.stored() == before


@pytest.mark.parametrize("into", ["unknown", "bobs", "expired", "guests own"])
def test_the_target_is_an_open_cart_of_the_caller(
    into: str, lamp: ProductRow, alice: Person, bob: Person
) -> None:
    guests, expired = GuestCart(item(lamp, 2)), cart_of(alice)
    collection(ShoppingCart).update_one(
        {"_id": ObjectId(expired)}, {"$set": {"expires_at": utc_now() - timedelta(seconds=1)}}
    )
    ids = {
        "unknown": "0" * 24, "bobs": cart_of(bob), "expired": expired, "guests own": guests.id,
    }  # fmt: skip
    before = guests.stored()
    refused = guests.merge(alice, ids[into])
    assert refused.outcome == (404, "merge_target_not_found")
    now = guests.stored()
    assert now.keys() == before.keys()
    assert now["items"] == before["items"]


@pytest.mark.parametrize("into", [None, "mine"])
def test_without_the_secret_there_is_nothing_to_merge(
    into: str | None, lamp: ProductRow, alice: Person, bob: Person
) -> None:
    guests = GuestCart(item(lamp, 2))
    target = into and cart_of(alice)
    before = list(collection(ShoppingCart).find({}))
    for headers in ({}, {"X_Cart_Token": "x" * 43}, {"X_Cart_Token": guests.token[:-1]}):
        answer = alice.api.post(f"{guests.path}/merge", {"into": target}, **headers)
        assert answer.outcome == (404, "cart_not_found")
    anyone = ApiClient().post(f"{guests.path}/merge", {"into": target}, X_Cart_Token=guests.token)
    assert anyone.outcome == (401, "not_authenticated")
    bobs = cart_of(bob)
    before = list(collection(ShoppingCart).find({}))
    foreign = alice.api.post(
        f"/shopping-carts/{bobs}/merge", {"into": target}, X_Cart_Token=guests.token
    )
    assert foreign.outcome == (404, "cart_not_found")
    assert list(collection(ShoppingCart).find({})) == before


def test_without_a_target_the_cart_becomes_the_callers_and_the_secret_is_worth_nothing(
    lamp: ProductRow, alice: Person, bob: Person
) -> None:
    guests = GuestCart(item(lamp, 2))
    answer = guests.merge(alice, None)
    assert (answer.status, answer["adjustments"]) == (200, [])
    assert (answer["cart"]["id"], answer["cart"]["user_id"]) == (guests.id, alice.id)
    assert guests.add(lamp).outcome == (404, "cart_not_found")
    assert guests.merge(bob, None).outcome == (404, "cart_not_found")
    assert alice.api.get(guests.path)["total_quantity"] == 2
    stored = guests.stored()
    assert "token_hash" not in stored
    assert stored["expires_at"] - stored["updated_at"] == timedelta(days=90)
    assert guests.merge(alice, None).json() == answer.json(), "sent twice"
    assert guests.merge(alice, cart_of(alice)).outcome == (409, "not_a_guest_cart")


@pytest.mark.parametrize("mode", MODES)
def test_a_dry_run_answers_the_result_and_writes_nothing(
    mode: str, make_product: MakeProduct, alice: Person
) -> None:
    lamp, mug = make_product(quantity=6), make_product(name="Mug")
    mine, guests = cart_of(alice, item(lamp, 4)), GuestCart(item(lamp, 5), item(mug))
    before = list(collection(ShoppingCart).find({}))
    tried = guests.merge(alice, mine, mode, dry_run="true")
    assert (tried.status, tried["dry_run"]) == (200, True)
    assert list(collection(ShoppingCart).find({})) == before
    done = guests.merge(alice, mine, mode)
    assert done["dry_run"] is False
    assert lines(done["cart"]) == lines(tried["cart"])
    assert done["adjustments"] == tried["adjustments"]
    assert guests.merge(alice, mine, mode, dry_run="true").outcome == (409, "cart_merged")


def test_a_dry_run_without_a_target_writes_nothing_either(lamp: ProductRow, alice: Person) -> None:
    guests = GuestCart(item(lamp, 2))
    before = guests.stored()
    assert lines(guests.merge(alice, None, dry_run="true")["cart"]) == [("Lamp", 2)]
    assert guests.merge(alice, "0" * 24, dry_run="true").outcome == (
        404, "merge_target_not_found",
    )  # fmt: skip
    assert guests.stored() == before


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"mode": "add"}, "/mode"), ({"into": "x"}, "/into"), ({"into": {"$ne": 1}}, "/into"),
     ({"from": "x"}, "/from"), ({"mode": None}, "/mode")],
)  # fmt: skip
def test_bad_input_names_the_field(
    body: Any, pointer: str, lamp: ProductRow, alice: Person
) -> None:
    guests = GuestCart(item(lamp))
    answer = alice.api.post(f"{guests.path}/merge", body, X_Cart_Token=guests.token)
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), [pointer])
    assert "merge" not in guests.stored()


def test_if_match_is_about_the_guests_cart(lamp: ProductRow, alice: Person) -> None:
    guests, mine = GuestCart(item(lamp)), cart_of(alice)
    refused = guests.merge(alice, mine, If_Match='"v7"')
    assert (refused.outcome, refused["cart"]["id"]) == ((412, "precondition_failed"), guests.id)
    assert "merge" not in guests.stored()
    assert guests.merge(alice, mine, If_Match='"v1"').status == 200
