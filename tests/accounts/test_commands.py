"""`createsuperuser`, `changepassword` and `users`: what operators do with accounts."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import selectors
from accounts.documents import User
from ecommerce.core.indexes import ensure_indexes
from ecommerce.core.mongo import collection
from tests.client import ApiClient, Person
from tests.commands import run
from tests.operations import recorded


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What comes in on standard input."""

    def type_in(text: str) -> None:
        monkeypatch.setattr("sys.stdin", StringIO(text))

    return type_in


SUPERUSER = ("createsuperuser", "--username", "ann", "--email", "ann@example.com", "--stdin")


def test_createsuperuser_makes_an_admin_who_can_sign_in(typed: Any, anyone: ApiClient) -> None:
    typed("blue-kettle-77\n")
    assert run(*SUPERUSER).startswith("Created admin ann (")
    token = anyone.form("/token", username="ann", password="blue-kettle-77")["access_token"]
    assert ApiClient(token).get("/users/me")["role"] == "admin"
    assert ApiClient(token).get("/users/").status == 200


@pytest.mark.parametrize(
    ("arguments", "password", "fault"),
    [
        (SUPERUSER, "short1\n", "password: "),
        (SUPERUSER, "password123\n", "password: This password is too common."),
        ((*SUPERUSER[:4], "nothing", "--stdin"), "blue-kettle-77\n", "email: "),
        (("createsuperuser", "--noinput"), "", "--username is needed"),
    ],
)
def test_createsuperuser_has_the_rules_of_registration(
    arguments: tuple[str, ...], password: str, fault: str, typed: Any
) -> None:
    typed(password)
    with pytest.raises(CommandError, match=fault):
        run(*arguments)
    assert collection(User).count_documents({}) == 0


def test_createsuperuser_asks_apart_from_its_output(typed: Any) -> None:
    typed("ann\nnothing\nblue-kettle-77\n")
    asked = StringIO()
    with pytest.raises(CommandError, match="email: "):
        run("createsuperuser", "--stdin", stderr=asked)
    assert asked.getvalue() == "Username: Email: "


def test_createsuperuser_without_input_asks_for_no_password_on_a_terminal_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def asked(_: str) -> str:
        raise AssertionError("it asks")

    monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("accounts.management.terminal.getpass", asked)
    with pytest.raises(CommandError) as refused:
        run(*SUPERUSER[:-1], "--noinput")
    assert str(refused.value) == (
        "--noinput asks for no password: set DJANGO_SUPERUSER_PASSWORD, or use --stdin."
    )
    assert collection(User).count_documents({}) == 0


def test_createsuperuser_refuses_a_taken_name(typed: Any, alice: Person) -> None:
    typed("blue-kettle-77\n")
    with pytest.raises(CommandError, match="username: This username is already taken"):
        run(*SUPERUSER[:2], "ALICE", *SUPERUSER[3:])


def test_createsuperuser_says_which_duplicates_forbid_an_index(typed: Any) -> None:
    users = collection(User)
    users.drop_index("email_unique")
    try:
        for number in (1, 2):
            users.insert_one({"_id": number, "email_key": "a@b.c", "username_key": str(number)})
        with pytest.raises(CommandError, match=r"email_key='a@b\.c': 1, 2") as refused:
            run(*SUPERUSER)
    finally:
        users.delete_many({})
        ensure_indexes([User])
    assert "Remove or change one document of each group" in str(refused.value)


def test_changepassword_sets_it_and_ends_every_session(
    typed: Any, alice: Person, anyone: ApiClient
) -> None:
    typed("blue-kettle-77\n")
    assert run("changepassword", "Alice@example.com", "--stdin") == (
        "The password of alice is set; their sessions have ended.\n"
    )
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")
    assert anyone.form("/token", username="alice", password="blue-kettle-77").status == 200


def test_an_unknown_user_is_a_sentence_and_no_traceback(typed: Any) -> None:
    for arguments in (("changepassword", "nobody", "--stdin"), ("users", "show", "nobody")):
        with pytest.raises(CommandError, match="There is no user 'nobody'"):
            run(*arguments)


def test_users_list_filters_and_never_shows_a_hash(alice: Person, sam: Person) -> None:
    listed = run("users", "list").splitlines()
    assert [line.split()[1] for line in listed] == ["sam", "alice"]
    assert [line.split()[1] for line in run("users", "list", "--staff").splitlines()] == ["sam"]
    assert run("users", "list", "--inactive") == ""
    as_json = [json.loads(line) for line in run("users", "list", "--json").splitlines()]
    assert [user["username"] for user in as_json] == ["sam", "alice"]
    assert "hash" not in run("users", "show", "alice") + json.dumps(as_json)


def test_users_list_reads_many_users_in_parts(
    monkeypatch: pytest.MonkeyPatch, alice: Person, bob: Person, sam: Person
) -> None:
    """One cursor over all of them would run out behind a slow terminal."""
    monkeypatch.setattr(selectors, "_BATCH", 2)
    with recorded() as seen:
        listed = [user["username"] for user in selectors.every_user()]
    assert listed == ["sam", "bob", "alice"], "newest first, each once"
    assert [operation.kind for operation in seen] == ["find", "find", "find"]


def test_promote_and_demote(alice: Person) -> None:
    assert run("users", "promote", "alice") == "alice is staff now.\n"
    assert run("users", "promote", "alice") == "alice is staff already: nothing was changed.\n"
    assert run("users", "demote", "alice", "--yes") == "alice is a customer now.\n"
    assert alice.api.get("/users/me").status == 401, "losing rights ends every session"


def test_deactivate_asks_first(
    alice: Person, monkeypatch: pytest.MonkeyPatch, anyone: ApiClient
) -> None:
    monkeypatch.setattr("builtins.input", lambda: "n")
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("users", "deactivate", "alice")
    assert alice.api.get("/users/me").status == 200
    monkeypatch.setattr("builtins.input", lambda: "y")
    assert run("users", "deactivate", "alice") == "alice is not active now.\n"
    assert alice.api.get("/users/me").status == 401
    assert run("users", "activate", "alice") == "alice is active now.\n"


@pytest.mark.parametrize(
    "command",
    [
        "createsuperuser", "changepassword", "users", "export_user", "erase_user", "api_keys",
        "audit", "import_products", "export_products", "seed", "serve", "doctor", "migrate",
    ],
)  # fmt: skip
def test_every_command_has_examples_in_its_help(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command(command, "--help")
    assert ended.value.code == 0
    assert f"examples:\n  manage.py {command}" in capsys.readouterr().out.replace("PORT=9000 ", "")
