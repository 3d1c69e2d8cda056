"""What every peer shares: where the data is, how tokens are signed, what a page is."""

import os
from datetime import timedelta
from typing import Any, Final

import jwt

MONGODB_URI: Final = os.environ.get("MONGODB_URI", "mongodb://127.0.0.1:27017")
DATABASE: Final = "bench_peers"
SECRET: Final = "benchmarks-only-" + "0123456789abcdef" * 3
PAGE: Final = 20
MAX_LINES: Final = 100
MAX_QUANTITY: Final = 999
LIFETIME: Final = timedelta(days=90)
OBJECT_ID: Final = "^[0-9a-fA-F]{24}$"
"""The rules of carts, as ours has them: an add does the same work everywhere. It checks the body,
the user's state, the expiry, whether the product is for sale and in stock, and both limits; a line
remembers name and price of the moment; the answer says what has changed since."""


def sign(user_id: str) -> str:
    """An access token."""
    return jwt.encode({"sub": user_id}, SECRET, algorithm="HS256")


def user_id_of(header: str) -> str | None:
    """The user that a bearer header names."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        claims: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        return None
    return str(claims["sub"])
