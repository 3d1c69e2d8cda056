"""A bad setting ends the start with one message; production refuses what is for laptops."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "MONGODB_URI": "mongodb://127.0.0.1:27017/shop",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "SECRET_KEY": "k7G2x9Q4mZ8vB1nC5tR3wY6pL0sD-fH_jA7kE2uI9oX4zV8b",
    "ALLOWED_HOSTS": "api.shop.example",
    "EMAIL_URL": "smtp+tls://shop:secret@mail.shop.example",
    "PUBLIC_URL": "https://shop.example",
}
GOOD["SECRET_KEY"] += "0123456789"


def start(settings: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in {*GOOD, "DEBUG"}}
    environment |= {"DJANGO_SETTINGS_MODULE": f"ecommerce.settings.{settings}", **variables}
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "soon", "is 'soon', not a whole number"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "0", "is 0, not within 1 to 1440"),
        ("MONGODB_URI", "localhost:27017", "does not start with mongodb://"),
        ("MONGODB_URI", "mongodb://host:port", "is not a MongoDB address"),
        ("REDIS_URL", "localhost", "does not start with redis://"),
        ("RATE_LIMIT_REDIS_URL", "localhost", "does not start with redis://"),
        ("SECRET_KEY", "short", "is weak or a default: at least 50 random characters"),
        ("CURRENCY", "DOLLAR", "is 'DOLLAR', not an ISO 4217 currency"),
        ("RATE_LIMITS_ENABLED", "perhaps", "is 'perhaps', neither true nor false"),
        ("BREACHED_PASSWORDS_FILE", "/no/such/file", "names a file that cannot be read"),
        ("BREACHED_PASSWORDS_FILE", "README.md", "names a file that does not hold one SHA-1"),
        ("REQUIRE_VERIFIED_EMAIL", "maybe", "is 'maybe', neither true nor false"),
        ("EMAIL_URL", "mail.example:25", "does not start with one of smtp, smtp+tls, smtp+ssl"),
        ("EMAIL_URL", "smtp://mail.example:port", "has a port that is not a number"),
        ("EMAIL_URL", "smtp://:25", "names no host"),
        ("MAIL_FROM", "The shop", "is not an email address"),
        ("PUBLIC_URL", "shop.example", "is not an address of the web"),
        ("PASSWORD_RESET_URL", "https://shop.example/reset#", "is not an address of the web"),
        ("TRUSTED_PROXIES", "-1", "is -1, not within 0 to 10"),
    ],
)
def test_a_bad_value_names_the_variable_its_fault_and_an_example(
    name: str, value: str, fault: str
) -> None:
    run = start("dev", **{name: value})
    assert run.returncode == 1
    assert run.stderr.startswith(f"Cannot start: {name} {fault}")
    assert f"Example: {name}=" in run.stderr
    assert "Traceback" not in run.stderr


def test_production_starts_with_everything_it_needs() -> None:
    run = start("production", **GOOD)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONGODB_URI", ""),
        ("REDIS_URL", ""),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 80),
        ("SECRET_KEY", "django-insecure-" + GOOD["SECRET_KEY"]),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", ""),
        ("DEBUG", "true"),
        ("EMAIL_URL", ""),
        ("EMAIL_URL", "consolemail://"),
        ("PUBLIC_URL", ""),
        ("PUBLIC_URL", "http://shop.example"),
        ("PASSWORD_RESET_URL", "http://shop.example/reset"),
        ("RATE_LIMITS_ENABLED", "false"),
    ],
)
def test_production_refuses(name: str, value: str) -> None:
    run = start("production", **(GOOD | {name: value}))
    assert run.returncode == 1
    assert run.stderr.startswith(f"Cannot start: {name} ")


def test_the_secret_of_development_is_made_once_and_kept(tmp_path: Path) -> None:
    store = {"STORE_PATH": str(tmp_path / "data" / "store.sqlite3")}
    assert start("dev", **store).returncode == 0
    kept = (tmp_path / "data" / "secret_key").read_text()
    assert start("dev", **store).returncode == 0
    assert (tmp_path / "data" / "secret_key").read_text() == kept
    assert len(kept) >= 50
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o077 == 0


def test_a_driver_at_debug_still_writes_no_command() -> None:
    assert settings.LOGGING["loggers"]["pymongo"] == {"level": "INFO"}
    assert not logging.getLogger("pymongo.command").isEnabledFor(logging.DEBUG)
