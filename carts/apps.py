"""Shopping carts."""

from django.apps import AppConfig


class CartsConfig(AppConfig):
    """Carts and their lines."""

    name = "carts"

    def ready(self) -> None:
        """Make the documents known to the index command; carts go when their user goes."""
        from accounts.lifecycle import on_user_deleted
        from carts import documents
        from carts.services import ShoppingCartService

        self.documents_module = documents
        on_user_deleted(ShoppingCartService.delete_all_of)
