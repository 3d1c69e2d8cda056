"""Times have one form in all that goes out: milliseconds, always, and the offset of UTC."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from bson.tz_util import utc

from catalog.documents import Product, ProductRow
from ecommerce.core.json_output import as_text, to_json
from ecommerce.core.mongo import collection
from tests.client import Person
from tests.commands import run

FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", re.ASCII)
TIMES = re.compile(r'"\w+_at": ?"([^"]*)"')
WHOLE = datetime(2026, 1, 1, 3, 19, tzinfo=UTC)
TENTH = WHOLE.replace(microsecond=100_000)


@pytest.mark.parametrize("zone", [None, UTC, utc])
@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (WHOLE, "2026-01-01T03:19:00.000+00:00"),
        (TENTH, "2026-01-01T03:19:00.100+00:00"),
        (WHOLE.replace(microsecond=30_054), "2026-01-01T03:19:00.030+00:00"),
        (datetime.min.replace(tzinfo=UTC), "0001-01-01T00:00:00.000+00:00"),
        (datetime.max.replace(tzinfo=UTC), "9999-12-31T23:59:59.999+00:00"),
    ],
)
def test_a_time_has_its_milliseconds_though_there_are_none(
    moment: datetime, text: str, zone: timezone | None
) -> None:
    moment = moment.replace(tzinfo=zone)
    assert json.loads(to_json({"at": [moment]})) == {"at": [text]}
    assert as_text(moment) == text


def test_another_offset_stays_what_it_is() -> None:
    there = datetime(2026, 1, 1, 3, 19, tzinfo=timezone(timedelta(hours=-5, minutes=-30)))
    assert to_json(there) == b'"2026-01-01T03:19:00.000-05:30"'


def test_text_that_looks_like_a_time_is_left_alone() -> None:
    for text in ("2026-01-01T03:19:00+00:00", "2026-01-01T03:19:00.030000+00:00"):
        assert json.loads(to_json({text: text})) == {text: text}


def test_a_value_of_another_kind_is_no_json_unless_somebody_says_how() -> None:
    with pytest.raises(TypeError):
        to_json({"id": object})
    assert to_json({"id": 1j}, otherwise=str) == b'{"id":"1j"}'


@pytest.mark.parametrize("moment", [WHOLE, TENTH])
@pytest.mark.parametrize("kept", ["off", "full"])
def test_lists_single_products_and_files_write_it_alike(
    kept: str, moment: datetime, lamp: ProductRow, sam: Person, alice: Person, settings: Any
) -> None:
    settings.RESPONSE_CACHE = kept
    collection(Product).update_one(
        {"_id": lamp["_id"]}, {"$set": {"created_at": moment, "updated_at": moment}}
    )
    fraction = "000" if moment is WHOLE else "100"
    paths = (
        "/products/", f"/products/{lamp['_id']}", "/products/?fields=created_at,updated_at",
        "/products/exports?format=jsonl",
    )  # fmt: skip
    for path in paths:
        found = TIMES.findall((sam.api if "exports" in path else alice.api).get(path).body.decode())
        assert found == [f"2026-01-01T03:19:00.{fraction}+00:00"] * 2, path


@pytest.fixture
def paths(lamp: ProductRow, make_category: Callable[..., object], sam: Person) -> list[str]:
    """Answers that hold times, of every app."""
    make_category("home")
    sam.api.post(f"/products/{lamp['_id']}/stock", {"delta": 1, "reason": "counted"})
    item = {"product_id": str(lamp["_id"]), "quantity": 1}
    cart = sam.api.post("/shopping-carts/", {"items": [item]})["id"]
    sam.api.send("POST", "/products/imports", raw=b'{"name": "Mug", "price": 1}\n',
                 content_type="application/x-ndjson")  # fmt: skip
    sam.api.post("/users/me/password", {"current_password": "wrong", "new_password": "x"})
    return [
        "/categories/", "/categories/home", "/shopping-carts/", f"/shopping-carts/{cart}",
        "/users/", "/users/me", "/users/me/sessions", "/users/me/export", "/audit-events/",
        "/products/imports", f"/products/{lamp['_id']}/stock",
    ]  # fmt: skip


def test_every_answer_has_the_form(paths: list[str], sam: Person, ada: Person) -> None:
    for path in paths:
        answer = (ada if path == "/audit-events/" else sam).api.get(path)
        found = TIMES.findall(answer.body.decode())
        assert answer.status == 200, path
        assert found, path
        assert [text for text in found if not FORM.fullmatch(text)] == [], path


def test_commands_write_it_too(paths: list[str], sam: Person) -> None:
    run("api_keys", "create", "stock", "--scope", "stock:read")
    for command in (
        ("users", "list", "--json"), ("api_keys", "list", "--json"), ("audit", "--json"),
    ):  # fmt: skip
        found = TIMES.findall(run(*command))
        assert found, command
        assert [text for text in found if not FORM.fullmatch(text)] == [], command
    shown = run("users", "show", sam.principal.username)
    assert FORM.search(shown.partition("created_at")[2].splitlines()[0]), shown
