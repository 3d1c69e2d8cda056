"""Reads the environment (and `.env` beside manage.py) and says plainly what is wrong with a value.

Every variable the product knows is read through here, so that a bad value ends the start with one
message: the variable, the fault of its value, and an example that works.
"""

import contextlib
import re
import secrets
from collections.abc import Sequence
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from iso4217 import Currency
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from ecommerce.settings.cores import available_cores

BASE_DIR: Final = Path(__file__).resolve().parents[2]
MIN_SECRET_LENGTH: Final = 50
"""Characters; what Django's own deployment check (security.W009) asks for."""
_DISTINCT_SECRET_CHARACTERS: Final = 5
_SHA1_LINE: Final = re.compile(rb"[0-9A-Fa-f]{10,40}(:\d+)?")

_MAIL_PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465, "consolemail": 0}
"""Schemes of EMAIL_URL and their usual ports."""

_env = environ.Env()
_env.read_env(BASE_DIR / ".env")


class BadSettingError(ImproperlyConfigured):
    """One environment variable has a value the product cannot run with."""

    def __init__(self, name: str, fault: str, example: str) -> None:
        super().__init__(f"{name} {fault}. Example: {name}={example}")


def text(name: str, default: str = "") -> str:
    """The variable without surrounding blanks; `default` where it is unset or empty."""
    return str(_env.str(name, default="")).strip() or default


def integer(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number within [low, high]."""
    raw = text(name, str(default))
    try:
        value = int(raw)
    except ValueError:
        raise BadSettingError(name, f"is {raw!r}, not a whole number", str(default)) from None
    if not low <= value <= high:
        raise BadSettingError(name, f"is {value}, not within {low} to {high}", str(default))
    return value


def boolean(name: str, *, default: bool) -> bool:
    """true/false, yes/no, on/off or 1/0."""
    raw = text(name, str(default)).lower()
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise BadSettingError(name, f"is {raw!r}, neither true nor false", str(default).lower())


def choice(name: str, default: str, *, among: Sequence[str]) -> str:
    """One of a few words."""
    value = text(name, default).lower()
    if value not in among:
        raise BadSettingError(name, f"is {value!r}, none of {', '.join(among)}", default)
    return value


def log_level(name: str, default: str) -> str:
    """From which level on lines are written."""
    return choice(name, default, among=("debug", "info", "warning", "error", "critical"))


def quotas(name: str) -> dict[str, int]:
    """Numbers by name: `reads=6000,search=600`."""
    found: dict[str, int] = {}
    for part in listing(name):
        key, _, number = part.partition("=")
        if not number.strip().isdecimal() or int(number) < 1:
            raise BadSettingError(name, f"has {part!r}", "reads=6000,search=600")
        found[key.strip()] = int(number)
    return found


def listing(name: str, default: str = "") -> list[str]:
    """Comma-separated values."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def origins(name: str) -> list[str]:
    """Comma-separated origins of browsers: scheme and host, and nothing behind them."""
    found = listing(name)
    for origin in found:
        parts = urlsplit(origin)
        if not parts.scheme or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
            fault = f"has {origin!r}, which is no scheme and host alone"
            raise BadSettingError(name, fault, "https://shop.example,https://www.shop.example")
    return found


def processes() -> int:
    """WEB_CONCURRENCY, of the server; unset, one for each core. The embedded store has one."""
    wanted = integer("WEB_CONCURRENCY", available_cores(), low=1, high=1024)
    return wanted if text("MONGODB_URI") else 1


def threads() -> int:
    """WEB_THREADS, of each process; more than cores, for a request waits more than it computes."""
    return integer("WEB_THREADS", 8, low=1, high=1024)


def store_path() -> Path:
    """STORE_PATH, the file of the embedded store; a relative one is meant beside manage.py."""
    name, default = "STORE_PATH", ".data/store.sqlite3"
    path = BASE_DIR / text(name, default)
    if path.is_dir():
        raise BadSettingError(name, "is a folder, not a file", default)
    return path


def mongodb_uri() -> str:
    """MONGODB_URI, checked; empty means the embedded store."""
    example = "mongodb://127.0.0.1:27017/ecommerce"
    uri = text("MONGODB_URI")
    if not uri:
        return ""
    if not uri.startswith(("mongodb://", "mongodb+srv://")):
        raise BadSettingError("MONGODB_URI", "does not start with mongodb://", example)
    if uri.startswith("mongodb://"):  # an srv name is looked up only when it is used
        try:
            parse_uri(uri)
        except (PyMongoError, ValueError) as fault:
            # With a password in it, PyMongo may take half of that for a host, and say so.
            why = "write / : @ ? and % in its user and password as %2F %3A %40 %3F and %25"
            raise BadSettingError(
                "MONGODB_URI",
                f"is not a MongoDB address ({why if '@' in uri else fault})",
                example,
            ) from None
    return uri


def redis_url(name: str) -> str:
    """The address of a Redis, checked; empty where there is none."""
    url = text(name)
    if url and urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
        raise BadSettingError(name, "does not start with redis://", "redis://127.0.0.1:6379/0")
    return url


def currency() -> str:
    """The one currency of the shop, an ISO 4217 code."""
    code = text("CURRENCY", "USD").upper()
    if code not in {known.code for known in Currency if known.exponent is not None}:
        raise BadSettingError("CURRENCY", f"is {code!r}, not an ISO 4217 currency", "USD")
    return code


def breached_passwords_file() -> Path | None:
    """BREACHED_PASSWORDS_FILE, checked; None where no list is used."""
    name = "BREACHED_PASSWORDS_FILE"
    given, example = text(name), "/var/lib/shop/pwned-passwords-sha1-ordered-by-hash.txt"
    if not given:
        return None
    path = BASE_DIR / given
    try:
        with path.open("rb") as file:
            first = file.readline(100)
    except OSError as fault:
        raise BadSettingError(
            name, f"names a file that cannot be read ({fault.strerror})", example
        ) from None
    if not _SHA1_LINE.fullmatch(first.strip()):
        raise BadSettingError(name, "names a file that does not hold one SHA-1 a line", example)
    return path


def web_address(name: str, default: str) -> str:
    """The address of a page or a site, without a slash at its end."""
    value = text(name, default).rstrip("/")
    if not _host(value) or urlsplit(value).scheme not in {"http", "https"} or "#" in value:
        raise BadSettingError(name, "is not an address of the web", "https://shop.example")
    return value


def _host(address: str) -> str:
    """The host of an address as DNS and mail know it, in ASCII; empty where it names none."""
    try:
        return (urlsplit(address).hostname or "").encode("idna").decode()
    except ValueError:  # brackets that do not close, or a part that is too long once it is encoded
        return ""


def mail() -> dict[str, Any]:
    """EMAIL_URL as Django's EMAIL_* settings; unset, mails are printed (development)."""
    name, example = "EMAIL_URL", "smtp+tls://user:password@mail.shop.example:587"
    url = text(name, "consolemail://")
    port = _MAIL_PORTS.get(url.partition("://")[0])
    if port is None:  # the value is not shown: it may hold a password
        raise BadSettingError(name, f"does not start with one of {', '.join(_MAIL_PORTS)}", example)
    try:
        found = dict(environ.Env.email_url_config(url))
    except ValueError:
        raise BadSettingError(name, "has a port that is not a number", example) from None
    if port and not found["EMAIL_HOST"]:
        raise BadSettingError(name, "names no host", example)
    defaults = {"EMAIL_USE_TLS": False, "EMAIL_USE_SSL": False}
    return {**defaults, **found, "EMAIL_PORT": found["EMAIL_PORT"] or port}


def mail_from(app_name: str, public_url: str) -> str:
    """MAIL_FROM, the sender of every mail; unset, nobody at the host of the shop."""
    value = text("MAIL_FROM")
    if not value:
        return formataddr((app_name, f"no-reply@{_host(public_url)}"))
    if not parseaddr(value)[1].partition("@")[2]:
        raise BadSettingError("MAIL_FROM", "is not an email address", "Shop <shop@shop.example>")
    return value


def strong_secret(name: str) -> str:
    """A secret that is good enough to sign tokens with."""
    value = text(name)
    example = secrets.token_urlsafe(48)
    if not value:
        raise BadSettingError(name, "is not set", example)
    if _is_weak(value):
        fault = f"is weak or a default: at least {MIN_SECRET_LENGTH} random characters are needed"
        raise BadSettingError(name, fault, example)
    return value


def former_secrets(name: str) -> list[str]:
    """Comma-separated former secrets: what they signed is believed, so they are no weaker."""
    found = listing(name)
    for number, value in enumerate(found, start=1):
        if _is_weak(value):
            fault = f"has a weak key (number {number}): name former values of SECRET_KEY whole"
            raise BadSettingError(name, fault, secrets.token_urlsafe(48))
    return found


def _is_weak(value: str) -> bool:
    few = len(value) < MIN_SECRET_LENGTH or len(set(value)) < _DISTINCT_SECRET_CHARACTERS
    return few or value.startswith(("django-insecure-", "change-me"))


def secret_kept_in(path: Path) -> str:
    """SECRET_KEY, or for development one made once and kept, so tokens survive a restart."""
    if text("SECRET_KEY"):
        return strong_secret("SECRET_KEY")
    try:
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(64))
        return path.read_text(encoding="ascii").strip()
    except OSError as fault:
        raise BadSettingError(
            "STORE_PATH", f"is where no key can be kept ({path}: {fault.strerror})",
            ".data/store.sqlite3",
        ) from None  # fmt: skip


def _write_once(path: Path, content: str) -> None:
    """Make the file whole or not at all: of two processes that start at once, one's file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(content, encoding="ascii")
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
