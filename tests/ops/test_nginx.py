"""The real nginx with docker/nginx/nginx.conf.template: its cache, and what it must never keep."""

import gzip
import http.client
import json
import re
import secrets
import select
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Template
from typing import Any, Final

import pytest

from tests.live.server import ROOT, Reply, free_port
from tests.ops.conftest import needs
from tests.ops.fleet import NAME, PASSWORD, Edge, Fleet, Signed, eventually, manage
from tests.ops.origins import Origin, origins
from tests.ops.production import HOST

pytestmark = [pytest.mark.ops, pytest.mark.timeout(300)]
TEMPLATE: Final = ROOT / "docker" / "nginx" / "nginx.conf.template"
PUBLIC: Final = "public, max-age=0, s-maxage=30, stale-while-revalidate=60"


class Nginx(Edge):
    """nginx as the image starts it; its log in a file."""

    def __init__(self, folder: Path, *, dns_port: int, api_port: int) -> None:
        port, self.status_port = free_port(), free_port()
        self._log = folder / "nginx.log"
        variables = {
            "API_HOST": NAME, "API_PORT": str(api_port), "DNS_SERVER": f"127.0.0.1:{dns_port}",
            "HTTP_LISTEN": f"127.0.0.1:{port}", "STATUS_LISTEN": f"127.0.0.1:{self.status_port}",
            "STATE_FOLDER": str(folder), "CACHE_SIZE": "100m",
        }  # fmt: skip
        config = folder / "nginx.conf"
        config.write_text(Template(TEMPLATE.read_text()).safe_substitute(variables))
        self.start = f"exec nginx -c {config} -g 'daemon off; user root;'"
        super().__init__(["sh", "-c", f"{self.start} >> {self._log} 2>&1"], {}, port)
        eventually(self._serves, "nginx serves")

    def _serves(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.status_port, timeout=5)
        try:
            connection.request("GET", "/livez")
        except OSError:
            return False
        return connection.getresponse().status == 200

    def end(self) -> None:
        """Stop it, its workers with it."""
        self.process.terminate()
        self.process.wait()

    def log(self) -> list[dict[str, Any]]:
        """One entry for each request."""
        lines = self._log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture
def shop(servers: Fleet, tmp_path: Path) -> Iterator[Nginx]:
    """nginx before three real API servers, with an empty cache."""
    needs("nginx", package="nginx-light")
    edge = Nginx(tmp_path, dns_port=servers.names.port, api_port=servers.port)
    yield edge
    edge.end()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[tuple[Nginx, list[Origin]]]:
    """nginx before three servers that do as they are told."""
    needs("nginx", package="nginx-light")
    needs("dnsmasq", package="dnsmasq-base")
    with origins(tmp_path, 3) as (names, found):
        edge = Nginx(tmp_path, dns_port=names.port, api_port=found[0].port)
        yield edge, found
        edge.end()


Told = tuple[Nginx, list[Origin]]


def kept_for(found: list[Origin], control: str, **headers: str) -> None:
    """What the servers say of their answers."""
    for origin in found:
        origin.headers = {"Cache-Control": control, **headers}


def asked(found: list[Origin], path: str) -> int:
    """How often the servers were asked for a path."""
    return sum(origin.seen[path] for origin in found)


def came(reply: Reply) -> str | None:
    """How the cache says that the answer came about."""
    return reply.headers.get("cache-status")


@pytest.fixture
def product(shop: Nginx) -> str:
    """The path of a product."""
    items = shop.ask("GET", "/products/?limit=100").json()["items"]
    return f"/products/{max(items, key=lambda item: item['quantity'])['id']}"


def promote(servers: Fleet, shop: Nginx, name: str) -> Signed:
    """A new user with the rights of staff."""
    shop.customer(name)
    manage(servers.environment, "users", "promote", name)
    form = {"username": name, "password": PASSWORD}
    return Signed(shop, shop.send("POST", "/token", form=form, Host=HOST).json()["access_token"])


# --- what is kept --------------------------------------------------------------------------------


def test_a_second_reader_is_answered_from_the_cache(shop: Nginx, product: str) -> None:
    first, second = shop.ask("GET", product), shop.ask("GET", product)
    assert (came(first), came(second)) == ("edge; fwd=uri-miss", "edge; hit")
    assert first.body == second.body
    assert first.headers["etag"] == second.headers["etag"] != ""


def test_an_answer_has_its_own_request_id_and_a_hit_nobodys_limits(
    shop: Nginx, product: str
) -> None:
    first, second = shop.ask("GET", product), shop.ask("GET", product, X_Request_ID="mine-and-only")
    assert "ratelimit" in {name.lower() for name in first.headers}
    assert {"ratelimit", "ratelimit-policy"}.isdisjoint(name.lower() for name in second.headers)
    assert second.headers["x-request-id"] == "mine-and-only"
    assert re.fullmatch("[0-9a-f]{32}", first.headers["x-request-id"])


def test_who_has_the_answer_already_gets_a_304_from_the_cache(shop: Nginx, product: str) -> None:
    tag = shop.ask("GET", product).headers["etag"]
    again = shop.ask("GET", product, If_None_Match=tag)
    assert (again.status, again.body, came(again)) == (304, b"", "edge; hit")
    assert shop.ask("GET", product, If_None_Match='"v999"').status == 200


def test_a_head_is_answered_from_what_a_get_left(shop: Nginx, product: str) -> None:
    get, head = shop.ask("GET", product), shop.ask("HEAD", product)
    assert (head.status, head.body, came(head)) == (200, b"", "edge; hit")
    assert head.headers["etag"] == get.headers["etag"]


def test_an_error_is_kept_for_nobody(shop: Nginx) -> None:
    path = f"/products/{secrets.token_hex(12)}"
    assert [shop.ask("GET", path).status for _ in range(2)] == [404, 404]
    assert came(shop.ask("GET", path)) == "edge; fwd=uri-miss"


def test_a_change_is_seen_by_who_is_signed_in_at_once_and_by_others_when_it_has_expired(
    shop: Nginx, servers: Fleet, product: str
) -> None:
    staff = promote(servers, shop, f"staff-{secrets.token_hex(4)}")
    was = shop.ask("GET", product).json()
    began, name = time.monotonic(), f"Renamed {secrets.token_hex(4)}"
    assert staff.ask("PATCH", product, {"name": name}).status == 200
    assert staff.ask("GET", product).json()["name"] == name
    assert shop.ask("GET", product).json()["name"] == was["name"]  # for at most 30 s, and one more

    def is_new() -> bool:
        return bool(shop.ask("GET", product).json()["name"] == name)

    eventually(is_new, "the change is seen", 40)
    assert 25 < time.monotonic() - began < 36


# --- what is private -----------------------------------------------------------------------------


def test_two_users_never_see_each_others_answers(shop: Nginx) -> None:
    alice, bob = (shop.customer(f"{name}-{secrets.token_hex(4)}") for name in ("alice", "bob"))
    cart = alice.ask("POST", "/shopping-carts/", {}).json()["id"]
    for path in ("/users/me", "/shopping-carts/", "/products/?limit=1"):
        answers = [user.ask("GET", path) for user in (alice, bob, alice, bob)]
        assert {answer.status for answer in answers} == {200}, path
        assert {came(answer) for answer in answers} == {None}, path
        assert "private" in answers[0].headers["cache-control"], path
        assert (answers[0].body == answers[1].body) is path.startswith("/products"), path
    assert alice.ask("GET", f"/shopping-carts/{cart}").status == 200
    assert bob.ask("GET", f"/shopping-carts/{cart}").status == 404
    assert shop.ask("GET", f"/shopping-carts/{cart}").status in {401, 404}
    assert shop.ask("GET", "/users/me").status == 401


def test_a_guests_cart_is_for_who_has_its_token(shop: Nginx) -> None:
    guest = shop.ask("POST", "/shopping-carts/", {}).json()
    path = f"/shopping-carts/{guest['id']}"
    assert shop.ask("GET", path, X_Cart_Token=guest["cart_token"]).status == 200
    assert shop.ask("GET", path).status in {401, 404}
    assert shop.ask("GET", path, X_Cart_Token="another").status in {401, 404}


@pytest.mark.parametrize("header", ["Authorization", "X_Cart_Token", "Cookie"])
@pytest.mark.parametrize("value", ["Bearer abc", "0"])
def test_who_says_who_they_are_passes_the_cache_by_whatever_the_answer_allows(
    told: Told, header: str, value: str
) -> None:
    shop, found = told
    kept_for(found, PUBLIC)
    with_name = [shop.ask("GET", "/products/", **{header: value}) for _ in range(2)]
    assert [came(reply) for reply in with_name] == [None, None]
    assert asked(found, "/products/") == 2
    shop.ask("GET", "/products/")
    assert asked(found, "/products/") == 3  # nothing of theirs was kept
    shop.ask("GET", "/products/", **{header: value})
    assert asked(found, "/products/") == 4  # nor do they get what is kept


@pytest.mark.parametrize("path", ["/users/", "/shopping-carts/1", "/productsx", "/"])
def test_nothing_but_the_catalog_is_kept_whatever_an_answer_allows(told: Told, path: str) -> None:
    shop, found = told
    kept_for(found, PUBLIC)
    assert [came(shop.ask("GET", path)) for _ in range(2)] == [None, None]
    assert asked(found, path) == 2


@pytest.mark.parametrize("control", ["private, no-cache", "no-store", "max-age=0"])
def test_what_the_api_does_not_allow_is_not_kept(told: Told, control: str) -> None:
    shop, found = told
    kept_for(found, control)
    for _ in range(2):
        shop.ask("GET", "/products/")
    assert asked(found, "/products/") == 2


def test_an_answer_that_sets_a_cookie_is_not_kept(told: Told) -> None:
    shop, found = told
    kept_for(found, PUBLIC, **{"Set-Cookie": "session=1"})
    for _ in range(2):
        shop.ask("GET", "/products/")
    assert asked(found, "/products/") == 2


def test_hosts_and_queries_are_kept_apart(told: Told) -> None:
    shop, found = told
    kept_for(found, PUBLIC)
    for path in ("/products/?a=1", "/products/?a=2", "/products/?a=1"):
        shop.ask("GET", path)
    shop.send("GET", "/products/?a=1", Host="another.shop.example")
    assert asked(found, "/products/") == 3


# --- many at once --------------------------------------------------------------------------------


def at_once(shop: Nginx, count: int, path: str) -> Counter[str | None]:
    """So many readers; how their answers came about."""
    with ThreadPoolExecutor(count) as pool:
        replies = list(pool.map(lambda _: shop.ask("GET", path), range(count)))
    assert {reply.status for reply in replies} == {200}
    return Counter(came(reply) for reply in replies)


def test_of_50_who_ask_for_what_is_not_kept_one_reaches_a_server(told: Told) -> None:
    shop, found = told
    kept_for(found, PUBLIC, Vary="Accept, Authorization, Cookie, origin")
    for origin in found:
        origin.delay = 1.0
    assert at_once(shop, 50, "/products/")["edge; fwd=uri-miss"] == 1
    assert asked(found, "/products/") == 1


def test_of_50_who_ask_for_what_has_expired_one_reaches_a_server_and_the_others_do_not_wait(
    told: Told,
) -> None:
    shop, found = told
    kept_for(
        found, "public, s-maxage=1, stale-while-revalidate=60",
        Vary="Accept, Authorization, Cookie, origin",
    )  # fmt: skip
    shop.ask("GET", "/products/")
    time.sleep(2.1)
    for origin in found:
        origin.delay = 5.0
    began = time.monotonic()
    assert at_once(shop, 50, "/products/") == {"edge; hit; detail=stale": 50}
    assert time.monotonic() - began < 4
    assert asked(found, "/products/") == 2


def test_what_is_older_than_it_may_be_stale_is_not_given(told: Told) -> None:
    shop, found = told
    kept_for(found, "public, s-maxage=1, stale-while-revalidate=1")
    shop.ask("GET", "/products/")
    time.sleep(3.1)
    assert came(shop.ask("GET", "/products/")) == "edge; fwd=stale"
    assert asked(found, "/products/") == 2


def test_what_has_expired_is_asked_for_with_its_tag(told: Told) -> None:
    shop, found = told
    kept_for(found, "public, s-maxage=1", ETag='"v7"')
    shop.ask("GET", "/products/")
    time.sleep(2.1)
    shop.ask("GET", "/products/")
    tags = {origin.heard["/products/"]["If-None-Match"] for origin in found if origin.heard}
    assert '"v7"' in tags


# --- compression ---------------------------------------------------------------------------------


def test_answers_are_compressed_here_and_the_api_is_not_asked_to(told: Told) -> None:
    shop, found = told
    reply = shop.ask("GET", "/openapi.json", Accept_Encoding="gzip")
    assert reply.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(reply.body))["padding"] == "x" * 2000
    assert "Accept-Encoding" in reply.headers["vary"]
    (heard,) = (origin.heard["/openapi.json"] for origin in found if origin.heard)
    assert heard["Accept-Encoding"] is None
    assert "content-encoding" not in shop.ask("GET", "/openapi.json").headers


def test_one_kept_answer_serves_who_reads_gzip_and_who_does_not(told: Told) -> None:
    shop, found = told
    kept_for(found, PUBLIC, ETag='"v7"')
    zipped = shop.ask("GET", "/products/", Accept_Encoding="gzip")
    plain = shop.ask("GET", "/products/")
    assert gzip.decompress(zipped.body) == plain.body
    assert (zipped.headers["etag"], plain.headers["etag"]) == ('W/"v7"', '"v7"')
    assert asked(found, "/products/") == 1


def test_who_changes_what_was_read_compressed_is_understood(
    shop: Nginx, servers: Fleet, product: str
) -> None:
    staff = promote(servers, shop, f"staff-{secrets.token_hex(4)}")
    long = {"description": "A good thing. " * 200}
    assert staff.ask("PATCH", product, long).status == 200
    tag = staff.ask("GET", product, Accept_Encoding="gzip").headers["etag"]
    assert tag.startswith('W/"v')
    assert staff.ask("GET", product, If_None_Match=tag, Accept_Encoding="gzip").status == 304
    assert staff.ask("PATCH", product, {"name": "Renamed"}, If_Match=tag).status == 200
    assert staff.ask("PATCH", product, {"name": "Again"}, If_Match=tag).status == 412
    assert staff.ask("GET", product).json()["name"] == "Renamed"


# --- what is passed on ---------------------------------------------------------------------------


def test_what_a_client_says_of_its_address_is_not_passed_on(told: Told) -> None:
    shop, found = told
    invented = {
        "X_Forwarded_For": "198.51.100.1", "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "evil.example", "X_Real_IP": "198.51.100.1",
        "Forwarded": "for=198.51.100.1",
    }  # fmt: skip
    for method in ("GET", "POST", "DELETE"):
        shop.ask(method, "/users/", **invented)
        (heard,) = (origin.heard.pop("/users/") for origin in found if origin.heard)
        assert heard.get_all("X-Forwarded-For") == ["127.0.0.1"]
        assert heard.get_all("X-Forwarded-Proto") == ["http"]
        assert (heard["Forwarded"], heard["X-Real-IP"], heard["X-Forwarded-Host"]) == (None,) * 3
        assert heard["Host"] == HOST


def test_an_invented_address_gives_no_further_guesses(shop: Nginx) -> None:
    def guess(number: int) -> int:
        form = {"username": f"nobody-{number}", "password": "wrong-password"}
        address = f"198.51.100.{number}"
        return shop.send("POST", "/token", form=form, Host=HOST, X_Forwarded_For=address).status

    answers = [guess(number) for number in range(15)]
    assert answers[-1] == 429, answers


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/metrics/", "/metrics?x=1", "/%6detrics", "/METRICS", "//metrics", "/metrics%2f"],
)
def test_metrics_are_refused(shop: Nginx, path: str) -> None:
    for method in ("GET", "POST"):
        reply = shop.ask(method, path)
        assert (reply.status, reply.json()["code"]) == (403, "permission_denied")
        assert reply.headers["content-type"] == "application/problem+json"


def test_one_request_id_stands_in_answer_log_and_at_the_server(told: Told) -> None:
    shop, found = told
    given = shop.ask("GET", "/users/", X_Request_ID="a-well-formed-id")
    made = shop.ask("GET", "/metrics", X_Request_ID="no good")
    ids = [given.headers["x-request-id"], made.headers["x-request-id"]]
    assert ids[0] == "a-well-formed-id" != ids[1]
    # Each worker writes by itself: in any order.
    eventually(
        lambda: sorted(entry["http.request.id"] for entry in shop.log()) == sorted(ids),
        "both logged",
    )
    (heard,) = (origin.heard["/users/"] for origin in found if origin.heard)
    assert heard.get_all("X-Request-ID") == ["a-well-formed-id"]


def test_the_log_has_no_query(told: Told) -> None:
    shop, _ = told
    shop.ask("GET", "/products/?search=private")
    eventually(lambda: len(shop.log()) == 1, "it is logged")
    assert "private" not in json.dumps(shop.log())


def test_a_line_of_the_log_comes_within_two_seconds_and_none_is_lost_at_the_end(told: Told) -> None:
    shop, _ = told
    shop.ask("GET", "/products/")
    eventually(lambda: len(shop.log()) == 1, "it is logged", seconds=2)
    shop.ask("GET", "/products/")
    shop.end()
    assert len(shop.log()) == 2


def test_lines_are_written_together_only_as_far_as_a_pipe_keeps_them_whole() -> None:
    (kib,) = re.findall(r"(?m)^ *access_log .* buffer=(\d+)k flush=1s;$", TEMPLATE.read_text())
    assert int(kib) * 1024 <= select.PIPE_BUF


# --- servers that end ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_that_gets_no_answer_is_not_sent_again(told: Told, method: str) -> None:
    shop, found = told
    reply = shop.ask(method, "/vanish", None if method == "DELETE" else {})
    assert (reply.status, reply.json()["code"]) == (502, "bad_gateway")
    assert len(reply.headers["x-request-id"]) == 32
    assert asked(found, "/vanish") == 1


def test_a_read_that_gets_no_answer_is_sent_to_another(told: Told) -> None:
    shop, found = told
    found[0].vanishes = found[1].vanishes = True
    found[2].vanishes = False
    assert {shop.ask("GET", "/vanish").status for _ in range(6)} == {200}
    assert found[2].seen["/vanish"] == 6


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_a_server_that_refuses_the_connection_has_seen_nothing_and_another_is_asked(
    told: Told, method: str
) -> None:
    shop, found = told
    found[0].end()
    body: object = None if method == "GET" else {}
    assert {shop.ask(method, "/users/", body).status for _ in range(12)} == {200}
    assert asked(found, "/users/") == 12


def test_a_server_that_dns_names_later_is_used(tmp_path: Path) -> None:
    needs("nginx", package="nginx-light")
    needs("dnsmasq", package="dnsmasq-base")
    with origins(tmp_path, 2) as (names, found):
        names.answer([found[0].address])
        edge = Nginx(tmp_path, dns_port=names.port, api_port=found[0].port)
        try:
            assert edge.ask("GET", "/users/").status == 200
            names.answer([found[1].address])
            eventually(_reaches(edge, found[1]), "the new server is asked", 10)
        finally:
            edge.end()


def _reaches(edge: Nginx, origin: Origin) -> Callable[[], bool]:
    return lambda: edge.ask("GET", "/users/").status == 200 and origin.seen["/users/"] > 0


def test_with_no_server_kept_answers_go_out_while_they_may_be_stale_and_else_a_problem(
    told: Told,
) -> None:
    shop, found = told
    kept_for(found, "public, s-maxage=1, stale-while-revalidate=60")
    shop.ask("GET", "/products/")
    for origin in found:
        origin.end()
    time.sleep(2.1)
    assert came(shop.ask("GET", "/products/")) == "edge; hit; detail=stale"
    refused = shop.ask("GET", "/categories/")
    assert (refused.status, refused.json()["code"]) == (502, "bad_gateway")
    assert refused.headers["cache-control"] == "no-store"


# --- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/users/", 1_048_576, 200),
        ("/users/", 1_200_000, 413),
        ("/products/imports", 50_000_000, 200),
        ("/products/imports/", 54_000_000, 413),
    ],
)
def test_bodies_are_taken_up_to_what_the_api_reads(
    told: Told, path: str, size: int, status: int
) -> None:
    shop, _ = told
    reply = shop.send("POST", path, raw=bytes(size), Host=HOST, Content_Type="text/csv")
    assert reply.status == status
    if status == 413:
        assert reply.json()["code"] == "body_too_large"


def test_the_configuration_is_valid(told: Told) -> None:
    shop, _ = told
    check = subprocess.run(
        ["sh", "-c", f"{shop.start} -t"], capture_output=True, text=True, check=False
    )
    assert (check.returncode, "warn" in check.stderr) == (0, False), check.stderr
