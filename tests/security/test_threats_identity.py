"""What is smuggled into bodies and credentials: operators, fields that are ours, false names."""

from typing import Any

import pytest

from accounts.documents import User
from carts.documents import ShoppingCart
from catalog.documents import Product, ProductRow
from ecommerce.core.mongo import collection
from tests.client import PASSWORD, ApiClient, Person

EVE = {"username": "eve", "email": "eve@example.com", "password": "green-kettle-88"}
OPERATORS: tuple[Any, ...] = (
    {"$ne": None}, {"$gt": ""}, {"$regex": ".*"}, {"$where": "1"}, ["x"], 7, True, None,
)  # fmt: skip


@pytest.mark.parametrize("value", OPERATORS, ids=str)
@pytest.mark.parametrize("name", list(EVE))
def test_an_operator_is_no_name_address_or_password(
    name: str, value: Any, anyone: ApiClient
) -> None:
    answer = anyone.post("/users/", {**EVE, name: value})
    assert answer.outcome == (400, "validation_error")
    assert {pointer.split("/")[1] for pointer in answer.pointers} == {name}
    assert collection(User).count_documents({}) == 0


@pytest.mark.parametrize("value", OPERATORS[:6], ids=str)
def test_an_operator_is_no_product_or_quantity(value: Any, alice: Person, lamp: ProductRow) -> None:
    cart = alice.api.post("/shopping-carts/", {})["id"]
    good = {"product_id": str(lamp["_id"]), "quantity": 1}
    for name in good:
        body = {**good, name: {"$inc": value} if value == 7 else value}
        answer = alice.api.post(f"/shopping-carts/{cart}/items", body)
        assert answer.outcome == (400, "validation_error")
    stored = collection(ShoppingCart).find_one({})
    assert stored is not None
    assert stored["items"] == []


@pytest.mark.parametrize("suffix", ["[$ne]", "[$gt]", "[]", ".$ne"])
def test_an_operator_in_the_name_of_a_form_field_signs_nobody_in(
    suffix: str, alice: Person, anyone: ApiClient
) -> None:
    both = anyone.form("/token", **{f"username{suffix}": "", f"password{suffix}": ""})
    assert both.outcome == (400, "invalid_request")
    one = anyone.form("/token", **{"username": "alice", f"password{suffix}": ""})
    assert one.outcome == (400, "invalid_request")


OURS = {
    "role": "admin", "is_staff": True, "is_superuser": True, "token_version": 9, "version": 9,
    "id": "0" * 24, "_id": "0" * 24, "hashed_password": "x", "email_verified": True,
    "created_at": "2020-01-01T00:00:00Z", "username_key": "sam", "$set": {"role": "admin"},
    "__proto__": {"role": "admin"}, "email_verified_at": "2020-01-01T00:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_no_body_sets_a_field_of_a_user_that_is_ours(
    name: str, alice: Person, anyone: ApiClient
) -> None:
    before = list(collection(User).find({}))
    for answer in (
        anyone.post("/users/", {**EVE, name: OURS[name]}),
        alice.api.patch("/users/me", {name: OURS[name]}),
        alice.api.put("/users/me", {"username": "al", "email": "al@example.com", name: OURS[name]}),
    ):
        assert answer.outcome == (400, "validation_error")
        assert answer.pointers == [f"/{name}"]
    assert list(collection(User).find({})) == before


@pytest.mark.parametrize(
    "name", ["id", "_id", "version", "price_minor", "created_at", "deleted_at", "keys", "$inc"]
)
def test_no_body_sets_a_field_of_a_product_that_is_ours(
    name: str, sam: Person, lamp: ProductRow
) -> None:
    before = list(collection(Product).find({}))
    for answer in (
        sam.api.post("/products/", {"name": "Mug", "price": 1, name: 1}),
        sam.api.patch(f"/products/{lamp['_id']}", {name: 1}),
    ):
        assert answer.outcome == (400, "validation_error")
        assert answer.pointers == [f"/{name}"]
    assert list(collection(Product).find({})) == before


@pytest.mark.parametrize("name", ["price", "unit_price", "name", "subtotal", "line_total"])
def test_no_shopper_sets_a_price(name: str, alice: Person, lamp: ProductRow) -> None:
    item = {"product_id": str(lamp["_id"]), "quantity": 1, name: 0}
    answer = alice.api.post("/shopping-carts/", {"items": [item]})
    assert answer.outcome == (400, "validation_error")
    assert answer.pointers == [f"/items/0/{name}"]
    assert collection(ShoppingCart).count_documents({}) == 0


def test_a_token_in_the_address_or_the_body_is_no_credential(
    alice: Person, anyone: ApiClient
) -> None:
    token = alice.tokens.access_token
    query = anyone.get(f"/users/me?access_token={token}")
    assert query.outcome == (401, "not_authenticated")
    body = anyone.form("/users/me/password", access_token=token)
    assert body.outcome == (401, "not_authenticated")


@pytest.mark.parametrize("scheme", ["Basic", "Digest", "Token", "JWT", "Bearer:", ""])
def test_a_token_under_another_scheme_is_no_credential(
    scheme: str, alice: Person, anyone: ApiClient
) -> None:
    header = f"{scheme} {alice.tokens.access_token}".strip()
    answer = anyone.get("/users/me", Authorization=header)
    assert answer.outcome == (401, "not_authenticated")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "BeArEr"])
def test_bearer_is_written_in_any_case_and_nobody_becomes_a_guest_by_it(
    scheme: str, alice: Person, anyone: ApiClient
) -> None:
    header = f"{scheme} {alice.tokens.access_token}"
    assert anyone.get("/users/me", Authorization=header)["id"] == alice.id
    cart = anyone.post("/shopping-carts/", {}, Authorization=header)
    assert (cart.status, cart["user_id"]) == (201, alice.id)
    assert anyone.get("/users/me", Authorization=f"{scheme} x").outcome == (401, "invalid_token")


@pytest.mark.parametrize("shape", ["Bearer {0}, Bearer {0}", "Bearer {0} {0}", "Bearer"])
def test_two_tokens_or_none_after_bearer_are_401(
    shape: str, alice: Person, anyone: ApiClient
) -> None:
    header = shape.format(alice.tokens.access_token)
    answer = anyone.get("/users/me", Authorization=header)
    assert answer.outcome == (401, "invalid_token")


@pytest.mark.parametrize(
    "username",
    ["eve\u202e", "al\u200bice", "al\u00adice", "eve\ufeff", "eve\x7f", "e ve", "eve\r\nx",
     "eve\x1b[2J", "eve@example.com", "<b>eve</b>", "../eve", "eve\u3164", "eve\uffa0", "\u115f",
     "\u1160"],
)  # fmt: skip
def test_a_name_that_shows_as_another_or_writes_lines_is_refused(
    username: str, anyone: ApiClient
) -> None:
    answer = anyone.post("/users/", {**EVE, "username": username})
    assert answer.outcome == (400, "validation_error")
    assert answer.pointers == ["/username"]
    assert collection(User).count_documents({}) == 0


@pytest.mark.parametrize(
    "email", ["eve@example.com\r\nBcc: x@example.com", "eve@example.com,x@example.com", "a@b\x00.c"]
)
def test_an_address_cannot_bring_headers_into_a_mail(email: str, anyone: ApiClient) -> None:
    for path, body in (("/users/", {**EVE, "email": email}), ("/password-reset", {"email": email})):
        answer = anyone.post(path, body)
        assert answer.status == 400
        assert answer["code"] in {"validation_error", "nul_character"}
    assert collection(User).count_documents({}) == 0


@pytest.mark.parametrize("blank", ["\u3164", "\uffa0", "\u115f", "\u1160"])
def test_an_address_that_shows_as_anothers_is_refused(
    blank: str, alice: Person, anyone: ApiClient
) -> None:
    answer = anyone.post("/users/", {**EVE, "email": f"alice@example.com{blank}"})
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), ["/email"])
    assert collection(User).count_documents({}) == 1


@pytest.mark.parametrize("domain", ["ex\u1d43mple.com", "example.\u1d9com", "sh\u1d52p.example"])
def test_an_address_whose_mail_goes_elsewhere_than_its_normal_form_is_refused(
    domain: str, anyone: ApiClient
) -> None:
    answer = anyone.post("/users/", {**EVE, "email": f"eve@{domain}"})
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), ["/email"])
    assert collection(User).count_documents({}) == 0


@pytest.mark.parametrize(
    "domain", ["EXAMPLE.com", "b\u00fccher.example", "stra\u00dfe.example", "\uff58.example"]
)
def test_an_address_of_a_domain_in_another_spelling_or_script_is_taken(
    domain: str, anyone: ApiClient
) -> None:
    assert anyone.post("/users/", {**EVE, "email": f"eve@{domain}"}).status == 201


@pytest.mark.parametrize(
    "local_part", ["\x1b]0;pwned\x07", "\x9b31m", "a\x7f", "\u202eecila", "\u2028"]
)
def test_an_address_cannot_command_the_terminal_of_an_operator(
    local_part: str, alice: Person, anyone: ApiClient
) -> None:
    email = f'"{local_part}"@example.com'
    for answer in (
        anyone.post("/users/", {**EVE, "email": email}),
        alice.api.patch("/users/me", {"email": email}),
        anyone.post("/password-reset", {"email": email}),
    ):
        assert (answer.outcome, answer.pointers) == ((400, "validation_error"), ["/email"])
    assert collection(User).count_documents({}) == 1
    assert alice.api.get("/users/me")["email"] == "alice@example.com"


def test_the_fault_of_an_address_with_control_characters_says_so(anyone: ApiClient) -> None:
    (fault,) = anyone.post("/users/", {**EVE, "email": '"\x1b"@example.com'})["errors"]
    assert (fault["code"], fault["detail"]) == (
        "not_printable", "An address has no control characters: leave out what cannot be seen.",
    )  # fmt: skip


@pytest.mark.parametrize("length", [129, 1_000, 1_000_000])
def test_a_longer_password_is_not_hashed(
    length: int, anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hashed(*_: Any) -> None:
        raise AssertionError("it was hashed")

    monkeypatch.setattr("accounts.hashers.ShopArgon2PasswordHasher.encode", hashed)
    answer = anyone.post("/users/", {**EVE, "password": "p" * length})
    assert answer.outcome == (400, "validation_error")
    assert answer.pointers == ["/password"]


def test_a_taken_name_in_wide_letters_is_409(alice: Person, anyone: ApiClient) -> None:
    answer = anyone.post("/users/", {**EVE, "username": "\uff21\uff4c\uff49\uff43\uff45"})
    assert answer.outcome == (409, "duplicate_user")


def test_a_session_cookie_that_was_made_up_is_nobody(alice: Person, anyone: ApiClient) -> None:
    forged = f"sessionid=eyJ1c2VyX2lkIjoi{alice.id}In0:1abcde:AAAA"
    assert anyone.get("/users/me", Cookie=forged).outcome == (401, "not_authenticated")


def test_guessing_with_many_passwords_in_one_form_is_refused_before_any_is_tried(
    alice: Person, anyone: ApiClient
) -> None:
    fields = "&".join(["username=alice", *[f"password=guess-{n}" for n in range(900)]])
    kind = "application/x-www-form-urlencoded"
    raw = f"{fields}&password={PASSWORD}".encode()
    answer = anyone.send("POST", "/token", raw=raw, content_type=kind)
    assert answer.outcome == (400, "invalid_request")
