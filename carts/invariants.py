"""What must hold of carts, beyond what their documents declare.

No rule asks whether the products of lines exist: one that was purged is shown as unavailable. A
cart that others were merged into may go before them; only an intent that is not done needs it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, cast

from bson import ObjectId

from accounts.documents import User
from carts.documents import LineRow, OpenCarts, ShoppingCart, line_key
from carts.limits import GUEST_LIFETIME, MAX_LINE_QUANTITY, MAX_LINES, USER_LIFETIME
from carts.services.items import united
from carts.services.open_carts import take_place
from ecommerce.core.invariants import Case, Checked, Delete, Reference, Row, Rule, Run, Update
from ecommerce.core.invariants.rules import Repair
from ecommerce.core.money import MAX_MINOR

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CLOCKS: Final = timedelta(minutes=1)
"""How far clocks of servers may be apart."""
_PLACES: Final = ("items", "saved_items")


def _owner_ids(row: Row) -> list[ObjectId]:
    return [row["user_id"]] if "user_id" in row else []


def _is_live(case: Case) -> bool:
    """Whether anybody can still see the cart."""
    expires: datetime | None = case.row.get("expires_at")
    return expires is not None and expires > case.now


# --- whose ----------------------------------------------------------------------------------

OWNER: Final = Reference(User, _owner_ids)
LIST: Final = Reference(OpenCarts, _owner_ids, fields=("carts",))
"""The list of the open carts of a cart's owner."""


def _whose(case: Case) -> str | None:
    if ("user_id" in case.row) == ("token_hash" in case.row):
        return "user_id, token_hash: both or none"
    digest = case.row.get("token_hash")
    return "token_hash: no hash" if digest is not None and not _DIGEST.fullmatch(digest) else None


def _owner(case: Case) -> str | None:
    gone = any(case.one(OWNER, user) is None for user in _owner_ids(case.row))
    return "user_id: no such user" if gone else None


def _deleted(case: Case) -> Repair:  # noqa: ARG001
    """As when a user is deleted: nobody else can have it."""
    return Delete("deleted, as its user was")


def _listed(case: Case) -> str | None:
    if not _is_live(case):
        return None
    for user in _owner_ids(case.row):
        listed = case.one(LIST, user)
        if case.one(OWNER, user) is None:
            continue  # what another rule is about: nobody gets a list of theirs again
        if case.row["_id"] not in _ids(listed["carts"] if listed else ()):
            return "_id: not among its user's open carts"
    return None


def _list(case: Case) -> Repair:
    user, cart = case.row["user_id"], case.row["_id"]
    return Run("put on the list, where there was room", partial(take_place, user, cart))


def _ids(places: Iterable[Row]) -> set[ObjectId]:
    return {place["cart_id"] for place in places}


# --- lines ----------------------------------------------------------------------------------


def _lines(case: Case) -> str | None:
    for place in _PLACES:
        lines: Sequence[Row] = case.row[place]
        if any(line["key"] != _key(line) for line in lines):
            return f"{place}: a key is not that of its product"
        if len({line["key"] for line in lines}) != len(lines):
            return f"{place}: two lines of one key"
    return None


def _key(line: Row) -> str:
    return line_key(line["product_id"], line.get("sku"))


def _one_line_each(case: Case) -> Repair | None:
    """Keys made anew; lines of one key are one, if that may hold all of them."""
    values = {place: list(_united(case.row[place])) for place in _PLACES}
    lines = [line for place in _PLACES for line in values[place]]
    if any(line["quantity"] > MAX_LINE_QUANTITY for line in lines):
        return None
    return Update("keys made anew, lines of one key united", values)


def _united(lines: Iterable[Row]) -> Iterable[LineRow]:
    found: dict[str, LineRow] = {}
    for row in lines:
        line: LineRow = {**cast(LineRow, row), "key": _key(row)}
        held = found.get(line["key"])
        both = held and united(held, line, held["quantity"] + line["quantity"])
        found[line["key"]] = both or line
    return found.values()


def _prices(case: Case) -> str | None:
    lines = (line for place in _PLACES for line in case.row[place])
    high = any(line["price_at_add_minor"] > MAX_MINOR for line in lines)
    return "price_at_add_minor: higher than prices are" if high else None


def _attributes(case: Case) -> str | None:
    lines = (line for place in _PLACES for line in case.row[place])
    names = [[one["name"] for one in line.get("attributes", ())] for line in lines]
    twice = any(len(set(some)) != len(some) for some in names)
    return "attributes: a name stands in a line twice" if twice else None


# --- expiry ---------------------------------------------------------------------------------


def _lifetime(row: Row) -> timedelta:
    return USER_LIFETIME if "user_id" in row else GUEST_LIFETIME


def _expiry(case: Case) -> str | None:
    expires = case.row.get("expires_at")
    if expires is None:
        return "expires_at: missing"
    late = expires > case.now + _lifetime(case.row) + _CLOCKS
    return "expires_at: later than carts are kept" if late else None


def _expires(case: Case) -> Repair:
    """As if it were changed now: who has it finds it again."""
    return Update("expires as if changed now", {"expires_at": case.now + _lifetime(case.row)})


# --- merges ---------------------------------------------------------------------------------

TARGET: Final = Reference(
    ShoppingCart,
    lambda row: [row["merge"]["into"]] if "merge" in row else [],
    fields=("user_id", "expires_at"),
)


def _merge(case: Case) -> str | None:
    row, intent = case.row, case.row.get("merge")
    if intent is None:
        return "merged_into: without an intent to merge" if "merged_into" in row else None
    if "token_hash" not in row:
        return "merge: of a cart that is no guest's"
    right = row.get("merged_into", intent["into"]) == intent["into"]
    return None if right else "merged_into: not what was meant"


def _target(case: Case) -> str | None:
    intent = case.row.get("merge")
    if intent is None:
        return None
    target = case.one(TARGET, intent["into"])
    if target is not None and target.get("user_id") != intent["by"]:
        return "merge.into: a cart of somebody else"
    if "merged_into" in case.row or (target is not None and target["expires_at"] > case.now):
        return None
    return "merge.into: gone before the lines were taken over"


def _opened_again(case: Case) -> Repair | None:
    """The guest's cart is frozen by an intent that nothing can complete."""
    if "merged_into" in case.row:
        return None
    return Update("opened again for the guest", gone=("merge",))


def _sources(case: Case) -> str | None:
    sources = [one["source"] for one in case.row.get("merged_sources", ())]
    if len(sources) != len(set(sources)):
        return "merged_sources: one stands there twice"
    return "merged_sources: the cart itself" if case.row["_id"] in sources else None


def _operations(case: Case) -> str | None:
    seen = case.row.get("operations", ())
    return "operations: one stands there twice" if len(seen) != len(set(seen)) else None


# --- lists of open carts ------------------------------------------------------------------------

HOLDER: Final = Reference(User, lambda row: [row["_id"]])
LISTED: Final = Reference(ShoppingCart, lambda row: _ids(row["carts"]), fields=("user_id",))


def _holder(case: Case) -> str | None:
    return "_id: no such user" if case.one(HOLDER, case.row["_id"]) is None else None


def _own_carts(case: Case) -> str | None:
    kept = _kept(case)
    return None if kept == case.row["carts"] else "carts: one twice, or one of somebody else"


def _kept(case: Case) -> list[Row]:
    """The places without those that are no carts of the user. They may name carts that are gone."""
    kept = {place["cart_id"]: place for place in reversed(case.row["carts"])}
    foreign = {cart for cart in kept if _is_foreign(case, cart)}
    return [p for p in case.row["carts"] if kept[p["cart_id"]] is p and p["cart_id"] not in foreign]


def _is_foreign(case: Case, cart_id: ObjectId) -> bool:
    """A guest's cart has its place just before it becomes the user's."""
    cart = case.one(LISTED, cart_id)
    return cart is not None and cart.get("user_id", case.row["_id"]) != case.row["_id"]


def _own_carts_alone(case: Case) -> Repair:
    return Update("taken off the list", {"carts": _kept(case)})


# --- which rules there are ----------------------------------------------------------------------


def _cart_rules() -> Iterator[Rule]:
    yield Rule("whose", "Carts have a user, or a guest's secret as its hash.", _whose)
    yield Rule(
        "owner",
        "Users of carts exist.",
        _owner,
        reads=("user_id",),
        refers=(OWNER,),
        repair=_deleted,
    )
    yield Rule(
        "listed",
        "Carts of users are on the lists that keep their number at its limit.",
        _listed,
        refers=(OWNER, LIST),
        repair=_list,
    )
    yield Rule(
        "lines",
        f"Each item has one line in each list, of at most {MAX_LINES}, under its key.",
        _lines,
        reads=_PLACES,
        repair=_one_line_each,
    )
    yield Rule("prices", "Prices of lines are in range.", _prices)
    yield Rule("attributes", "Attributes of a line have different names.", _attributes)
    yield Rule(
        "expiry",
        "Carts expire, no later than carts are kept.",
        _expiry,
        reads=("expires_at",),
        repair=_expires,
    )
    yield Rule("merge", "Merged carts are guests', and went where they were meant to.", _merge)
    yield Rule(
        "target",
        "What a cart is to be merged into is a cart of whoever asked for it.",
        _target,
        reads=("merge", "merged_into"),
        refers=(TARGET,),
        repair=_opened_again,
    )
    yield Rule("sources", "Carts take over others once.", _sources)
    yield Rule("operations", "Operations are done once.", _operations)


CHECKED: Final = (
    Checked(ShoppingCart, tuple(_cart_rules()), may_lack=frozenset({"expires_at"})),
    Checked(
        OpenCarts,
        (
            Rule(
                "holder",
                "Lists are of users who exist.",
                _holder,
                refers=(HOLDER,),
                repair=_deleted,
            ),
            Rule(
                "own",
                "Lists name carts of their user, each once.",
                _own_carts,
                reads=("carts",),
                refers=(LISTED,),
                repair=_own_carts_alone,
            ),
        ),
    ),
)
