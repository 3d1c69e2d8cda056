"""Shopping carts."""

from django.apps import AppConfig


class CartsConfig(AppConfig):
    """Carts and their lines."""

    name = "carts"

    def ready(self) -> None:
        """Make documents, queries and rules known; carts are part of what a user has."""
        from accounts.lifecycle import on_user_deleted, on_user_exported
        from carts import documents, selectors
        from carts.invariants import CHECKED
        from carts.query_shapes import QUERY_SHAPES
        from carts.services import ShoppingCartService
        from ecommerce.core.invariants import register

        self.documents_module = documents
        register(*CHECKED)
        self.query_shapes = QUERY_SHAPES
        on_user_deleted(ShoppingCartService.delete_all_of)
        on_user_exported("shopping_carts", selectors.stored_carts_of)
        on_user_exported("open_carts", selectors.stored_open_carts_of)
