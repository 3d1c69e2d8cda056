"""`verify_invariants`: the command, whatever the rules are (those are in tests/invariants)."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from bson import ObjectId
from django.core.management import CommandError, call_command

from catalog.documents import Product, ProductRow
from ecommerce.core.invariants import Checked, Rule, Update, Verification, registered
from ecommerce.core.mongo import collection, uses_embedded_store
from tests.client import ApiClient, Person
from tests.operations import recorded

Answers = Callable[[str], None]


def run(*arguments: str) -> tuple[int, list[str]]:
    """Exit code, and the lines that are printed; the last one says what is left."""
    out = StringIO()
    try:
        call_command("verify_invariants", *arguments, stdout=out)
    except CommandError as refusal:
        return refusal.returncode, [*out.getvalue().splitlines(), str(refusal)]
    return 0, out.getvalue().splitlines()


def out_of_stock(count: int) -> None:
    """So many products say that there are none, though there are."""
    ids = [row["_id"] for row in collection(Product).find({}, {"_id": 1}).sort("_id").limit(count)]
    collection(Product).update_many({"_id": {"$in": ids}}, {"$set": {"in_stock": False}})


def wrong() -> int:
    return collection(Product).count_documents({"in_stock": False, "quantity": {"$gt": 0}})


def test_a_seeded_shop_that_was_used_keeps_every_rule(alice: Person) -> None:
    call_command("seed", products=30, users=3, carts=2, stdout=StringIO())
    some = alice.api.get("/products/?in_stock=true&limit=3")["items"]
    items = [{"product_id": one["id"], "quantity": 1} for one in some]
    guest = ApiClient().post("/shopping-carts/", {"items": items[:1]}, Idempotency_Key="g" * 36)
    mine = alice.api.post("/shopping-carts/", {"items": items})
    alice.api.delete(f"/shopping-carts/{mine['id']}/items/{some[0]['id']}")
    merged = alice.api.post(
        f"/shopping-carts/{guest['id']}/merge",
        {"into": mine["id"], "mode": "sum"},
        X_Cart_Token=guest["cart_token"],
    )
    assert merged.status == 200
    code, lines = run()
    assert code == 0
    assert [line.split()[0] for line in lines] == ["OK"] * len(registered())
    assert "OK    products             30 rows" in lines


def test_what_is_wrong_is_named_with_ids_and_changes_nothing(lamp: ProductRow) -> None:
    out_of_stock(1)
    code, lines = run("--only", "products")
    assert code == 1
    says = "quantity is the sum of the variants', and in_stock follows from it."
    left = "--repair mends what is safe to mend; the rest needs somebody to look."
    assert lines == [
        "FAIL  products             1 rows",
        f"      products.stock: 1 broken. {says}",
        f"        {lamp['_id']}  in_stock: not what quantity says",
        f"Broken: products.stock. {left}",
    ]
    assert wrong() == 1


def test_a_few_ids_are_listed_and_the_others_counted(
    make_product: Callable[..., ProductRow],
) -> None:
    made = [make_product()["_id"] for _ in range(23)]
    out_of_stock(23)
    _, lines = run("--only", "products.stock")
    assert [line.split()[0] for line in lines[2:22]] == [str(one) for one in made[:20]]
    assert lines[22] == "        and 3 more"
    code, answer = run("--only", "products.stock", "--json")
    tally = json.loads("\n".join(answer[:-1]))[0]["broken"][0]
    assert (code, tally["broken"], tally["repaired"], len(tally["examples"])) == (1, 23, 0, 20)


@pytest.mark.parametrize("batch", [1, 4, 500])
def test_every_row_is_looked_at_in_batches_of_any_size(
    batch: int, make_product: Callable[..., ProductRow]
) -> None:
    for _ in range(9):
        make_product()
    out_of_stock(9)
    [products] = [one for one in registered() if one.document is Product]
    checked = Checked(Product, products.own, batch=batch)
    one = Verification(checked, frozenset({"stock"}))
    steps: list[int] = []
    one.run(steps.append)
    assert (one.rows, sum(steps), max(steps)) == (9, 9, min(batch, 9))
    assert one.tallies["products.stock"].broken == 9


def test_what_rows_refer_to_is_read_once_a_batch(make_product: Callable[..., ProductRow]) -> None:
    for number in range(9):
        make_product(sku=f"L-{number}", slug=f"lamp-{number}")
    with recorded() as seen:
        assert run("--only", "products")[0] == 0
    finds = [(one.collection, *sorted(one.filter)) for one in seen if one.kind == "find"]
    assert sorted(finds) == [
        ("products",), ("products", "_id"), ("products", "skus"), ("products", "slug"),
    ]  # fmt: skip


def test_a_repair_says_what_it_did_and_raises_the_version(lamp: ProductRow) -> None:
    out_of_stock(1)
    code, lines = run("--only", "products", "--repair", "--yes")
    assert code == 0
    assert lines[0] == "OK    products             1 rows"
    assert "products.stock: 1 broken, 1 repaired." in lines[1]
    expected = "in_stock: not what quantity says (repaired: counted anew)"
    assert lines[2] == f"        {lamp['_id']}  {expected}"
    row = collection(Product).find_one({"_id": lamp["_id"]}) or {}
    assert (row["in_stock"], row["version"]) == (True, lamp["version"] + 1)
    assert row["updated_at"] > lamp["updated_at"]
    assert run("--only", "products") == (0, ["OK    products             1 rows"])


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 1), ("", 1, 1), ("y", 0, 0)])
def test_a_repair_asks_first(
    answer: str, code: int, left: int, lamp: ProductRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_stock(1)
    monkeypatch.setattr("builtins.input", lambda: answer)
    assert run("--repair")[0] == code
    assert wrong() == left


def test_only_what_is_named_is_checked(lamp: ProductRow) -> None:
    out_of_stock(1)
    assert run("--only", "carts", "users", "products.money")[0] == 0
    for name in ("catalog", "products", "products.stock"):
        assert run("--only", name)[0] == 1
    _, lines = run("--only", "carts")
    assert [line.split()[1] for line in lines] == ["open_carts", "shopping_carts"]


def test_a_name_that_is_nothing_is_wrong_usage() -> None:
    code, lines = run("--only", "carts", "baskets")
    assert code == 2
    assert lines[0].startswith("baskets: no such app, collection or rule (accounts, api_keys, ")


# --- while the shop is open ---------------------------------------------------------------------


def test_what_is_right_a_moment_later_is_no_fault(
    lamp: ProductRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_stock(1)

    def meanwhile(_: float) -> None:
        collection(Product).update_many({}, {"$set": {"in_stock": True}})

    monkeypatch.setattr("ecommerce.core.invariants.verification.time.sleep", meanwhile)
    assert run("--only", "products")[0] == 0


def test_a_repair_that_comes_too_late_changes_nothing(lamp: ProductRow) -> None:
    """Between the verdict and the repair somebody else writes what the verdict was made of."""

    def repair(_: Any) -> Update:
        change = {"$set": {"quantity": 3}, "$inc": {"version": 1}}
        collection(Product).update_one({"_id": lamp["_id"]}, change)
        return Update("sold out", {"quantity": 0})

    rule = Rule("ten", "Nothing has ten.", _has_ten, reads=("quantity",), repair=repair)
    one = Verification(Checked(Product, (rule,)), frozenset({"ten"}), repairs=True)
    one.run()
    assert one.tallies["products.ten"].left == 1
    row = collection(Product).find_one({"_id": lamp["_id"]}) or {}
    assert (row["quantity"], row["version"]) == (3, lamp["version"] + 1)


def _has_ten(case: Any) -> str | None:
    return "ten" if case.row["quantity"] == 10 else None


@pytest.mark.skipif(not uses_embedded_store(), reason="a promise of the embedded store alone")
def test_rows_are_never_all_in_memory(make_product: Callable[..., ProductRow]) -> None:
    for _ in range(5):
        make_product()
    with recorded() as seen:
        one = Verification(Checked(Product, batch=2), frozenset({"shape", "limits"}))
        one.run()
    assert [sorted(read.filter) for read in seen] == [[], ["_id"], ["_id"], ["_id"]]
    starts = [read.filter["_id"]["$gt"] for read in seen[1:]]
    assert starts == sorted(starts)
    assert all(isinstance(start, ObjectId) for start in starts)
