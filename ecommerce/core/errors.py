"""Errors of the domain. Services raise them; `problems.py` alone turns them into HTTP answers."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

MAX_FAULTS: Final = 1000
"""Faults that one answer lists; a body of 1 MiB has room for 100,000."""


class DomainError(Exception):
    """A request that the rules of the shop refuse.

    Subclasses set `code` (stable, for programs), `status` (HTTP) and `title` (short, for people).
    `detail` says what happened and what to do next; `members` are extra fields of the problem.
    `retry_after` are the seconds of a `Retry-After` header, where waiting helps.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "The request was refused"
    default_detail: ClassVar[str] = "The request was refused."
    retry_after: int | None = None

    def __init__(self, detail: str | None = None, **members: Any) -> None:
        self.detail = detail or self.default_detail
        self.members = members
        super().__init__(self.detail)


def domain_titles() -> dict[tuple[int, str], str]:
    """The titles of all errors of the domain that are loaded, by status and code."""
    found, waiting = dict[tuple[int, str], str](), [DomainError]
    while waiting:
        error = waiting.pop()
        found[error.status, error.code] = error.title
        waiting += error.__subclasses__()
    return found


def pointer_to(name: str | int) -> str:
    """The JSON pointer to a member or an item (RFC 6901)."""
    return f"/{str(name).replace('~', '~0').replace('/', '~1')}"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of the input: where (a JSON pointer, RFC 6901), which kind, and what to do."""

    pointer: str
    code: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        """The member of `errors` in the problem document."""
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail}


class ValidationFailedError(DomainError):
    """The input is well-formed but breaks a rule; every fault is listed."""

    code = "validation_error"
    status = 400
    title = "The input is not valid"
    default_detail = "The input is not valid: see `errors` for each field."

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(errors=[error.as_dict() for error in errors])


class NotFoundError(DomainError):
    """The thing does not exist, or is not the caller's: the two look the same on purpose."""

    code = "not_found"
    status = 404
    title = "Not found"
    default_detail = "There is nothing at this address, or it is not yours."


class UnsupportedConditionError(DomainError):
    """A write comes with a condition that no write looks at; to pass it over may do harm."""

    code = "unsupported_condition"
    status = 400
    title = "A condition that no write looks at"

    def __init__(self, header: str) -> None:
        super().__init__(
            f"A write looks at no `{header}`: leave it out, or name in `If-Match` the ETag that "
            "you have read."
        )


class PreconditionFailedError(DomainError):
    """`If-Match` names another version than the stored one."""

    code = "precondition_failed"
    status = 412
    title = "The version has changed"
    default_detail = (
        "The resource has changed since you read it: read it again and repeat your change."
    )


class StoreUnavailableError(DomainError):
    """The database did not answer in time."""

    code = "store_unavailable"
    status = 503
    title = "The database does not answer"
    retry_after = 2
    default_detail = "The database does not answer at the moment. Try again in a few seconds."
