"""Accounts: who may sign in, and how."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users and tokens."""

    name = "accounts"

    def ready(self) -> None:
        """Make documents and their rules known."""
        from accounts import documents
        from accounts.invariants import CHECKED
        from ecommerce.core.invariants import register

        self.documents_module = documents
        register(*CHECKED)
