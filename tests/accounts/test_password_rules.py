"""What a password may be, and that it is the same however it was typed."""

import hashlib
import logging
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password

from accounts.documents import User
from accounts.services import passwords
from ecommerce.core.errors import ValidationFailedError
from ecommerce.core.mongo import collection
from tests.client import ApiClient, Person

COMPOSED, DECOMPOSED = "caf\u00e9-kettle-77", "cafe\u0301-kettle-77"
FULL_WIDTH = "\uff43\uff41\uff46\u00e9-kettle-77"
BREACHED = "blue-kettle-77"


def refused(password: str) -> list[str]:
    with pytest.raises(ValidationFailedError) as refusal:
        passwords.hashed(password, username="carol", email="carol@example.com")
    return [fault["code"] for fault in refusal.value.members["errors"]]


def sign_in(password: str, username: str = "carol") -> int:
    return ApiClient().form("/token", username=username, password=password).status


@pytest.mark.parametrize("typed", [COMPOSED, DECOMPOSED, FULL_WIDTH])
def test_a_password_is_the_same_on_every_keyboard(typed: str, anyone: ApiClient) -> None:
    body = {"username": "carol", "email": "carol@example.com", "password": typed}
    assert anyone.post("/users/", body).status == 201
    for other in (COMPOSED, DECOMPOSED, FULL_WIDTH):
        assert sign_in(other) == 200
    assert sign_in("cafe-kettle-77") == 400


def test_a_hash_from_before_normalisation_still_works_and_is_renewed(alice: Person) -> None:
    old = {"$set": {"hashed_password": make_password(DECOMPOSED)}}
    collection(User).update_one({"_id": alice.principal.id}, old)
    assert sign_in(COMPOSED, "alice") == 400, "only what was typed then is known"
    assert sign_in(DECOMPOSED, "alice") == 200
    assert sign_in(COMPOSED, "alice") == 200


@pytest.mark.parametrize(
    "password", ["\u5bc6\u7801\u662f\u5f88\u957f\u7684\u7684\u7684", "x" * 8 + "-" * 120]
)
def test_any_script_and_128_characters_are_fine(password: str) -> None:
    stored = passwords.hashed(password, username="carol", email="carol@example.com")
    assert passwords.matches(password, stored) == (True, None)


def test_the_longest_password_may_be_typed_decomposed() -> None:
    stored = passwords.hashed("\u00e9" * 128, username="carol", email="carol@example.com")
    assert passwords.matches("e\u0301" * 128, stored)[0]
    assert passwords.matches("\u00e9" * 129, stored) == (False, None)


def test_too_short_is_measured_after_normalisation() -> None:
    assert refused("e\u0301" * 7) == ["password_too_short"]
    assert refused("x" * 129) == ["password_too_long"]


@pytest.fixture
def breach_list(tmp_path: Path, settings: Any) -> Any:
    """Has the product use a list of these lines."""

    def use(*lines: str) -> Path:
        path = tmp_path / "breached.txt"
        path.write_text("\n".join(lines))
        settings.BREACHED_PASSWORDS_FILE = path
        return path

    return use


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


def test_a_breached_password_is_refused_by_name(breach_list: Any, anyone: ApiClient) -> None:
    breach_list(sha1(BREACHED))
    body = {"username": "carol", "email": "carol@example.com", "password": BREACHED}
    answer = anyone.post("/users/", body)
    assert answer.outcome == (400, "validation_error")
    assert [(fault["pointer"], fault["code"]) for fault in answer["errors"]] == [
        ("/password", "password_breached")
    ]
    assert collection(User).count_documents({}) == 0


@pytest.mark.parametrize("form", ["{}", "{}:37", "{:.20}", "{:.20}:1"])
@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_every_line_of_the_list_is_found_and_nothing_else(
    form: str, size: int, breach_list: Any
) -> None:
    known = [f"known-kettle-{number}" for number in range(size)]
    breach_list(*sorted(form.format(sha1(password)) for password in known))
    for password in known:
        assert refused(password) == ["password_breached"]
    for number in range(50):
        validate_password(f"other-kettle-{number}")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n", "\n\n"])
def test_line_ends_and_case_do_not_matter(line_end: str, last: str, breach_list: Any) -> None:
    hashes = sorted(sha1(f"known-kettle-{number}").lower() for number in range(9))
    breach_list().write_bytes((line_end.join(hashes) + last).encode())
    for number in range(9):
        assert refused(f"known-kettle-{number}") == ["password_breached"]


def test_a_list_that_has_gone_is_logged_and_the_other_rules_hold(
    breach_list: Any, caplog: pytest.LogCaptureFixture
) -> None:
    breach_list(sha1(BREACHED)).unlink()
    with caplog.at_level(logging.ERROR):
        passwords.hashed(BREACHED, username="carol", email="carol@example.com")
    assert "BREACHED_PASSWORDS_FILE cannot be read" in caplog.text
    assert BREACHED not in caplog.text
    assert refused("password123") == ["password_too_common"]
