"""SIGTERM under load: no request is lost, with a caller that asks /readyz as a balancer does.

Behind the real balancers: test_haproxy.py and nginx/.
"""

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.ops.fleet import eventually
from tests.ops.linked_shop import DRAIN_SECONDS, LinkedShop
from tests.ops.production import HOST
from tests.ops.shoppers import Crowd, Seen

pytestmark = [pytest.mark.ops, pytest.mark.wire, pytest.mark.redis, pytest.mark.timeout(240)]


@pytest.fixture
def ending(linked_shop: LinkedShop) -> Iterator[LinkedShop]:
    """A shop that a test ends; it opens again for the next one."""
    yield linked_shop
    linked_shop.server.kill()
    linked_shop.server.start()
    eventually(linked_shop.server.ready, "the shop is open again")


def stop_when_told(shop: LinkedShop, crowd: Crowd) -> None:
    """What a balancer does: it asks each second, and a server that is not ready gets no more."""
    time.sleep(1)
    while shop.server.send("GET", "/readyz", Host=HOST).status == 200:
        time.sleep(1)
    crowd.stop()


def test_sigterm_under_load_loses_no_request(ending: LinkedShop) -> None:
    crowd = ending.crowd()
    with crowd.running():
        time.sleep(2)
        told = time.monotonic()
        ending.server.process.send_signal(signal.SIGTERM)
        stop_when_told(ending, crowd)
    assert ending.server.process.wait(timeout=30) == 0
    assert time.monotonic() - told >= DRAIN_SECONDS

    assert {seen.status for seen in crowd.seen} <= {200, 201}, Counter(
        (seen.status, str(seen.body)[:80]) for seen in crowd.seen
    )
    assert len(crowd.seen) > 50
    assert crowd.between(told, told + 30), "some came after the signal, and were answered"

    ending.server.start()
    eventually(ending.server.ready, "the shop is open again")
    for shopper in crowd.shoppers:
        assert shopper.added[True] == shopper.pieces()


def test_what_is_under_way_when_the_server_ends_is_answered(ending: LinkedShop) -> None:
    crowd = ending.crowd()
    answers: list[Seen] = []
    adds = [
        threading.Thread(target=lambda one=shopper: answers.append(one.add()))
        for shopper in crowd.shoppers
    ]
    with ending.mongodb.slow(0.8):  # an add takes three operations
        ending.server.process.send_signal(signal.SIGTERM)
        time.sleep(DRAIN_SECONDS - 1.5)
        for add in adds:
            add.start()
        assert ending.server.process.wait(timeout=30) == 0
        for add in adds:
            add.join()
    assert [seen.status for seen in answers] == [201] * len(adds)
    assert min(seen.seconds for seen in answers) > 0.8
