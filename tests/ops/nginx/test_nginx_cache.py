"""The real nginx with our template: its cache, and what it must never keep."""

import gzip
import json
import re
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.ops.fleet import Fleet, eventually
from tests.ops.nginx.edge import PUBLIC, Nginx, Told, asked, came, kept_for, promote

pytestmark = [pytest.mark.ops, pytest.mark.timeout(300)]


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


# --- no server -----------------------------------------------------------------------------------


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
