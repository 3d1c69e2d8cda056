"""Why a data migration did not run to its end."""


class MigrationError(Exception):
    """The message says what is wrong and what to do."""


class MigrationFailedError(MigrationError):
    """A row could not be changed."""

    def __init__(self, label: str, fault: str) -> None:
        super().__init__(
            f"Data migration {label} has failed: {fault}. What it did before stays. Mend the row "
            "or the migration, then run manage.py migrate again: it goes on from there."
        )


class MigrationBusyError(MigrationError):
    """Another process has been at it for longer than we wait."""

    def __init__(self, label: str, seconds: float) -> None:
        super().__init__(
            f"Another process is still at data migration {label} after {seconds:.0f} s. Let it "
            "finish, or run this again with a longer --wait."
        )
