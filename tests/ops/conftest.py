"""Real balancers, caches and containers. What is missing skips with its reason; in CI it fails."""

import shutil
from collections.abc import Iterator

import pytest

from tests.live.conftest import missing, redis, wire_uri
from tests.ops.containers import Containers, ContainersUnavailableError, running_containers

__all__ = ["needs", "redis", "wire_uri"]


def needs(*commands: str, package: str) -> None:
    """Skip, or fail in CI, where a command of a Debian package is not installed."""
    absent = [command for command in commands if shutil.which(command) is None]
    if absent:
        missing(f"{' and '.join(absent)} not found: apt-get install {package}")


@pytest.fixture(scope="session")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """A Docker daemon: the one that runs here, or one of our own that ends with the tests."""
    try:
        with running_containers(tmp_path_factory.mktemp("docker")) as found:
            yield found
    except ContainersUnavailableError as fault:
        missing(str(fault))
