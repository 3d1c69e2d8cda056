"""`serve`: what it does before it goes on as gunicorn."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from catalog.selectors import is_empty
from ecommerce.core import mongo
from tests.commands import run
from tests.live.server import ROOT, free_port


@pytest.fixture(autouse=True)
def gunicorn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Where gunicorn would start, and what for; this process stays what it is."""
    started: list[str] = []

    def start(_: str, command: list[str]) -> None:
        started.extend([str(Path.cwd()), os.environ["HOST"], os.environ["PORT"], *command[1:]])

    for name in ("HOST", "PORT", "MONGODB_URI"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setattr(os, "execv", start)
    monkeypatch.setattr(mongo, "disconnect", lambda: None)
    monkeypatch.chdir(tmp_path)
    return started


def serve(*, host: str = "127.0.0.1") -> tuple[str, int]:
    port = free_port()
    return run("serve", "--host", host, "--port", str(port)), port


def test_it_starts_from_any_folder(gunicorn: list[str]) -> None:
    _, port = serve()
    command = ["-m", "gunicorn", "-c", "gunicorn.conf.py"]
    assert gunicorn == [str(ROOT), "127.0.0.1", str(port), *command]


def test_development_gets_a_demo_catalog() -> None:
    said, _ = serve()
    assert "The store is empty: adding a demo catalog." in said
    assert "demo / demo-shop-2026" in said
    assert not is_empty()


def test_a_new_shop_in_production_sells_nothing_that_is_made_up(settings: Any) -> None:
    settings.DEMO_LOGINS = False
    said, _ = serve()
    assert "demo" not in said.replace("(embedded, for development)", "")
    assert is_empty()


@pytest.mark.parametrize("host", ["::1", "::"])
def test_an_ipv6_address_is_shown_as_browsers_take_it(host: str) -> None:
    said, port = serve(host=host)
    assert f"http://[::1]:{port}/docs" in said


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_said(port: str) -> None:
    with pytest.raises(CommandError, match=f"PORT or --port is 1 to 65535, not '{port}'"):
        run("serve", f"--port={port}")
