"""The autoscaler's manifest drives real API servers by what a real Prometheus records of them.

In a time that passes faster, with fewer requests to a pod: see `tests.ops.scaled_shop`.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import RedisServer
from tests.ops.autoscaler import SYNC_SECONDS, Autoscaler, Reading
from tests.ops.conftest import needs
from tests.ops.fleet import eventually, manage
from tests.ops.production import HOST, production
from tests.ops.prometheus import prometheus
from tests.ops.scaled_shop import INTERVAL, LOAD, SCALE, SPEC, Clients, Pods, Shop, target_of

pytestmark = [pytest.mark.ops, pytest.mark.timeout(240)]

# --- the algorithm -------------------------------------------------------------------------------


def pods(rate: float, count: int, missing: int = 0) -> list[Reading]:
    """Requests a second at each of so many pods."""
    values = {f"api-{number}": rate for number in range(count)}
    return [Reading(target_of("Pods"), values, missing)]


def test_it_wants_as_many_pods_as_bring_each_to_its_target() -> None:
    aim = target_of("Pods")
    assert [reading.wants() for reading in pods(aim * 1.7, 2)] == [4]
    assert [reading.wants() for reading in pods(aim * 1.09, 2)] == [2]
    assert [reading.wants() for reading in pods(aim * 0.3, 4)] == [2]


def test_pods_that_say_nothing_yet_are_taken_to_need_little_while_it_grows() -> None:
    aim = target_of("Pods")
    assert [reading.wants() for reading in pods(aim * 1.7, 2, missing=2)] == [4]
    assert [reading.wants() for reading in pods(aim * 0.5, 2, missing=2)] == [3]


def test_an_unknown_metric_lets_it_grow_but_not_shrink() -> None:
    unknown, aim = Reading(60, {}), target_of("Pods")
    assert Autoscaler(SPEC).decide(0, 3, [*pods(aim * 1.5, 3), unknown]) == 4
    assert Autoscaler(SPEC).decide(0, 3, [*pods(aim * 0.1, 3), unknown]) == 3


def decided(rates: Callable[[float], float], *, until: float, spec: Any = SPEC) -> list[int]:
    """The number of pods at each look, for so many requests a second in all."""
    scaler, now, sizes = Autoscaler(spec), 0.0, [int(spec["minReplicas"])]
    while now < until:
        now += SYNC_SECONDS
        sizes.append(scaler.decide(now, sizes[-1], pods(rates(now) / sizes[-1], sizes[-1])))
    return sizes


def test_it_shrinks_five_minutes_after_the_last_need_by_one_pod_a_minute() -> None:
    aim = target_of("Pods")
    sizes = decided(lambda now: aim * (3.5 if now < 300 else 0.5), until=900)
    assert sizes[1] == 4
    shrinks = [
        (at + 1) * SYNC_SECONDS for at, (a, b) in enumerate(itertools.pairwise(sizes)) if b < a
    ]
    assert shrinks == [585 + 15, 585 + 75]
    assert sizes[-1] == 2


def test_a_load_that_goes_up_and_down_within_five_minutes_changes_nothing() -> None:
    aim = target_of("Pods")
    sizes = decided(lambda now: aim * (3.5 if now // 120 % 2 else 1.2), until=3600)
    assert sorted(set(sizes)) == [2, 4]
    assert sizes[sizes.index(4) :] == [4] * (len(sizes) - sizes.index(4))


def test_production_doubles_in_half_a_minute_and_stays_in_its_bounds() -> None:
    spec = {**SPEC, "minReplicas": 3, "maxReplicas": 80}
    aim = target_of("Pods")
    sizes = decided(lambda now: aim * 1000, until=150, spec=spec)
    assert sizes == [3, 7, 7, 14, 14, 28, 28, 56, 56, 80, 80]
    back = decided(lambda now: aim * (63 if now < 300 else 0), until=7200, spec=spec)
    assert max(back) == 63
    assert back[-1] == 3


# --- real servers --------------------------------------------------------------------------------


@pytest.fixture
def shop(wire_uri: str, redis: RedisServer, tmp_path: Path) -> Iterator[Shop]:
    """As many servers as the manifest has at least, ready and scraped, with a little to do."""
    needs("prometheus", package="prometheus")
    hosts = ",".join([HOST, *(f"127.0.1.{number + 1}" for number in range(SPEC["maxReplicas"]))])
    environment = production(mongodb=wire_uri, redis=redis.url, ALLOWED_HOSTS=hosts)
    environment |= {"WEB_CONCURRENCY": "1", "RATE_LIMITS": "reads=1000000"}
    manage(environment, "migrate")
    with ExitStack() as ends:
        found = ends.enter_context(prometheus(tmp_path, interval=INTERVAL, scale=SCALE))
        pods = Pods(found, environment)
        ends.callback(pods.end)
        pods.become(SPEC["minReplicas"])
        for server in pods.servers:
            eventually(server.ready, f"{server.base} is ready")
        pods.notice_ready()
        clients = Clients(pods)
        ends.callback(clients.end)
        eventually(lambda: len(pods.rates()) == SPEC["minReplicas"], "their rates are recorded")
        yield Shop(pods, clients)


def changes(sizes: list[int]) -> list[int]:
    """The sizes without repetitions."""
    return [size for size, _ in itertools.groupby(sizes)]


def test_real_servers_grow_under_a_step_of_load_do_not_flap_and_shrink_again(shop: Shop) -> None:
    aim = target_of("Pods") / LOAD
    quiet, step = aim * 0.7, aim * 3.4
    assert (SPEC["minReplicas"], SPEC["maxReplicas"]) == (2, 4)

    assert set(shop.goes_on(3, per_second=quiet)) == {2}, "little to do: as few as there may be"
    assert changes(shop.becomes(4, per_second=step)) in ([2, 3, 4], [2, 4]), "it grows at once"

    steady = shop.goes_on(4, per_second=step) + shop.goes_on(3, per_second=step * 1.1)
    assert set(steady) == {4}, "what it has is enough"
    assert set(shop.goes_on(6, per_second=quiet)) == {4}, "a moment without load takes none away"
    assert set(shop.goes_on(4, per_second=aim * 8)) == {4}, "no more than there may be"

    begun = len(shop.sizes)
    down = shop.becomes(2, per_second=quiet) + shop.goes_on(4, per_second=quiet)
    assert changes(down) == [4, 3, 2], "one by one, and no fewer than there must be"
    window = SPEC["behavior"]["scaleDown"]["stabilizationWindowSeconds"]
    waited = shop.looked_at[begun + down.index(3)] - shop.looked_at[begun]
    assert waited * SCALE >= window, "not before nobody has needed it for a while"
    shop.clients.end()
    assert set(shop.clients.statuses) == {200}, "nobody noticed"
    assert len(shop.clients.statuses) > 500
