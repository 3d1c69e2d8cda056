"""A bad setting ends the start with one message; production refuses what is for laptops."""

import logging
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.live.server import free_port

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
        ("PUBLIC_URL", f"https://{'ü' * 60}.example", "is not an address of the web"),
        ("PUBLIC_URL", "https://[shop.example", "is not an address of the web"),
        ("PASSWORD_RESET_URL", "https://shop.example/reset#", "is not an address of the web"),
        ("TRUSTED_PROXIES", "-1", "is -1, not within 0 to 10"),
        ("WEB_CONCURRENCY", "many", "is 'many', not a whole number"),
        ("LOG_LEVEL", "loud", "is 'loud', none of debug, info, warning, error, critical"),
        ("CORS_ALLOWED_ORIGINS", "shop.example", "has 'shop.example', which is no scheme and"),
        ("CORS_ALLOWED_ORIGINS", "https://a.example/", "has 'https://a.example/', which is no"),
        ("SECRET_KEY_FALLBACKS", "short", "has a weak key (number 1): name former values of"),
        ("STORE_PATH", "tests", "is a folder, not a file"),
        ("STORE_PATH", "README.md/store", "is where no key can be kept"),
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


def test_the_shop_may_have_a_name_in_any_script(tmp_path: Path) -> None:
    store = str(tmp_path / "store.sqlite3")
    run = start("dev", PUBLIC_URL="https://b\u00fccher.example", STORE_PATH=store)
    assert (run.returncode, run.stderr) == (0, "")


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


PRODUCT = ("accounts", "carts", "catalog", "demo", "ecommerce", "gunicorn.conf.py", "manage.py")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The product in a folder of its own, where a `.env` disturbs nobody."""
    for name in PRODUCT:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def run_in(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in {*GOOD, "DJANGO_SETTINGS_MODULE"}}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=kept | variables,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def gunicorn_in(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    names = "'bind', 'workers', 'threads', 'accesslog', '_drain_seconds', 'loglevel'"
    return run_in(
        folder, "-c",
        "import runpy; read = runpy.run_path('gunicorn.conf.py'); "
        f"print(*(read[name] for name in ({names})))",
        **variables,
    )  # fmt: skip


def test_gunicorn_heeds_the_env_file(copy: Path) -> None:
    lines = ["HOST=::1", "PORT=9000", "WEB_CONCURRENCY=3", "WEB_THREADS=5", "DRAIN_SECONDS=4"]
    lines += [f"MONGODB_URI={GOOD['MONGODB_URI']}", "ACCESS_LOG=off", "GUNICORN_LOG_LEVEL=INFO"]
    (copy / ".env").write_text("\n".join(lines))
    read = gunicorn_in(copy)
    assert (read.stdout, read.stderr) == ("[::1]:9000 3 5 None 4 info\n", "")


def test_without_settings_gunicorn_has_one_worker_for_the_embedded_store(copy: Path) -> None:
    assert gunicorn_in(copy).stdout == "127.0.0.1:8000 1 8 - 0 warning\n"


@pytest.mark.skipif(sys.platform != "linux", reason="binds a process to a core")
def test_before_a_server_gunicorn_has_a_worker_for_each_core_that_it_may_use(copy: Path) -> None:
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(mine)})  # what is started from here inherits it
    try:
        read = gunicorn_in(copy, MONGODB_URI=GOOD["MONGODB_URI"])
    finally:
        os.sched_setaffinity(0, mine)
    assert read.stdout == "127.0.0.1:8000 1 8 - 0 warning\n"


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("ACCESS_LOG", "perhaps", "is 'perhaps', neither true nor false"),
        ("DRAIN_SECONDS", "soon", "is 'soon', not a whole number"),
        ("DRAIN_SECONDS", "-1", "is -1, not within 0 to 600"),
        (
            "GUNICORN_LOG_LEVEL", "loud",
            "is 'loud', none of debug, info, warning, error, critical",
        ),
        ("PORT", "99999", "is 99999, not within 1 to 65535"),
        ("WEB_CONCURRENCY", "many", "is 'many', not a whole number"),
        ("WEB_THREADS", "0", "is 0, not within 1 to 1024"),
    ],
)  # fmt: skip
def test_a_bad_value_for_gunicorn_is_a_sentence_and_code_3(
    copy: Path, name: str, value: str, fault: str
) -> None:
    read = gunicorn_in(copy, **{name: value})
    assert (read.returncode, read.stdout) == (3, "")
    assert read.stderr.startswith(f"Cannot start: {name} {fault}. Example: {name}=")
    assert "Traceback" not in read.stderr


def test_gunicorn_closes_no_connection_that_a_balancer_may_still_use() -> None:
    """What closes first is the one that sends requests: else one meets an end that is gone."""
    gunicorn = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    idle = {
        "nginx/nginx.conf.template": r"^ *keepalive_timeout +(\d+)s",
        "haproxy/haproxy.cfg": r"^ *timeout http-keep-alive +(\d+)s",
    }
    for name, pattern in idle.items():
        text = (ROOT / "docker" / name).read_text("utf-8")
        seconds = [int(found) for found in re.findall(pattern, text, re.MULTILINE)]
        assert seconds == [60], name
        assert gunicorn["keepalive"] > max(seconds), name


def test_gunicorn_forks_before_there_are_connections_and_beats_its_heart_in_memory() -> None:
    gunicorn = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert gunicorn["preload_app"] is False
    in_memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    assert gunicorn["worker_tmp_dir"] == in_memory


def test_a_server_with_a_wrong_setting_says_so_once_and_ends_with_code_3(copy: Path) -> None:
    run = run_in(copy, "-m", "gunicorn", "-c", "gunicorn.conf.py", PORT=str(free_port()))
    assert run.returncode == 3
    assert run.stderr.startswith("Cannot start: SECRET_KEY is not set.")
    assert "Traceback" not in run.stderr
    assert run.stderr.count("SECRET_KEY is not set") == 1


def test_the_env_file_may_name_the_settings(copy: Path) -> None:
    (copy / ".env").write_text("DJANGO_SETTINGS_MODULE=ecommerce.settings.production\n")
    run = run_in(copy, "manage.py", "check")
    assert run.returncode == 1
    assert run.stderr.startswith("Cannot start: SECRET_KEY is not set.")
