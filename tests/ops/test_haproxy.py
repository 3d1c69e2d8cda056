"""The real HAProxy with docker/haproxy/haproxy.cfg before three API servers found by DNS."""

import http.client
import json
import secrets
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.live.conftest import RedisServer
from tests.live.server import ROOT, Reply, free_port
from tests.ops.conftest import needs
from tests.ops.fleet import NAME, Edge, Fleet, Signed, eventually, number_in
from tests.ops.origins import Origin, origins
from tests.ops.production import HOST

pytestmark = [pytest.mark.ops, pytest.mark.timeout(300)]
CONFIG: Final = ROOT / "docker" / "haproxy" / "haproxy.cfg"


class HAProxy(Edge):
    """HAProxy as the image starts it; its log in a file."""

    def __init__(self, folder: Path, *, dns_port: int, api_port: int) -> None:
        port, self.metrics_port = free_port(), free_port()
        self._log = folder / f"haproxy-{port}.log"
        environment = {
            "API_HOST": NAME, "API_PORT": str(api_port), "DNS_SERVER": f"127.0.0.1:{dns_port}",
            "SHOP_HOST": HOST, "HTTP_BIND": f"127.0.0.1:{port}",
            "METRICS_BIND": f"127.0.0.1:{self.metrics_port}",
        }  # fmt: skip
        shell = f"exec haproxy -db -f {CONFIG} > {self._log} 2>&1"
        super().__init__(["sh", "-c", shell], environment, port)

    def up(self, backend: str = "ready") -> int:
        """How many servers pass the checks of a backend."""
        address = f"127.0.0.1:{self.metrics_port}"
        try:
            connection = http.client.HTTPConnection(address, timeout=5)
            connection.request("GET", "/metrics")
            page = connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return 0
        return int(number_in(page, f'haproxy_backend_active_servers{{proxy="{backend}"}}'))

    def wait_for(self, count: int) -> None:
        """Wait until so many servers pass both kinds of checks."""
        eventually(lambda: {self.up(), self.up("alive")} == {count}, f"{count} servers are up")

    def log(self) -> list[dict[str, Any]]:
        """One entry for each request."""
        lines = self._log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture
def shop(servers: Fleet, module_redis: RedisServer, tmp_path: Path) -> Iterator[HAProxy]:
    """HAProxy before the three, and no request counted yet."""
    needs("haproxy", package="haproxy")
    flush = ["redis-cli", "-p", str(module_redis.port), "flushall"]
    subprocess.run(flush, check=True, capture_output=True)
    balancer = HAProxy(tmp_path, dns_port=servers.names.port, api_port=servers.port)
    try:
        balancer.wait_for(3)
        yield balancer
    finally:
        balancer.end()


def a_product(shop: HAProxy) -> str:
    """The id of a product with plenty of stock, or of the one that has most."""
    items = shop.ask("GET", "/products/?limit=100").json()["items"]
    best = max(items, key=lambda item: item["quantity"])
    return str(best["id"])


def test_the_configuration_is_valid() -> None:
    needs("haproxy", package="haproxy")
    check = ["haproxy", "-c", "-f", str(CONFIG)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (done.returncode, "WARNING" in done.stderr) == (0, False), done.stderr


def test_requests_are_spread_over_all_servers(shop: HAProxy) -> None:
    assert {shop.ask("GET", "/livez").status for _ in range(60)} == {200}
    eventually(lambda: len(shop.log()) >= 60, "the log is written")
    counts = Counter(entry["shop.server"] for entry in shop.log())
    assert len(counts) == 3
    assert min(counts.values()) >= 15, counts


def test_a_token_of_one_server_is_good_at_all(shop: HAProxy, servers: Fleet) -> None:
    customer = shop.customer(f"alice-{secrets.token_hex(4)}")
    token = f"Bearer {customer.token}"
    own = [
        server.send("GET", "/users/me", Host=HOST, Authorization=token)
        for server in servers.servers
    ]
    assert [reply.status for reply in own] == [200, 200, 200]
    assert len({reply.json()["id"] for reply in own}) == 1


def wrong_login(shop: HAProxy, number: int, **headers: Any) -> int:
    form = {"username": f"nobody-{number}", "password": "wrong-password"}
    return shop.send("POST", "/token", form=form, Host=HOST, **headers).status


def test_a_limit_counts_at_all_servers_together(shop: HAProxy) -> None:
    assert [wrong_login(shop, number) for number in range(15)] == [400] * 12 + [429] * 3


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "X_Real_IP"])
def test_an_invented_address_gives_no_further_guesses(shop: HAProxy, header: str) -> None:
    def guess(number: int) -> int:
        value = f"for=198.51.100.{number}" if header == "Forwarded" else f"198.51.100.{number}"
        return wrong_login(shop, number, **{header: value})

    assert [guess(number) for number in range(15)] == [400] * 12 + [429] * 3


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/metrics/", "/metrics?x=1", "/%6detrics", "/METRICS", "//metrics", "/metrics%2f"],
)
def test_metrics_are_refused(shop: HAProxy, path: str) -> None:
    reply = shop.ask("GET", path)
    assert (reply.status, reply.json()["code"]) == (403, "permission_denied")
    assert reply.headers["content-type"] == "application/problem+json"


def test_one_request_id_stands_in_answer_and_log(shop: HAProxy) -> None:
    given = shop.ask("GET", "/livez", X_Request_ID="a-well-formed-id")
    made = shop.ask("GET", "/metrics", X_Request_ID="no good")
    assert given.headers["x-request-id"] == "a-well-formed-id"
    ids = ["a-well-formed-id", made.headers["x-request-id"]]
    eventually(lambda: [entry["http.request.id"] for entry in shop.log()] == ids, "both logged")
    assert len(ids[1]) == 36


def test_a_server_that_dns_names_later_is_used_and_a_removed_one_is_not(
    shop: HAProxy, servers: Fleet
) -> None:
    servers.add()
    servers.announce()
    shop.wait_for(4)
    servers.remove_last()
    shop.wait_for(3)
    assert {shop.ask("GET", "/livez").status for _ in range(12)} == {200}


@dataclass
class Load:
    """Clients that read and write without a pause, until told to stop."""

    shop: HAProxy
    product: str
    carts: list[tuple[Signed, str]]
    reads: Counter[str] = field(default_factory=Counter)
    posts: list["Poster"] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Three readers, and a writer for each cart: every second one with Idempotency-Keys."""
        self.posts = [
            Poster(signed, cart, self.product, keyed=number % 2 == 0)
            for number, (signed, cart) in enumerate(self.carts)
        ]
        works: list[Callable[[], None]] = [self._read] * 3
        works += [self._repeat(poster.post) for poster in self.posts]
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join(30)
                assert not thread.is_alive()

    def _repeat(self, work: Callable[[], None]) -> Callable[[], None]:
        def repeat() -> None:
            while not self.stopped.is_set():
                work()

        return repeat

    def _read(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.shop.port, timeout=20)
        while not self.stopped.is_set():
            try:
                connection.request("GET", f"/products/{self.product}", headers={"Host": HOST})
                answer = connection.getresponse()
                answer.read()
                self.reads[str(answer.status)] += 1
            except (OSError, http.client.HTTPException) as fault:
                self.reads[repr(fault)] += 1
                connection.close()
            time.sleep(0.005)


@dataclass
class Poster:
    """Adds one piece after the other to a cart of its own."""

    signed: Signed
    cart: str
    product: str
    keyed: bool
    answers: Counter[int] = field(default_factory=Counter)

    def post(self) -> None:
        """One piece. With a key it is asked for until it is answered; without, once."""
        headers = {"Idempotency_Key": secrets.token_hex(16)} if self.keyed else {}
        for _ in range(50):
            status = self._send(headers)
            self.answers[status] += 1
            if not self.keyed or status in {200, 201}:
                break
            time.sleep(0.2)
        time.sleep(0.2)  # the stock has to last

    def _send(self, headers: dict[str, str]) -> int:
        body = {"product_id": self.product, "quantity": 1}
        try:
            reply = self.signed.ask("POST", f"{self.cart}/items", body, **headers)
        except OSError:
            return 0
        return reply.status

    @property
    def done(self) -> int:
        """How many adds were answered as done."""
        return self.answers[200] + self.answers[201]

    @property
    def unsure(self) -> int:
        """How many were not answered by the API."""
        return self.answers.total() - self.done

    def pieces(self) -> int:
        """What the cart holds."""
        total: int = self.signed.ask("GET", self.cart).json()["total_quantity"]
        return total


@pytest.fixture
def load(shop: HAProxy) -> Load:
    """Clients with carts of their own."""
    carts = []
    for number in range(4):
        signed = shop.customer(f"buyer{number}-{secrets.token_hex(4)}")
        cart = signed.ask("POST", "/shopping-carts/", {}).json()["id"]
        carts.append((signed, f"/shopping-carts/{cart}"))
    return Load(shop, a_product(shop), carts)


def nothing_was_lost_or_done_twice(load: Load) -> None:
    assert set(load.reads) == {"200"}, load.reads
    assert load.reads["200"] > 100
    for poster in load.posts:
        assert poster.done > 5, poster.answers
        if poster.keyed:
            assert poster.pieces() == poster.done
        else:
            assert poster.done <= poster.pieces() <= poster.done + poster.unsure


def test_a_rolling_restart_under_load_fails_no_read_and_does_no_write_twice(
    shop: HAProxy, servers: Fleet, load: Load
) -> None:
    with load.running():
        for server in servers.servers:
            assert server.end() == 0
            server.start()
            shop.wait_for(3)
    nothing_was_lost_or_done_twice(load)
    assert [poster.unsure for poster in load.posts] == [0, 0, 0, 0]


def test_a_server_killed_under_load_fails_no_read_and_no_write_is_done_twice(
    shop: HAProxy, servers: Fleet, load: Load
) -> None:
    with load.running():
        time.sleep(1)
        servers.servers[0].kill()
        time.sleep(3)
        servers.servers[0].start()
        shop.wait_for(3)
    nothing_was_lost_or_done_twice(load)


@pytest.fixture
def vanishing(tmp_path: Path) -> Iterator[tuple[HAProxy, list[Origin]]]:
    """HAProxy before servers that take a request and close without an answer."""
    needs("haproxy", package="haproxy")
    needs("dnsmasq", package="dnsmasq-base")
    with origins(tmp_path, 3) as (names, found):
        balancer = HAProxy(tmp_path, dns_port=names.port, api_port=found[0].port)
        try:
            balancer.wait_for(3)
            yield balancer, found
        finally:
            balancer.end()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_that_gets_no_answer_is_not_sent_again(
    vanishing: tuple[HAProxy, list[Origin]], method: str
) -> None:
    shop, found = vanishing
    reply = shop.ask(method, "/vanish", None if method == "DELETE" else {})
    assert (reply.status, reply.json()["code"]) == (502, "bad_gateway")
    assert sum(origin.seen["/vanish"] for origin in found) == 1


def test_a_read_that_gets_no_answer_is_sent_to_another(
    vanishing: tuple[HAProxy, list[Origin]],
) -> None:
    shop, found = vanishing
    found[0].vanishes = found[1].vanishes = True
    found[2].vanishes = False
    assert {shop.ask("GET", "/vanish").status for _ in range(6)} == {200}
    assert found[2].seen["/vanish"] == 6


def test_without_a_ready_server_one_that_is_alive_answers(
    vanishing: tuple[HAProxy, list[Origin]],
) -> None:
    shop, found = vanishing
    for origin in found:
        origin.ready = False
    eventually(lambda: shop.up() == 0, "no server is ready")
    assert shop.ask("GET", "/products/").status == 200


def test_without_any_server_the_answer_is_a_problem(
    vanishing: tuple[HAProxy, list[Origin]],
) -> None:
    shop, found = vanishing
    for origin in found:
        origin.end()
    eventually(lambda: shop.up("alive") == 0, "no server is alive")
    reply: Reply = shop.ask("GET", "/products/")
    assert (reply.status, reply.json()["code"]) == (503, "no_server")
    assert (reply.headers["retry-after"], len(reply.headers["x-request-id"])) == ("2", 36)
