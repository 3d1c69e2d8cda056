"""What a password must be, and how it is checked."""

import unicodedata
from typing import Final

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from ecommerce.core.errors import FieldError, ValidationFailedError

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 128
"""Characters as typed. Longer ones only cost hashing time."""


def normalised(password: str) -> str:
    """The form that is hashed: NFKC, so that the keyboard does not decide (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def same(one: str, other: str) -> bool:
    """Whether the two are one password, however they were typed."""
    return normalised(one) == normalised(other)


def hashed(password: str, *, username: str, email: str, pointer: str = "/password") -> str:
    """The hash of a password that meets the rules (AUTH_PASSWORD_VALIDATORS and MAX_LENGTH).

    Raises:
        ValidationFailedError: every rule it breaks.
    """
    if len(password) > MAX_LENGTH:
        fault = f"A password has at most {MAX_LENGTH} characters."
        raise ValidationFailedError(FieldError(pointer, "password_too_long", fault))
    canonical = normalised(password)
    try:
        # Never stored: the similarity validator asks for a model instance to compare with.
        validate_password(canonical, User(username=username, email=email))
    except ValidationError as problem:
        raise ValidationFailedError(
            *(
                FieldError(pointer, str(fault.code), " ".join(fault.messages))
                for fault in problem.error_list
            )
        ) from None
    return make_password(canonical)


def matches(password: str, stored_hash: str | None) -> tuple[bool, str | None]:
    """Whether the password is right, and a new hash where the stored one is out of date.

    Out of date are other parameters, and hashes from before passwords were normalised: those are
    of the password as it was typed. Takes the same time when there is nothing to compare with, so
    that nobody learns who exists.
    """
    canonical = normalised(password)
    if min(len(password), len(canonical)) > MAX_LENGTH:  # no stored password is that long
        password = canonical = password[:MAX_LENGTH]
        stored_hash = None
    for spelling in dict.fromkeys((canonical, password)):
        if stored_hash is None:
            make_password(spelling)
            continue
        outdated: list[str] = []
        if check_password(spelling, stored_hash, setter=outdated.append):
            renew = bool(outdated) or spelling != canonical
            return True, make_password(canonical) if renew else None
    return False, None
