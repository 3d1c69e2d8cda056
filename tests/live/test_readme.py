"""The calls of the README, as they stand there, against a running server."""

import json
import re
import subprocess
from pathlib import Path

from django.apps import apps
from django.core.management import get_commands, load_command_class

from tests.live.server import ROOT, LiveServer

CORE = ROOT / "ecommerce"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def calls() -> list[str]:
    """The shell blocks of the section `Five calls`."""
    section = README.split("## Five calls")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def test_there_are_five() -> None:
    assert len(calls()) == 5


def test_they_put_two_pieces_into_a_cart(embedded: LiveServer) -> None:
    script = "set -euo pipefail\n" + "echo\n".join(calls())
    script = script.replace("http://127.0.0.1:8000", embedded.base)
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    raised, cart = (json.loads(line) for line in run.stdout.splitlines() if line)
    assert raised == cart
    assert cart["total_quantity"] == 2
    assert cart["subtotal"] == round(2 * cart["items"][0]["unit_price"], 2)


def test_the_commands_it_names_are_there() -> None:
    table = README.split("## Commands")[1].split("\n## ")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    named = [word for row in rows for word in re.findall(r"`(\w+)[^`]*`", row)]
    configs = [app for app in apps.get_app_configs() if Path(app.path).parent in {ROOT, CORE}]
    ours = {app.name for app in configs}
    there = {name for name, app in get_commands().items() if app in ours}
    assert set(named) == there
    for command in named:
        app = get_commands()[command]
        parser = load_command_class(app, command).create_parser("manage.py", command)
        help_text = parser.format_help()
        assert "Examples:" in help_text or "examples" in help_text.lower(), command


def test_make_help_lists_what_it_names() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for target in ("run", "test", "help"):
        assert f"  make {target} " in listed
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(re.findall(r"make ([a-z-]+) ", listed)) == sorted(set(targets))
