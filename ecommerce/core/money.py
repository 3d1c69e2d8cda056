"""Money as whole minor units (cents of USD, yen of JPY) of an ISO 4217 currency. Never a float.

On the wire a price is a JSON number in major units. With at most MAX_MINOR minor units a price, and
a cart of 100 lines of 999, every amount has at most 15 significant digits, and a binary double
holds each of those exactly enough to print back the same decimal (IEEE 754 guarantees 15).
"""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Final

from iso4217 import Currency

MAX_MINOR: Final = 9_999_999_999
"""The highest price, in minor units: 99,999,999.99 USD."""


class AmountError(ValueError):
    """The amount cannot be a price; the message says why."""


@lru_cache(maxsize=256)
def decimals(currency: str) -> int:
    """How many decimal places the currency has (ISO 4217): 2 for USD, 0 for JPY, 3 for KWD."""
    return int(Currency(currency).exponent or 0)


def to_minor(amount: Decimal, currency: str) -> int:
    """Minor units of an amount in major units: 19.99 USD is 1999.

    Raises:
        AmountError: not finite, negative, too large, or with more decimals than the currency has.
    """
    if not amount.is_finite():
        raise AmountError("is not a finite number")
    places = decimals(currency)
    if amount.adjusted() > len(str(MAX_MINOR)):  # before scaling: 1e400 would be a huge integer
        raise AmountError(_too_large(currency))
    minor = int(amount.scaleb(places))
    if Decimal(minor).scaleb(-places) != amount:  # scaled, it has 28 digits at most
        raise AmountError(f"has more than the {places} decimals of {currency}")
    if minor < 0:
        raise AmountError("is negative")
    if minor > MAX_MINOR:
        raise AmountError(_too_large(currency))
    return minor


def to_major(minor: int, currency: str) -> int | float:
    """The JSON number in major units: 1999 in USD is 19.99, 500 in JPY is 500."""
    return major_units(currency)(minor)


@lru_cache(maxsize=256)
def major_units(currency: str) -> Callable[[int], int | float]:
    """The same for many amounts of one currency, each in a third of the time."""
    scale = 10 ** decimals(currency)
    return (lambda minor: minor) if scale == 1 else (lambda minor: minor / scale)


def as_text(minor: int, currency: str) -> str:
    """The amount with all its decimals, for people and files: `19.90`."""
    places = decimals(currency)
    return f"{Decimal(minor).scaleb(-places):.{places}f}"


def _too_large(currency: str) -> str:
    return f"is larger than {as_text(MAX_MINOR, currency)} {currency}"
