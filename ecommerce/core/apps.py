"""The shared kernel as a Django app: its commands, checks and schema extensions."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Holds what every app needs and imports none of them."""

    name = "ecommerce.core"
    label = "core"

    def ready(self) -> None:
        """Make documents and queries known to the index command; there is no SQL database."""
        from ecommerce.core import documents
        from ecommerce.core.idempotency.invariants import CHECKED
        from ecommerce.core.idempotency.query_shapes import QUERY_SHAPES
        from ecommerce.core.idle_handlers import disconnect_idle_handlers
        from ecommerce.core.invariants import Checked, register
        from ecommerce.core.rate_limits import check_quotas
        from ecommerce.core.request_metrics import count_busy_threads

        self.documents_module = documents
        register(*CHECKED, Checked(documents.DataMigrationRecord))
        self.query_shapes = QUERY_SHAPES
        disconnect_idle_handlers()
        check_quotas()
        count_busy_threads()
