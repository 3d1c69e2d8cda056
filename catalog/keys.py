"""How text becomes keys that an index finds by equality: words, their beginnings, brands, tags.

Case and accents are folded. A word is a run of letters and digits; its first MAX_WORD characters
count. A beginning of a word is stored as a key of its own, so that a search is an equality on an
index that also gives the order of the list, and user text is never a regular expression.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from django.utils.text import slugify

MAX_WORD: Final = 32
"""Characters of a word that count."""
SLUG_PATTERN: Final = "^[a-z0-9]+(-[a-z0-9]+)*$"
"""Lower-case words joined by hyphens, for addresses of pages."""
MAX_PRODUCT_SLUG: Final = 200
"""Characters."""
_SLUG: Final = re.compile(SLUG_PATTERN)
_MAX_NAME_KEY: Final = 200
"""Characters: folding makes up to 18 of one, and cursors hold a name's key."""

_MAX_SHORT_SLUG: Final = 90
"""Characters: a category's slug has at most 100."""


def words(text: str) -> list[str]:
    """The folded words of a text, in order: "Crème-Brûlée 2" is creme, brulee, 2."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    runs = ("".join(run) for is_word, run in groupby(plain, key=str.isalnum) if is_word)
    return [run[:MAX_WORD] for run in runs]


def slug_of(text: str) -> str:
    """A slug made of a text; of a text without any Latin letter or digit, a digest of it."""
    made = slugify(text.replace("_", " "))
    return made or f"c-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"


def may_be_product_slug(text: str) -> bool:
    """Whether a product may have this slug; none need have it."""
    return len(text) <= MAX_PRODUCT_SLUG and _SLUG.fullmatch(text) is not None


def short_slug_of(text: str) -> str:
    """A slug that a category may have, with room for a number behind it. Of a longer one, its
    beginning and a digest of all of it: texts that begin alike have others."""
    slug = slug_of(text)
    if len(slug) <= _MAX_SHORT_SLUG:
        return slug
    digest = hashlib.blake2b(slug.encode(), digest_size=4).hexdigest()
    return f"{slug[: _MAX_SHORT_SLUG - len(digest) - 1].strip('-')}-{digest}"


def name_key(name: str) -> str:
    """What names are sorted by, and what a search compares with the beginning of a name."""
    return (" ".join(words(name)) or name.casefold())[:_MAX_NAME_KEY]


def sku_key(sku: str) -> str:
    """A whole sku, in any case."""
    return f"sku:{unicodedata.normalize('NFKC', sku).casefold()}"


def brand_key(brand: str) -> str:
    """A brand, exactly as it is written."""
    return f"brand:{brand}"


def tag_key(tag: str) -> str:
    """A tag, exactly as it is written."""
    return f"tag:{tag}"


def search_keys(
    *, name: str, brand: str | None, tags: Iterable[str], skus: Iterable[str]
) -> list[str]:
    """Every key that finds a product, sorted."""
    tags, skus = list(tags), list(skus)
    texts = [name, brand or "", *tags, *skus]
    found = {start for text in texts for word in words(text) for start in _beginnings(word)}
    found.update(map(tag_key, tags))
    found.update(map(sku_key, skus))
    if brand:
        found.add(brand_key(brand))
    return sorted(found)


def _beginnings(word: str) -> Iterator[str]:
    return (word[:end] for end in range(1, len(word) + 1))
