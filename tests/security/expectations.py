"""Who gets which answer from each route. A route that is not in this table fails the tests.

To add one, write a row for each of its methods: the statuses for the callers of CALLERS, in their
order, where `ok` is any success. The owner is alice, and what the path names is hers: THINGS says
what stands for `{pk}` behind each path.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from accounts.documents import Purpose, User
from accounts.services.mail_tokens import MailTokenService
from ecommerce.core.background import wait_until_idle
from ecommerce.core.mongo import collection
from tests.client import PASSWORD, Person

CALLERS: Final = ("anonymous", "owner", "other", "staff", "admin", "key", "other key")
"""`key` has the scope of the route's rule and `other key` all others; where the rule names none,
`key` has all there are and `other key` one that has nothing to do with it."""
GONE: Final = ("deactivated", "deleted", "expired")
"""alice's token after that happened: 401, but where a route does not look at tokens."""


@dataclass(frozen=True)
class World:
    """What there is when a call is made."""

    alice: Person
    bob: Person
    sam: Person
    ada: Person
    product: str
    category: str
    cart: str

    @property
    def session(self) -> str:
        """alice's."""
        return self.alice.tokens.refresh_token.partition(".")[0]


Json = Mapping[str, Any] | list[Any]
Body = Json | Callable[[World], Json]
_PRODUCT: Final[Mapping[str, Any]] = {"name": "Chair", "price": "20.00"}
THINGS: Final[Mapping[str, Callable[[World], str]]] = {
    "users": lambda world: world.alice.id,
    "products": lambda world: world.product,
    "products/imports": lambda world: world.sam.api.post("/products/imports", [_PRODUCT])["id"],
    "categories": lambda world: world.category,
    "shopping-carts": lambda world: world.cart,
}
PLACES: Final[Mapping[str, Callable[[World], str]]] = {
    "session_id": lambda world: world.session,
    "product_id": lambda world: world.product,
}
"""What stands for the other names in paths."""


@dataclass(frozen=True)
class Row:
    """What one route answers, and a body that it accepts."""

    statuses: tuple[str, ...]
    body: Body | None = None
    form: Body | None = None
    query: str = ""
    before: Callable[[World], object] | None = None
    """What alice has done by then."""
    looks_at_tokens: bool = True
    is_recorded: bool = False
    """Whether it only reads, and the audit log says that it was read."""

    def expected(self, caller: str) -> str:
        """The status for a caller."""
        if caller in GONE:
            return "401" if self.looks_at_tokens else self.statuses[0]
        return self.statuses[CALLERS.index(caller)]


def row(
    statuses: str,
    body: Body | None = None,
    *,
    query: str = "",
    before: Callable[[World], object] | None = None,
) -> Row:
    """A row whose statuses are written as one text."""
    parts = tuple(statuses.split())
    assert len(parts) == len(CALLERS), f"one status for each of {CALLERS}"
    return Row(parts, body, query=query, before=before)


def page(form: Body | None = None) -> Row:
    """Open to everyone; a token, good or bad, plays no part."""
    return Row(("ok",) * len(CALLERS), form=form, looks_at_tokens=False)


ANYONE: Final = "ok ok ok ok ok ok ok"
STAFF_OR_KEY: Final = "401 403 403 ok ok ok 403"
STAFF: Final = "401 403 403 ok ok 403 403"
EACH_THEIR_OWN: Final = "401 ok ok ok ok 403 403"
OWNER_OR_STAFF: Final = "401 ok 404 ok ok 403 403"
OWNER_STAFF_OR_KEY: Final = "401 ok 404 ok ok ok 403"
OWNER_OR_ADMIN: Final = "401 ok 404 403 ok 403 403"
CART_READ: Final = "404 ok 404 ok ok ok 404"
CART_WRITE: Final = "404 ok 404 ok ok 404 404"
"""A cart looks for its owner, or for the secret of a guest, whom anonymous is not."""

_CAROL = {"username": "carol", "email": "carol@example.com", "password": "blue-kettle-77"}
_NAMES = {"username": "alicia", "email": "alicia@example.com"}
_PASSWORDS = {"current_password": PASSWORD, "new_password": "green-kettle-88"}

"""Open to everyone, for the token alone says whom it is about; this one is nobody's."""


def _line(world: World) -> dict[str, Any]:
    return {"product_id": world.product, "quantity": 1}


def _saved(world: World) -> None:
    path = f"/shopping-carts/{world.cart}/items/{world.product}/save"
    assert world.alice.api.post(path).status == 200


def _moved(world: World) -> None:
    """Everybody has a new address, which they have not confirmed."""
    for person in (world.alice, world.bob, world.sam, world.ada):
        new = {"email": f"{person.principal.username}@example.org"}
        assert person.api.patch("/users/me", new).status == 200
    assert wait_until_idle(10)


def mailed(purpose: Purpose, **further: str) -> Row:
    """Open to everyone who has what bob was mailed."""

    def body(world: World) -> Json:
        user: Any = collection(User).find_one({"_id": world.bob.principal.id})
        token = MailTokenService.issue(user=user, purpose=purpose, email=user["email"])
        return {"token": token, **further}

    return Row(("ok",) * len(CALLERS), body=body, looks_at_tokens=False)


ROWS: Final[Mapping[str, Row]] = {
    # the pages and probes
    "GET /": page(),
    "GET /docs": page(),
    "GET /redoc": page(),
    "GET /openapi.json": page(),
    "GET /livez": page(),
    "GET /readyz": page(),
    "GET /metrics": page(),
    "GET /auth/login": page(),
    "POST /auth/login": page({"username": "bob", "password": PASSWORD}),
    "POST /auth/logout": page({}),
    # accounts
    "POST /token": page({"username": "bob", "password": PASSWORD}),
    "POST /token/revoke": page(lambda world: {"token": world.bob.tokens.refresh_token}),
    "POST /users": Row(("ok",) * 7, body=_CAROL, looks_at_tokens=False),
    "GET /users": row(STAFF_OR_KEY),
    "GET /users/{pk}": row(OWNER_STAFF_OR_KEY),
    "PUT /users/{pk}": row(OWNER_OR_STAFF, _NAMES),
    "PATCH /users/{pk}": row(OWNER_OR_STAFF, _NAMES),
    "DELETE /users/{pk}": row(OWNER_OR_STAFF),
    "GET /users/me/export": Row(tuple(EACH_THEIR_OWN.split()), is_recorded=True),
    "POST /users/me/password": row(EACH_THEIR_OWN, _PASSWORDS),
    "POST /users/me/verify-email": row(EACH_THEIR_OWN, before=_moved),
    "POST /users/verify-email": mailed(Purpose.VERIFY_EMAIL),
    "POST /password-reset": Row(
        ("ok",) * 7, body={"email": "bob@example.com"}, looks_at_tokens=False
    ),
    "POST /password-reset/confirm": mailed(Purpose.RESET_PASSWORD, new_password="green-kettle-88"),
    "GET /users/{pk}/sessions": row(OWNER_OR_STAFF),
    "DELETE /users/{pk}/sessions": row(OWNER_OR_ADMIN),
    "DELETE /users/{pk}/sessions/{session_id}": row(OWNER_OR_ADMIN),
    "GET /audit-events": row(STAFF_OR_KEY),
    # the catalog
    "GET /products": row(ANYONE),
    "POST /products": row(STAFF_OR_KEY, _PRODUCT),
    "GET /products/facets": row(ANYONE),
    "GET /products/suggest": row(ANYONE, query="?q=lamp"),
    "POST /products/bulk": row(
        STAFF_OR_KEY, {"mode": "all-or-nothing", "rows": [{"operation": "create", **_PRODUCT}]}
    ),
    "GET /products/imports": row(STAFF_OR_KEY),
    "POST /products/imports": row(STAFF_OR_KEY, [_PRODUCT]),
    "GET /products/imports/{pk}": row(STAFF_OR_KEY),
    "GET /products/imports/{pk}/rows": row(STAFF_OR_KEY),
    "GET /products/exports": row(STAFF_OR_KEY),
    "GET /products/{pk}": row(ANYONE),
    "PUT /products/{pk}": row(STAFF_OR_KEY, _PRODUCT),
    "PATCH /products/{pk}": row(STAFF_OR_KEY, {"price": "21.00"}),
    "DELETE /products/{pk}": row(STAFF_OR_KEY),
    "GET /products/{pk}/stock": row(STAFF_OR_KEY),
    "POST /products/{pk}/stock": row(STAFF_OR_KEY, {"delta": -1, "reason": "broken"}),
    "GET /categories": row(ANYONE),
    "POST /categories": row(STAFF_OR_KEY, {"name": "Chairs", "slug": "chairs"}),
    "GET /categories/{pk}": row(ANYONE),
    "PUT /categories/{pk}": row(STAFF_OR_KEY, {"name": "Lights", "slug": "lamps"}),
    "PATCH /categories/{pk}": row(STAFF_OR_KEY, {"name": "Lights"}),
    "DELETE /categories/{pk}": row(STAFF_OR_KEY),
    "GET /categories/{pk}/products": row(ANYONE),
    # carts
    "GET /shopping-carts": row("401 ok ok ok ok ok 403"),
    "POST /shopping-carts": row(ANYONE, {}),
    "GET /shopping-carts/{pk}": row(CART_READ),
    "PUT /shopping-carts/{pk}": row(CART_WRITE, {"items": []}),
    "PATCH /shopping-carts/{pk}": row(CART_WRITE, {"items": []}),
    "DELETE /shopping-carts/{pk}": row(CART_WRITE),
    "POST /shopping-carts/{pk}/items": row(CART_WRITE, _line),
    "PUT /shopping-carts/{pk}/items/{product_id}": row(CART_WRITE, {"quantity": 2}),
    "PATCH /shopping-carts/{pk}/items/{product_id}": row(CART_WRITE, {"quantity": 2}),
    "DELETE /shopping-carts/{pk}/items/{product_id}": row(CART_WRITE),
    "POST /shopping-carts/{pk}/items/{product_id}/save": row(CART_WRITE),
    "POST /shopping-carts/{pk}/saved-items/{product_id}/restore": row(CART_WRITE, before=_saved),
    "DELETE /shopping-carts/{pk}/saved-items/{product_id}": row(CART_WRITE, before=_saved),
    # It takes the secret of a guest's cart besides; alice's is hers already.
    "POST /shopping-carts/{pk}/merge": row("401 ok 404 404 404 403 403", {}),
    "DELETE /shopping-carts/{pk}/clear": row(CART_WRITE),
    "POST /shopping-carts/{pk}/refresh-prices": row(CART_WRITE),
}
