"""Real balancers, caches and containers. What is missing skips with its reason; in CI it fails."""

import shutil
from collections.abc import Iterator

import pytest

from tests.live.conftest import RedisServer, missing, redis, wire_uri
from tests.ops.containers import Containers, ContainersUnavailableError, running_containers
from tests.ops.fleet import Fleet, fleet, manage
from tests.ops.linked_shop import LinkedShop, running_shop
from tests.ops.production import production

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


@pytest.fixture(scope="module")
def module_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for all servers."""
    needs("redis-server", "redis-cli", package="redis-server")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def servers(
    wire_uri: str, module_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """Three servers of production on one MongoDB and one Redis."""
    needs("dnsmasq", package="dnsmasq-base")
    quotas = "reads=1000000,writes=1000000,registration=1000,login-address=12"
    environment = production(mongodb=wire_uri, redis=module_redis.url, RATE_LIMITS=quotas)
    manage(environment, "migrate")
    manage(environment, "seed", "--products", "20")
    with fleet(tmp_path_factory.mktemp("fleet"), environment, 3) as running:
        yield running


@pytest.fixture(scope="session")
def linked_shop(wire_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinkedShop]:
    """A server whose MongoDB and Redis a test can take away."""
    needs("redis-server", "redis-cli", package="redis-server")
    cache = RedisServer(tmp_path_factory.mktemp("redis"))
    try:
        with running_shop(wire_uri, cache) as shop:
            yield shop
    finally:
        cache.stop()
