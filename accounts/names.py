"""How usernames and addresses are compared: two spellings that look the same are the same."""

import unicodedata


def name_key(name: str) -> str:
    """The normalised form (NFKC, case folded) that is unique and searched."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).casefold())
