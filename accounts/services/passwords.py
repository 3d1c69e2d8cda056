"""What a password must be, and how it is checked."""

from typing import Final

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from ecommerce.core.errors import FieldError, ValidationFailedError

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 128
"""Characters. Longer ones only cost hashing time."""


def hashed(password: str, *, username: str, email: str, pointer: str = "/password") -> str:
    """The hash of a password that meets the rules (AUTH_PASSWORD_VALIDATORS and MAX_LENGTH).

    Raises:
        ValidationFailedError: every rule it breaks.
    """
    if len(password) > MAX_LENGTH:
        fault = f"A password has at most {MAX_LENGTH} characters."
        raise ValidationFailedError(FieldError(pointer, "password_too_long", fault))
    try:
        # Never stored: the similarity validator asks for a model instance to compare with.
        validate_password(password, User(username=username, email=email))
    except ValidationError as problem:
        raise ValidationFailedError(
            *(
                FieldError(pointer, str(fault.code), " ".join(fault.messages))
                for fault in problem.error_list
            )
        ) from None
    return make_password(password)


def matches(password: str, stored_hash: str | None) -> tuple[bool, str | None]:
    """Whether the password is right, and a new hash where the stored one has old parameters.

    Takes the same time when there is nothing to compare with, so that nobody learns who exists.
    """
    if len(password) > MAX_LENGTH:  # no stored password is that long
        password, stored_hash = password[:MAX_LENGTH], None
    if stored_hash is None:
        make_password(password)
        return False, None
    rehashed: list[str] = []
    right = check_password(
        password, stored_hash, setter=lambda p: rehashed.append(make_password(p))
    )
    return right, rehashed[0] if rehashed else None
