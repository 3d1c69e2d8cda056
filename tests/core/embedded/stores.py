"""A store that is opened again, as a process does that starts."""

from pathlib import Path

from ecommerce.core.embedded import EmbeddedMongoClient, open_embedded_client


def reopened(client: EmbeddedMongoClient, path: Path) -> EmbeddedMongoClient:
    """What is in the file."""
    client.close()
    return open_embedded_client(path)
