"""What can be wrong with an `Idempotency-Key`."""

from ecommerce.core.errors import DomainError


class MalformedKeyError(DomainError):
    """The header cannot be a key."""

    code = "invalid_idempotency_key"
    status = 400
    title = "The Idempotency-Key is not valid"
    default_detail = (
        "An Idempotency-Key is 1 to 255 visible ASCII characters: make a random one, such as a "
        "UUID, for each thing that shall happen once."
    )


class GuessableKeyError(MalformedKeyError):
    """Too short for a caller whom nothing but the address tells from others."""

    default_detail = (
        "Without signing in, and without an X-Cart-Token, an Idempotency-Key needs at least 16 "
        "characters that nobody can guess: others behind your address could send the same. Make a "
        "random one, such as a UUID."
    )


class KeyReusedError(DomainError):
    """The key came with another request before."""

    code = "idempotency_key_reused"
    status = 422
    title = "The Idempotency-Key belongs to another request"
    default_detail = (
        "This key was sent with another path, query or body in the last 24 hours. Repeat that "
        "request as it was, or send this one with a new key."
    )


class OperationInProgressError(DomainError):
    """The same request is being worked on at this moment."""

    code = "operation_in_progress"
    status = 409
    title = "The same request is under way"
    default_detail = (
        "A request with this Idempotency-Key is being worked on. Send it again, with the same key, "
        "after the seconds in Retry-After."
    )

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after
