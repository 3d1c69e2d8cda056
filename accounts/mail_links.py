"""The one-time tokens that stand in mails, and the links that carry them."""

import hashlib
import secrets


def new_token() -> str:
    """256 random bits, as they may stand in an address."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def link(page: str, token: str) -> str:
    """The address of a page of the front end, with the token for it.

    The token stands behind `#`: a browser sends that part to no server and in no Referer.
    """
    return f"{page}#token={token}"
