"""No way leads into somebody else's cart: every route that names one, tried by everybody else."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import bson
import jwt
import pytest
from bson import ObjectId
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.documents import User
from accounts.signing import signing_keys
from carts.documents import ShoppingCart
from carts.views import ShoppingCartViewSet
from ecommerce.core.document_classes import documents
from ecommerce.core.mongo import collection, utc_now
from tests.carts.items import MakeProduct, item
from tests.client import Answer, ApiClient, Person


@dataclass(frozen=True)
class Cart:
    """A cart with two lines and one saved; whose it is, is nobody's business."""

    id: str
    in_it: str
    saved: str
    other: str
    """A product that is not in it."""


REQUESTS: Mapping[str, Callable[[Cart], tuple[tuple[str, ...], Any]]] = {
    "retrieve": lambda cart: ((), None),
    "update": lambda cart: ((), {"items": []}),
    "partial_update": lambda cart: ((), {"items": []}),
    "destroy": lambda cart: ((), None),
    "add_item": lambda cart: ((), {"product_id": cart.other, "quantity": 1}),
    "set_item": lambda cart: ((cart.in_it,), {"quantity": 5}),
    "change_item": lambda cart: ((cart.in_it,), {"quantity": 5}),
    "remove_item": lambda cart: ((cart.in_it,), None),
    "save_item": lambda cart: ((cart.in_it,), None),
    "restore_item": lambda cart: ((cart.saved,), None),
    "remove_saved_item": lambda cart: ((cart.saved,), None),
    "clear": lambda cart: ((), None),
    "refresh_prices": lambda cart: ((), None),
    "merge": lambda cart: ((), {}),
}
"""What follows the cart's id in the path of each action, and a body that its owner may send."""
OF_NO_CART = {"list", "create"}
"""Actions that name no cart; they have tests of their own below."""


def cart_routes() -> Iterator[tuple[str, str, str]]:
    """Name, method and action of each route of carts, as the URL configuration has them."""
    for route in patterns(get_resolver()):
        view: Any = route.callback
        if getattr(view, "cls", None) is ShoppingCartViewSet:
            actions = {"head": view.actions.get("get"), **view.actions}  # HEAD goes where GET goes
            for method, action in actions.items():
                if action is not None:
                    yield str(route.name), method.upper(), action


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern)
        else:
            yield pattern


def ways_into(cart: Cart, only: str = "") -> Iterator[tuple[str, str, Any]]:
    """Method, path and body of every request that names the cart, or of one action."""
    for name, method, action in cart_routes():
        if action not in OF_NO_CART and only in ("", action):
            more, body = REQUESTS[action](cart)
            path = reverse(name, args=(cart.id, *more)).rstrip("?").rstrip("/")
            yield method, path, body


def digest() -> str:
    """Of everything that is stored."""
    whole = hashlib.sha256()
    for document in documents():
        rows = collection(document).find({}).sort([("_id", 1)])
        whole.update(repr([document.__name__, *(bson.encode(row) for row in rows)]).encode())
    return whole.hexdigest()


def new_cart(owner: ApiClient, make_product: MakeProduct) -> tuple[Cart, str]:
    """A cart with its secret, if its owner is a guest."""
    in_it, saved, other = make_product(), make_product(), make_product()
    made = owner.post("/shopping-carts/", {"items": [item(in_it, 2), item(saved, 3)]})
    secret = made.json().get("cart_token", "")
    path = f"/shopping-carts/{made['id']}/items/{saved['_id']}/save"
    assert owner.post(path, X_Cart_Token=secret).status == 200
    return Cart(made["id"], str(in_it["_id"]), str(saved["_id"]), str(other["_id"])), secret


@pytest.fixture
def alices(alice: Person, make_product: MakeProduct) -> Cart:
    """A user's cart."""
    return new_cart(alice.api, make_product)[0]


@pytest.fixture
def a_guests(make_product: MakeProduct) -> Cart:
    """A guest's cart."""
    return new_cart(ApiClient(), make_product)[0]


def expired(token: str) -> str:
    """The same token, rightly signed, but a minute too old."""
    claims = jwt.decode(token, options={"verify_signature": False})
    key = signing_keys("access-token")[0]
    late = {**claims, "iat": claims["iat"] - 9000, "exp": claims["iat"] - 60}
    return jwt.encode(late, key.secret, algorithm="HS256", headers={"kid": key.kid})


def deactivated(owner: Person) -> str:
    collection(User).update_one({"_id": ObjectId(owner.id)}, {"$set": {"is_active": False}})
    return owner.tokens.access_token


def of_an_ended_session(owner: Person) -> str:
    assert owner.api.form("/token/revoke", token=owner.tokens.refresh_token).status == 200
    return owner.tokens.access_token


NO_LONGER: Mapping[str, Callable[[Person], str]] = {
    "deactivated user": deactivated,
    "expired token": lambda owner: expired(owner.tokens.access_token),
    "ended session": of_an_ended_session,
}
"""How the owner themselves is shut out; what is left is a token that once was good."""


def every_way(cart: Cart, api: ApiClient, secret: str = "") -> dict[str, Answer]:
    """What each request that names the cart is answered."""
    headers = {"X_Cart_Token": secret} if secret else {}
    return {
        f"{method} {path}": api.send(method, path, body, headers=headers)
        for method, path, body in ways_into(cart)
    }


def assert_all_refused(answers: Mapping[str, Answer], *statuses: int) -> None:
    wrong = {way: answer.status for way, answer in answers.items() if answer.status not in statuses}
    assert wrong == {}
    told = {way for way, answer in answers.items() if b"quantity" in answer.body}
    assert told == set()


def test_every_route_of_carts_is_listed_here() -> None:
    routed = {action for _, _, action in cart_routes()}
    assert routed == REQUESTS.keys() | OF_NO_CART


@pytest.mark.parametrize("action", REQUESTS)
def test_whoever_has_the_secret_gets_in(
    action: str, alice: Person, make_product: MakeProduct
) -> None:
    """Else the refusals below could be those of bad requests."""
    cart, secret = new_cart(ApiClient(), make_product)
    for method, path, body in ways_into(cart, action):
        answer = alice.api.send(method, path, body, headers={"X_Cart_Token": secret})
        assert answer.status in (200, 201, 204), (method, path, answer.body)


@pytest.mark.parametrize("whose", ["alices", "a_guests"])
@pytest.mark.parametrize("who", ["stranger", "stranger with the secret of another cart"])
def test_a_stranger_who_is_signed_in_finds_no_such_cart(
    who: str, whose: str, bob: Person, make_product: MakeProduct, request: pytest.FixtureRequest
) -> None:
    cart = request.getfixturevalue(whose)
    secret = new_cart(ApiClient(), make_product)[1] if "secret" in who else ""
    before = digest()
    assert_all_refused(every_way(cart, bob.api, secret), 404)
    assert digest() == before


@pytest.mark.parametrize("whose", ["alices", "a_guests"])
@pytest.mark.parametrize("has", ["no secret", "the secret of another cart"])
def test_a_guest_finds_no_such_cart(
    has: str, whose: str, anyone: ApiClient, make_product: MakeProduct,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    cart = request.getfixturevalue(whose)
    secret = new_cart(anyone, make_product)[1] if has != "no secret" else ""
    before = digest()
    assert_all_refused(every_way(cart, anyone, secret), 401, 404)
    assert digest() == before


@pytest.mark.parametrize("how", NO_LONGER)
def test_an_owner_who_is_shut_out_is_401(how: str, alice: Person, alices: Cart) -> None:
    token = NO_LONGER[how](alice)
    before = digest()
    assert_all_refused(every_way(alices, ApiClient(token)), 401)
    assert digest() == before


@pytest.mark.parametrize("how", NO_LONGER)
def test_a_bad_token_is_not_mended_by_the_right_secret(
    how: str, alice: Person, make_product: MakeProduct
) -> None:
    cart, secret = new_cart(ApiClient(), make_product)
    token = NO_LONGER[how](alice)
    before = digest()
    assert_all_refused(every_way(cart, ApiClient(token), secret), 401)
    assert digest() == before


@pytest.mark.parametrize("owner", ["user", "guest"])
def test_an_expired_cart_is_gone_for_its_owner_too_on_every_way(
    owner: str, alice: Person, make_product: MakeProduct
) -> None:
    cart, secret = new_cart(alice.api if owner == "user" else ApiClient(), make_product)
    ended = utc_now() - timedelta(seconds=1)
    collection(ShoppingCart).update_one({"_id": ObjectId(cart.id)}, {"$set": {"expires_at": ended}})
    before = digest()
    assert_all_refused(every_way(cart, alice.api, secret), 404)
    assert alice.api.get("/shopping-carts/")["items"] == []
    assert digest() == before


def test_a_foreign_cart_is_in_no_list(
    bob: Person, anyone: ApiClient, alices: Cart, a_guests: Cart, alice: Person
) -> None:
    before = digest()
    assert bob.api.get("/shopping-carts/")["items"] == []
    assert bob.api.get(f"/shopping-carts/?user_id={alice.id}").status == 403
    assert bob.api.get("/shopping-carts/?guest=true").status == 403
    assert anyone.get("/shopping-carts/").status == 401
    assert digest() == before


def test_nobody_makes_a_cart_for_somebody_else(
    bob: Person, anyone: ApiClient, alice: Person
) -> None:
    before = digest()
    for api in (bob.api, anyone):
        assert api.post("/shopping-carts/", {"user_id": alice.id}).outcome == (403, "foreign_user")
    assert digest() == before


@pytest.mark.parametrize("whose", ["alices", "a_guests"])
def test_nobody_merges_into_a_foreign_cart(
    whose: str, bob: Person, make_product: MakeProduct, request: pytest.FixtureRequest
) -> None:
    target = request.getfixturevalue(whose)
    source, secret = new_cart(ApiClient(), make_product)
    where = {"_id": ObjectId(target.id)}
    before = collection(ShoppingCart).find_one(where)
    path = f"/shopping-carts/{source.id}/merge"
    for query in ("", "?dry_run=true"):
        refused = bob.api.post(path + query, {"into": target.id}, X_Cart_Token=secret)
        assert refused.outcome == (404, "merge_target_not_found")
    assert collection(ShoppingCart).find_one(where) == before
