"""The pages for people: every answer can be shown as one, with the forms that fit it."""

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from pymongo.errors import ServerSelectionTimeoutError

from catalog.documents import CategoryRow, ProductRow
from catalog.importing.jobs import run_next
from tests.client import PASSWORD, Answer, ApiClient, Person

HTML = "text/html"
ENDS_IN_ID = re.compile(r"/[0-9a-f]{24}$")


def form_fields(answer: Answer) -> dict[str, str]:
    """Name and value of the fields of the page's HTML form."""
    form = BeautifulSoup(answer.body, "html.parser").select_one("form[enctype]")
    assert form is not None, "the page has a form"
    fields = form.select("input[name], textarea[name]")
    values = {str(field["name"]): str(field.get("value", field.text.strip())) for field in fields}
    for choice in form.select("select[name]"):
        (chosen,) = choice.select("option[selected]")
        values[str(choice["name"])] = str(chosen["value"])
    return values


def test_a_page_that_replaces_a_product_starts_with_what_is_there(
    sam: Person, lamp: ProductRow
) -> None:
    fields = form_fields(sam.api.get(f"/products/{lamp['_id']}", Accept=HTML))
    assert (fields["name"], fields["price"], fields["quantity"]) == ("Lamp", "19.99", "10")


def test_a_page_lets_a_user_in_and_shuts_them_out(alice: Person, ada: Person) -> None:
    path = f"/users/{alice.id}"

    def sent(**chosen: str) -> Answer:
        fields = form_fields(ada.api.get(path, Accept=HTML)) | chosen
        told = {name: value for name, value in fields.items() if value}
        return ada.api.send(
            "PUT",
            path,
            raw=urlencode(told).encode(),
            content_type="application/x-www-form-urlencoded",
        )

    assert form_fields(ada.api.get(path, Accept=HTML))["is_active"] == "true"
    assert (sent().status, ada.api.get(path)["is_active"]) == (200, True)
    assert (sent(is_active="false").status, ada.api.get(path)["is_active"]) == (200, False)
    assert form_fields(ada.api.get(path, Accept=HTML))["is_active"] == "false"
    assert (sent().status, ada.api.get(path)["is_active"]) == (200, False)
    assert (sent(is_active="true").status, ada.api.get(path)["is_active"]) == (200, True)


def test_a_yes_or_no_is_a_choice_of_two_so_that_no_is_said(alice: Person, ada: Person) -> None:
    page = BeautifulSoup(ada.api.get(f"/users/{alice.id}", Accept=HTML).body, "html.parser")
    choice = page.select_one('form[enctype] select[name="is_active"]')
    assert choice is not None
    assert [(option["value"], option.text) for option in choice.select("option")] == [
        ("true", "Yes"), ("false", "No"),
    ]  # fmt: skip
    assert page.select('input[type="checkbox"]') == [], "unticked, it would not be sent"


def test_after_a_line_was_added_the_form_is_ready_for_the_next(
    alice: Person, lamp: ProductRow
) -> None:
    cart = alice.api.post("/shopping-carts/")["id"]
    item = {"product_id": str(lamp["_id"]), "quantity": 2}
    answer = alice.api.post(f"/shopping-carts/{cart}/items", item, Accept=HTML)
    assert answer.status == 201
    assert form_fields(answer)["product_id"] == ""


@pytest.mark.parametrize("path", ["/products/", "/products/{id}", "/products/facets"])
def test_a_page_is_never_taken_from_a_cache(path: str, alice: Person, lamp: ProductRow) -> None:
    address = path.format(id=lamp["_id"])
    tag = alice.api.get(address).headers["ETag"]
    page = alice.api.get(address, Accept=HTML, If_None_Match=tag)
    assert page.status == 200
    assert page.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in page.headers


def test_the_page_of_imports_takes_a_file_and_leads_to_each_import(sam: Person) -> None:
    job = sam.api.send("POST", "/products/imports", raw=b"x", content_type="text/csv")
    page = BeautifulSoup(sam.api.get("/products/imports", Accept=HTML).body, "html.parser")
    assert page.select_one('form[enctype="multipart/form-data"] input[type="file"]') is not None
    assert page.select_one(f'a[href="/products/imports/{job["id"]}"]') is not None


@pytest.mark.parametrize(
    ("accept", "kind"), [(HTML, HTML), ("application/json", "application/problem+json")]
)
def test_while_the_database_is_away_the_log_in_page_says_when_to_come_back(
    accept: str, kind: str, anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise ServerSelectionTimeoutError("nobody there: db.internal:27017")

    monkeypatch.setattr("accounts.services.LoginService.sign_in", away)
    answer = anyone.send(
        "POST",
        "/auth/login/",
        raw=b"username=alice&password=secret-9",
        content_type="application/x-www-form-urlencoded",
        headers={"Accept": accept},
    )
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert answer.headers["Content-Type"].startswith(kind)
    assert b"store_unavailable" in answer.body
    assert b"db.internal" not in answer.body


Call = Callable[[Person, str, str], Answer]


@pytest.mark.parametrize(
    ("status", "call"),
    [
        (201, lambda who, cart, product: who.api.post("/shopping-carts/", {}, Accept=HTML)),
        (200, lambda who, cart, product: who.api.get("/shopping-carts/", Accept=HTML)),
        (200, lambda who, cart, product: who.api.get(cart, Accept=HTML)),
        (200, lambda who, cart, product: who.api.put(cart, {"items": []}, Accept=HTML)),
        (200, lambda who, cart, product: who.api.delete(f"{cart}/clear", Accept=HTML)),
        (405, lambda who, cart, product: who.api.get(f"{cart}/items", Accept=HTML)),
        (404, lambda who, cart, product: who.api.get(f"{cart}0", Accept=HTML)),
        (
            200,
            lambda who, cart, product: who.api.put(
                f"{cart}/items/{product}", {"quantity": 4}, Accept=HTML
            ),
        ),
        (200, lambda who, cart, product: who.api.delete(f"{cart}/items/{product}", Accept=HTML)),
        (409, lambda who, cart, product: who.api.put(
            f"{cart}/items/{product}", {"quantity": 99}, Accept=HTML)),
        (400, lambda who, cart, product: who.api.post(f"{cart}/items", {}, Accept=HTML)),
        (200, lambda who, cart, product: who.api.post(
            f"{cart}/items/{product}/save", Accept=HTML)),
        (405, lambda who, cart, product: who.api.get(
            f"{cart}/saved-items/{product}/restore", Accept=HTML)),
        (200, lambda who, cart, product: who.api.post(f"{cart}/refresh-prices", Accept=HTML)),
        (405, lambda who, cart, product: who.api.get(f"{cart}/merge", Accept=HTML)),
        (200, lambda who, cart, product: who.api.post(f"{cart}/merge", {}, Accept=HTML)),
        (412, lambda who, cart, product: who.api.put(
            cart, {"items": []}, If_Match='"v9"', Accept=HTML)),
        (200, lambda who, cart, product: who.api.get("/users/me", Accept=HTML)),
        (403, lambda who, cart, product: who.api.get("/users/", Accept=HTML)),
        (400, lambda who, cart, product: who.api.get("/products/?limit=0", Accept=HTML)),
        (403, lambda who, cart, product: who.api.post("/products/", {}, Accept=HTML)),
    ],
)  # fmt: skip
def test_every_answer_can_be_shown_as_a_page(
    status: int, call: Call, alice: Person, lamp: ProductRow
) -> None:
    product = str(lamp["_id"])
    items = {"items": [{"product_id": product, "quantity": 1}]}
    cart = alice.api.post("/shopping-carts/", items)["id"]
    answer = call(alice, f"/shopping-carts/{cart}", product)
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith(HTML)
    assert f"HTTP {status}" in answer.body.decode()


def ids_linked(answer: Answer) -> list[str]:
    """The addresses on a page that end in an id: rows, and the breadcrumbs above them."""
    page = BeautifulSoup(answer.body, "html.parser")
    found = {str(link["href"]) for link in page.select("a[href]")}
    return sorted(address for address in found if ENDS_IN_ID.search(address))


@pytest.mark.parametrize(
    ("path", "rows_lead_to"),
    [
        ("/products/", "/products/{lamp}"),
        ("/products/?fields=id", "/products/{lamp}"),
        ("/products/?fields=name", None),
        ("/categories/kitchen/products", "/products/{lamp}"),
        ("/categories/kitchen/products?fields=name", None),
        ("/categories/", "/categories/{kitchen}"),
        ("/users/", "/users/{ada}"),
        ("/shopping-carts/", "/shopping-carts/{cart}"),
        ("/products/imports", "/products/imports/{job}"),
        ("/products/imports/{job}/rows", None),
        ("/products/{lamp}/stock", None),
        ("/users/me/sessions", None),
        ("/audit-events/", None),
    ],
)
def test_a_page_of_rows_leads_to_those_that_can_be_read(
    path: str,
    rows_lead_to: str | None,
    ada: Person,
    make_category: Callable[..., CategoryRow],
    make_product: Callable[..., ProductRow],
) -> None:
    kitchen = make_category("kitchen")
    lamp = str(make_product(category="kitchen")["_id"])
    assert ada.api.post(f"/products/{lamp}/stock", {"delta": 1, "reason": "found"}).status == 200
    assert ada.api.form("/token", username="ada", password=PASSWORD).status == 200
    file = b'{"name": "Chair", "price": 5}'
    job = ada.api.send("POST", "/products/imports", raw=file, content_type="application/jsonl")
    run_next(stop=lambda: False)
    ids = {
        "lamp": lamp,
        "kitchen": str(kitchen["_id"]),
        "ada": ada.id,
        "cart": ada.api.post("/shopping-carts/")["id"],
        "job": job["id"],
    }
    address = path.format(**ids)
    assert ada.api.get(address)["items"], "there are rows"
    page = ada.api.get(address, Accept=HTML)
    assert page.status == 200
    linked = [to for to in ids_linked(page) if not address.startswith(f"{to}/")]
    assert (rows_lead_to.format(**ids) in linked) if rows_lead_to else (linked == [])
    assert [ada.api.get(to).status for to in linked] == [200] * len(linked)
