"""The real nginx with our template: what it passes on, sends again and writes down."""

import json
import re
import select
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ops.conftest import needs
from tests.ops.fleet import eventually
from tests.ops.nginx.edge import TEMPLATE, Nginx, Told, asked
from tests.ops.origins import Origin, origins
from tests.ops.production import HOST

pytestmark = [pytest.mark.ops, pytest.mark.timeout(300)]


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
