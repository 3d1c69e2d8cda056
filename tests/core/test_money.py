"""Money is whole minor units; on the wire it prints back the same decimal."""

import json
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecommerce.core.money import MAX_MINOR, AmountError, as_text, major_units, to_major, to_minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("19.99", "USD", 1999), ("5", "USD", 500), ("500", "JPY", 500), ("1.234", "KWD", 1234)],
)
def test_an_amount_becomes_minor_units_of_its_currency(
    amount: str, currency: str, minor: int
) -> None:
    assert to_minor(Decimal(amount), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "fault"),
    [
        ("1.999", "USD", "has more than the 2 decimals of USD"),
        ("19.99" + "0" * 26 + "1", "USD", "has more than the 2 decimals of USD"),
        ("0.5", "JPY", "has more than the 0 decimals of JPY"),
        ("-0.01", "USD", "is negative"),
        ("100000000", "USD", "is larger than 99999999.99 USD"),
        ("1e400", "USD", "is larger than 99999999.99 USD"),
        ("NaN", "USD", "is not a finite number"),
        ("Infinity", "USD", "is not a finite number"),
    ],
)
def test_what_cannot_be_a_price_says_why(amount: str, currency: str, fault: str) -> None:
    with pytest.raises(AmountError, match=fault):
        to_minor(Decimal(amount), currency)


@given(minor=st.integers(0, MAX_MINOR * 100 * 999), currency=st.sampled_from(["USD", "JPY", "KWD"]))
def test_every_amount_of_the_largest_cart_is_exact_on_the_wire(minor: int, currency: str) -> None:
    wire = orjson.dumps({"amount": to_major(minor, currency)})
    amount = json.loads(wire, parse_float=Decimal, parse_int=Decimal)["amount"]
    assert amount == Decimal(as_text(minor, currency))


@given(minor=st.integers(0, MAX_MINOR), currency=st.sampled_from(["USD", "JPY", "KWD"]))
def test_a_price_goes_out_and_comes_back_the_same(minor: int, currency: str) -> None:
    assert to_minor(Decimal(as_text(minor, currency)), currency) == minor


@pytest.mark.parametrize(("currency", "amount"), [("USD", 19.99), ("JPY", 1999), ("KWD", 1.999)])
def test_many_amounts_of_one_currency_are_made_as_one_is(
    currency: str, amount: int | float
) -> None:
    many = [major_units(currency)(minor) for minor in (1999, 0)]

    assert many == [amount, 0]
    assert many == [to_major(1999, currency), to_major(0, currency)]
    assert type(many[0]) is type(amount)
