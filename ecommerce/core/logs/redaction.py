"""What no line may hold: credentials, and addresses of people.

Loggers of ours are written so that nothing of the kind reaches them. This is the second line, for
what libraries, tracebacks and clients put into texts.
"""

import re
from typing import Final
from urllib.parse import unquote_plus

_SHOWN: Final = frozenset(
    {
        "available", "brand", "category", "count", "currency", "dry_run", "facets", "fields",
        "format", "in_stock", "limit", "max_price", "min_price", "on_duplicate", "ordering",
        "role", "status", "tag",
    }
)  # fmt: skip
"""Parameters of a query string whose values say nothing about a person."""
_NAME: Final = re.compile(r"[a-z_]{1,24}", re.ASCII)
"""What a parameter of ours looks like. Anything else was made up, and may be a secret itself."""
_LONGEST_QUERY: Final = 512
_SCHEME: Final = re.compile(r"\b(Bearer|Api-Key|Basic)[ +]+[^\s'\",;]+", re.IGNORECASE)
_IN_ADDRESS: Final = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s'\"]*@", re.IGNORECASE)
_JWT: Final = re.compile(r"(?<![\w-])eyJ[\w-]{4,}\.[\w.-]+", re.ASCII)
_RANDOM: Final = re.compile(
    r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{40,}", re.ASCII
)
"""256 random bits in base64: refresh tokens, API keys, links of mails, cart tokens."""
_EMAIL: Final = re.compile(r"[\w.+'-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})+")


def redacted(text: str) -> str:
    """The text without what looks like a credential or the address of a mailbox."""
    if "://" in text:
        text = _IN_ADDRESS.sub(r"\1[secret]@", text)
    text = _SCHEME.sub(r"\1 [secret]", text)
    text = _RANDOM.sub("[secret]", _JWT.sub("[secret]", text))
    return _EMAIL.sub("[email]", text) if "@" in text or "%40" in text else text


def redacted_query(query: str) -> str:
    """A query string with the values of harmless parameters alone, and no parameter made up."""
    shown = (_redacted_pair(part) for part in query[:_LONGEST_QUERY].split("&") if part)
    return "&".join(filter(None, shown))


def _redacted_pair(pair: str) -> str:
    name, _, value = pair.partition("=")
    if not _NAME.fullmatch(name):
        return ""
    return f"{name}={redacted(unquote_plus(value))}" if name in _SHOWN else f"{name}=[redacted]"
