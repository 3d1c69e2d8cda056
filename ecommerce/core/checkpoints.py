"""Places between the steps of a write where a test may end the process. Nothing else uses them."""

from django.conf import settings


def checkpoint(name: str) -> None:
    """Tell the test that the write has come this far; in the product nobody listens.

    Args:
        name: the step that is over, as `idempotency.claimed`.
    """
    if settings.CHECKPOINT is not None:
        settings.CHECKPOINT(name)
