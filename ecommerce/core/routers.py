"""The router of every app."""

from rest_framework.routers import SimpleRouter


class OptionalSlashRouter(SimpleRouter):
    """Each route answers with and without its trailing slash, directly: a redirect loses a POST."""

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"
