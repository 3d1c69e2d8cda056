"""Shortcuts on the way of each request change its cost and nothing else."""

import os
import re
import subprocess
import sys

import pytest
from django.test import RequestFactory
from django.urls import URLResolver, get_resolver, resolve
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from catalog.documents import ProductRow
from ecommerce.core.negotiation import PlainFirstNegotiation
from ecommerce.core.renderers import BrowsableRenderer, ORJSONRenderer
from tests.client import Answer, ApiClient, Person

RENDERERS = [ORJSONRenderer(), BrowsableRenderer()]


@pytest.mark.parametrize(
    "accept",
    [
        "*/*", "application/json", "application/json; indent=2", "text/html", "application/*",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/*, */*;q=0.1",
    ],
)  # fmt: skip
def test_negotiation_chooses_as_drf_does(accept: str) -> None:
    request = Request(RequestFactory().get("/products/", HTTP_ACCEPT=accept))
    chosen = PlainFirstNegotiation().select_renderer(request, RENDERERS)
    by_drf = DefaultContentNegotiation().select_renderer(request, RENDERERS)
    assert chosen == by_drf


def test_an_empty_accept_header_asks_for_anything() -> None:
    request = Request(RequestFactory().get("/products/", HTTP_ACCEPT=""))
    chosen = PlainFirstNegotiation().select_renderer(request, RENDERERS)
    assert chosen == (RENDERERS[0], "application/json")


def test_what_nobody_can_make_is_refused_as_before() -> None:
    request = Request(RequestFactory().get("/products/", HTTP_ACCEPT="image/png"))
    with pytest.raises(NotAcceptable):
        PlainFirstNegotiation().select_renderer(request, RENDERERS)


def test_no_handler_looks_for_sql_connections() -> None:
    script = (
        "import django; django.setup()\n"
        "from django.core.signals import request_finished, request_started\n"
        "for signal in (request_started, request_finished):\n"
        "    print(*sorted(one.__name__ for one in signal._live_receivers(None)[0]))\n"
    )
    # In a process of its own: Django's test client connects the handlers again.
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    started, finished = (set(line.split()) for line in ran.stdout.split("\n")[:2])
    assert started == {"_began"}, "the count of busy threads, and none of Django's"
    assert finished - {"reset_urlconf"} == {"_ended"}, "reset_urlconf is the handler's own"


@pytest.mark.parametrize("redis", ["", "redis://127.0.0.1:1/0"], ids=["memory", "Redis"])
def test_no_cache_has_anything_to_close_after_a_request(redis: str) -> None:
    script = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "from django.core.cache import caches\n"
        "from django.core.cache.backends.base import BaseCache\n"
        "from django_redis.client import DefaultClient\n"
        "DefaultClient.do_close_clients = lambda self: print('closed')\n"
        "for name in settings.CACHES:\n"
        "    cache = caches[name]\n"
        "    if type(cache).close is BaseCache.close:\n"
        "        print('nothing to close')\n"
        "    else:\n"
        "        cache.client; cache.close(); print('kept open')\n"
    )
    environ = {**os.environ, "REDIS_URL": redis, "RATE_LIMIT_REDIS_URL": ""}
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environ
    )
    shared = "kept open" if redis else "nothing to close"
    assert ran.stdout.splitlines() == [shared, shared, shared, "nothing to close"]


def test_answers_say_what_they_vary_by(anyone: ApiClient, alice: Person, lamp: ProductRow) -> None:
    def varies(answer: Answer) -> list[str]:
        return [name for name in answer.headers["Vary"].split(", ") if name != "Cookie"]

    cart = alice.api.post("/shopping-carts/", {})

    assert varies(anyone.get(f"/products/{lamp['_id']}")) == ["Accept", "Authorization", "origin"]
    assert varies(cart) == ["Accept", "Authorization", "X-Cart-Token", "origin"]


def test_an_empty_query_string_means_the_same_each_time(
    anyone: ApiClient, lamp: ProductRow
) -> None:
    first, again = anyone.get("/products/"), anyone.get("/products/")
    with_default = anyone.get("/products/?limit=20")
    assert first.body == again.body == with_default.body
    assert [row["id"] for row in first["items"]] == [str(lamp["_id"])]


def test_a_query_that_needs_a_parameter_is_refused_each_time(anyone: ApiClient) -> None:
    for _ in range(2):
        answer = anyone.get("/products/suggest")
        assert answer.outcome == (400, "validation_error")
        assert answer.pointers == ["/q"]


def test_every_route_of_an_app_is_among_the_addresses_that_the_project_gives_it() -> None:
    apps = [one for one in get_resolver().url_patterns if isinstance(one, URLResolver)]
    for app in apps:
        for route in app.url_patterns:
            example = re.sub(r"[(]\?P<\w+>[^)]*[)]", "x", str(route.pattern)).removeprefix("^")
            address = f"{app.pattern}{example.removesuffix('/?$')}"
            assert resolve(f"/{address}").view_name == resolve(f"/{address}/").view_name
    assert len(apps) == 4, "catalog, carts, accounts, and signing in to the pages for people"


@pytest.mark.parametrize("address", ["/shop", "/productsx", "/x/products/", "/shopping-cartsx"])
def test_an_address_that_only_looks_like_an_apps_is_none(address: str, anyone: ApiClient) -> None:
    assert anyone.get(address).outcome == (404, "not_found")
