"""`migrate` and `doctor`: before the server starts, and when something is wrong."""

import errno
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from pymongo.errors import (
    AutoReconnect,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from accounts.rules import Scope
from catalog.documents import Product, ProductRow
from ecommerce.core.commands import ShopCommand
from ecommerce.core.indexes import ensure_indexes
from ecommerce.core.mongo import collection
from tests.commands import run
from tests.live.server import ROOT, free_port


def test_migrate_makes_indexes_and_may_be_repeated() -> None:
    collection(Product).drop_index("skus_unique")
    assert re.search(r"ok  products\.skus_unique +find products by sku\n", run("migrate"))
    assert run("migrate") == run("migrate")
    assert "skus_unique" in collection(Product).index_information()


def test_migrate_refuses_with_a_list_of_duplicates() -> None:
    products = collection(Product)
    products.drop_index("skus_unique")
    try:
        products.insert_one({"_id": 1, "skus": ["same"]})
        products.insert_one({"_id": 2, "skus": ["same"]})
        with pytest.raises(
            CommandError, match=r"(?s)skus_unique must be unique.+skus='same': 1, 2"
        ):
            run("migrate")
        assert products.count_documents({}) == 2
    finally:
        products.delete_many({})
        ensure_indexes([Product])


@pytest.mark.parametrize("code", [85, 86], ids=["its keys are indexed", "its name is taken"])
def test_migrate_says_of_an_index_that_is_in_the_way_that_it_is_to_be_dropped(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MongoDB refuses it: the server of the tests over the wire does not."""
    conflict = OperationFailure("An existing index has the same name", code)
    monkeypatch.setattr(type(collection(Product)), "create_index", Mock(side_effect=conflict))
    with pytest.raises(CommandError) as refused:
        run("migrate")
    assert (
        "products.skus_unique: another index is in its place (An existing index has the same "
        "name). Drop that one, then run this again."
    ) in str(refused.value)
    assert "Remove or change one document" not in str(refused.value)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (OperationFailure("not authorized on shop", 13), "The database refuses this (not auth"),
        (OperationFailure("shutting down", 91), "The database does not answer (shutting down"),
    ],
)
def test_migrate_takes_no_other_fault_for_a_conflict(
    fault: OperationFailure, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(collection(Product)), "create_index", Mock(side_effect=fault))
    with pytest.raises(CommandError) as refused:
        run("migrate")
    assert str(refused.value).startswith(said)


def test_doctor_finds_a_healthy_installation_healthy(settings: Any) -> None:
    settings.RATE_LIMITS_ENABLED = True
    lines = run("doctor").splitlines()
    assert all(line.startswith("OK  ") for line in lines)
    assert {line.split()[1] for line in lines} >= {"python", "store", "indexes", "redis", "secrets"}
    assert {finding["level"] for finding in json.loads(run("doctor", "--json"))} == {"ok"}


def test_doctor_names_what_is_wrong_and_what_to_do(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection(Product).drop_index("slug_unique")
    settings.SECRET_KEY = "short"
    out = StringIO()
    try:
        with pytest.raises(CommandError, match="wrong with: indexes, secrets") as refused:
            call_command("doctor", stdout=out)
    finally:
        ensure_indexes([Product])
    assert refused.value.returncode == 1
    assert "missing: products.slug_unique; run manage.py migrate" in out.getvalue()
    assert "WARN  limits" in out.getvalue()


def test_doctor_says_when_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise ServerSelectionTimeoutError("nobody there")

    monkeypatch.setattr("ecommerce.core.mongo.ping", away)
    out = StringIO()
    with pytest.raises(CommandError, match="store"):
        call_command("doctor", stdout=out)
    said = "FAIL  store    nobody there; is it running, and is MONGODB_URI right?\n"
    assert said in out.getvalue()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            OperationFailure("not authorized on shop", 13),
            "not authorized on shop; check the rights of the user in MONGODB_URI",
        ),
        (AutoReconnect("connection closed"), "connection closed; run this again"),
    ],
)
def test_doctor_says_what_it_could_not_see_and_looks_at_the_rest(
    fault: PyMongoError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecommerce.core.diagnosis.declared", Mock(side_effect=fault))
    out = StringIO()
    with pytest.raises(CommandError, match="wrong with: indexes"):
        call_command("doctor", stdout=out)
    assert f"FAIL  indexes  cannot be seen: {said}" in out.getvalue()
    assert "limits" in out.getvalue()


def test_doctor_says_that_the_clock_could_not_be_asked_and_looks_at_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = Mock()
    database.return_value.command.side_effect = AutoReconnect("connection closed")
    monkeypatch.setattr("ecommerce.core.diagnosis.get_db", database)
    monkeypatch.setattr("ecommerce.core.mongo.ping", Mock())
    monkeypatch.setattr("ecommerce.core.mongo.uses_embedded_store", lambda: False)
    out = StringIO()
    with pytest.raises(CommandError, match="wrong with: clock"):
        call_command("doctor", stdout=out)
    assert "FAIL  clock    cannot be seen: connection closed; run this again" in out.getvalue()
    assert "OK    indexes" in out.getvalue()


def test_the_shell_knows_the_documents(
    lamp: ProductRow, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("shell", command="print(Product.objects.count(), ShoppingCart.objects.count())")
    assert capsys.readouterr().out.splitlines()[-1] == "1 0"


def test_a_server_that_is_away_is_said_within_seconds() -> None:
    port = free_port()
    environment = {**os.environ, "MONGODB_URI": f"mongodb://127.0.0.1:{port}/shop"}
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr == (
        f"CommandError: The database does not answer (127.0.0.1:{port}: [Errno 111] Connection "
        "refused). Is it running, and is MONGODB_URI right? `manage.py doctor` looks closer.\n"
    )
    assert time.monotonic() - began < 20, "not the ten minutes that an index may take"


def test_a_database_that_refuses_is_not_said_to_be_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing() -> None:
        raise OperationFailure("Authentication failed.", 18, {"ok": 0.0, "code": 18})

    monkeypatch.setattr("ecommerce.core.management.commands.doctor.findings", refusing)
    with pytest.raises(CommandError) as refused:
        run("doctor")
    assert str(refused.value) == (
        "The database refuses this (Authentication failed). Check the user in MONGODB_URI and its "
        "rights; `manage.py doctor` looks closer."
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export_products", "/no/such/folder/x.csv"), "/no/such/folder/x.csv: No such file or"),
        (("export_products", "products.xml"), "name it .csv or .jsonl, or say --format"),
    ],
)
def test_what_a_command_cannot_do_is_a_sentence_that_says_what_it_can(
    arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(CommandError, match=re.escape(said)):
        run(*arguments)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("users", "promote", "demo", "emperor"), "staff, admin"),
        (("users", "demote", "demo", "emperor"), "customer, staff"),
        (
            ("api_keys", "create", "till", "--scope", "all"),
            ", ".join(Scope),
        ),
    ],
)
def test_what_may_be_chosen_is_named_as_it_is_typed(arguments: tuple[str, ...], names: str) -> None:
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert f"(choose from {names})" in str(refused.value).replace("'", "")  # quoted by some Pythons


def test_a_question_that_nobody_answers_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: str = "") -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(CommandError, match="Nobody is there to answer a question"):
        run("createsuperuser")


def test_a_password_that_nobody_types_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: str = "") -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("accounts.management.terminal.getpass", nobody)
    with pytest.raises(CommandError, match="Nobody is there to answer a question"):
        run("createsuperuser", "--username", "ann", "--email", "ann@shop.example")


def failing(fault: Exception) -> ShopCommand:
    """A command that ends in it."""

    class Failing(ShopCommand):
        def run(self, **_: Any) -> None:
            raise fault

    return Failing()


@pytest.mark.parametrize(
    "fault",
    [OSError("gone"), TimeoutError("timed out"), EOFError("Compressed file ended")],
    ids=repr,
)
def test_a_fault_that_the_system_does_not_explain_is_shown_as_it_is(fault: Exception) -> None:
    with pytest.raises(type(fault), match=str(fault)):
        call_command(failing(fault))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (OSError(errno.ENOSPC, "No space left", "x.csv"), "x.csv: No space left."),
        (OSError(errno.EIO, "No answer"), "Input or output: No answer."),
    ],
    ids=repr,
)
def test_what_the_system_refuses_is_said_with_its_file(fault: OSError, said: str) -> None:
    with pytest.raises(CommandError, match=f"^{re.escape(said)}$"):
        call_command(failing(fault))


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_command_whose_reader_has_enough_ends_without_a_word(lines: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            [sys.executable, "manage.py", "shell", "--command", f"print('line\\n' * {lines})"],
            cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.parametrize("command", ["export_products", "export_categories"])
def test_an_export_that_fails_leaves_the_one_of_before(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> Iterator[ProductRow]:
        raise ServerSelectionTimeoutError("nobody there")
        yield

    file = tmp_path / "export.jsonl"
    file.write_text("yesterday's\n")
    for reads in ("export_products.every_product", "export_categories.every_category"):
        monkeypatch.setattr(f"catalog.management.commands.{reads}", interrupted)
    with pytest.raises(CommandError, match="The database does not answer"):
        run(command, str(file))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [
        ("export.jsonl", "yesterday's\n")
    ]


def test_an_export_takes_the_place_of_the_one_of_before_with_its_rights(tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    file.write_text("yesterday's\n")
    file.chmod(0o640)
    link = tmp_path / "latest.jsonl"
    link.symlink_to(file)
    run("export_products", str(link))
    assert (file.read_text(), file.stat().st_mode & 0o777, link.is_symlink()) == ("", 0o640, True)
    assert {each.name for each in tmp_path.iterdir()} == {"export.jsonl", "latest.jsonl"}


def test_an_export_may_go_into_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        run("export_products", str(pipe))
        assert os.read(reader, 100).startswith(b"Handle,")
    finally:
        os.close(reader)
