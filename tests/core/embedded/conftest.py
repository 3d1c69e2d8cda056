"""An embedded store of a test's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecommerce.core.embedded import EmbeddedMongoClient, open_embedded_client


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def client(path: Path) -> Iterator[EmbeddedMongoClient]:
    opened = open_embedded_client(path)
    yield opened
    opened.close()


@pytest.fixture
def things(client: EmbeddedMongoClient) -> Any:
    return client["shop"]["things"]
