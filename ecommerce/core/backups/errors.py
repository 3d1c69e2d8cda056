"""Why a backup or a restore was not done."""


class BackupError(Exception):
    """The message says what is wrong and what to do. What was stored before is as it was."""
