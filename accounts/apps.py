"""Accounts: who may sign in, and how."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users and tokens."""

    name = "accounts"

    def ready(self) -> None:
        """Make the documents known to the index command."""
        from accounts import documents

        self.documents_module = documents
