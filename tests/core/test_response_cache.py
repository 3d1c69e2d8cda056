"""Answers that are kept: a write is seen by the next read, and many who wait make one read."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId
from django.core.cache import caches

from catalog import selectors
from catalog.documents import CategoryRow, Product, ProductRow
from catalog.services import CategoryService, ProductService
from catalog.topics import product_topic
from ecommerce.core.mongo import collection
from ecommerce.core.response_cache import changed
from ecommerce.core.response_cache.stored import Stored, seconds_left, unpack
from ecommerce.core.response_cache.topics import CACHE, changed_since, generations
from tests.client import ApiClient, Person
from tests.operations import recorded

PUBLIC = ("/products/{id}", "/products/desk-lamp", "/products/", "/products/facets",
          "/products/suggest?q=l", "/categories/", "/categories/{category}",
          "/categories/{category}/products")  # fmt: skip


@pytest.fixture(autouse=True)
def _caches_on(settings: Any) -> None:
    """What is kept is what these tests are about, whatever the run says."""
    settings.RESPONSE_CACHE = "full"


@pytest.fixture
def addresses(
    make_category: Callable[..., CategoryRow], make_product: Callable[..., ProductRow]
) -> list[str]:
    category = make_category("home")["slug"]
    product = make_product(category=category, slug="desk-lamp")
    return [a.format(id=product["_id"], category=category) for a in PUBLIC]


def test_the_second_reader_of_any_public_answer_costs_no_read(
    addresses: list[str], anyone: ApiClient
) -> None:
    for address in addresses:
        first = anyone.get(address)
        with recorded() as seen:
            second = anyone.get(address)
        assert (seen, second.status) == ([], 200)
        assert second.body == first.body
        assert second.headers["ETag"] == first.headers["ETag"]


def test_a_customer_gets_the_same_bytes_as_a_private_answer(
    lamp: ProductRow, anyone: ApiClient, alice: Person
) -> None:
    path = f"/products/{lamp['_id']}"
    public, own = anyone.get(path), alice.api.get(path)
    assert own.body == public.body
    assert own.headers["Cache-Control"] == "private, no-cache"
    assert public.headers["Cache-Control"].startswith("public,")


@pytest.fixture
def written_long_ago(addresses: list[str]) -> list[str]:
    """`Last-Modified` counts whole seconds, so it is said once the second of the write is over."""
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    collection(Product).update_many({}, {"$set": {"updated_at": moment}})
    return addresses


def test_what_everyone_may_see_is_for_shared_caches_and_says_what_it_depends_on(
    addresses: list[str], anyone: ApiClient
) -> None:
    for address in addresses:
        for _ in range(2):
            headers = anyone.get(address).headers
            assert headers["Cache-Control"] == (
                "public, max-age=0, s-maxage=30, stale-while-revalidate=60"
            )
            varies = headers["Vary"].lower().split(", ")
            assert {"accept", "authorization"} <= set(varies), address


def test_what_staff_sees_is_for_no_shared_cache(addresses: list[str], sam: Person) -> None:
    for address in addresses:
        assert sam.api.get(address).headers["Cache-Control"] == "private, no-cache"


def test_last_modified_is_the_last_write_and_answers_304_until_the_next(
    written_long_ago: list[str], anyone: ApiClient, sam: Person
) -> None:
    path = written_long_ago[0]
    stamp = "Wed, 04 Mar 2026 05:06:07 GMT"
    first = anyone.get(path)
    assert first.headers["Last-Modified"] == stamp
    again = anyone.get(path, If_Modified_Since=stamp)
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    other = anyone.get(path, If_Modified_Since=stamp, If_None_Match='"v9"')
    assert other.status == 200, "the tag alone counts where there is one"
    assert sam.api.patch(path, {"price": 1}).status == 200
    assert anyone.get(path, If_Modified_Since=stamp).status == 200


def test_a_304_is_answered_without_making_the_body(
    addresses: list[str], anyone: ApiClient, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.RESPONSE_CACHE = "off"
    tags = {address: anyone.get(address).headers["ETag"] for address in addresses[:3]}

    def presenting(*_: Any, **__: Any) -> None:
        raise AssertionError("a body was made")

    for place in ("reads.present_product", "products.present_facets"):
        monkeypatch.setattr(f"catalog.views.{place}", presenting)
    for address, tag in tags.items():
        assert anyone.get(address, If_None_Match=tag).status == 304
        with pytest.raises(AssertionError, match="a body was made"):
            anyone.get(address)


def test_staff_is_never_answered_from_what_is_kept(
    make_product: Callable[..., ProductRow], anyone: ApiClient, sam: Person
) -> None:
    make_product(name="Lamp")
    make_product(name="Draft", status="draft")
    assert [row["name"] for row in anyone.get("/products/")["items"]] == ["Lamp"]
    seen = sam.api.get("/products/")
    assert (seen.status, [row["name"] for row in seen["items"]]) == (200, ["Draft", "Lamp"])
    assert [row["name"] for row in anyone.get("/products/")["items"]] == ["Lamp"]


@pytest.mark.parametrize(
    "address", ["/products/{id}", "/products/desk-lamp", "/products/", "/products/facets"]
)
def test_each_kind_of_write_is_seen_by_the_next_read(
    address: str, make_product: Callable[..., ProductRow], anyone: ApiClient, sam: Person
) -> None:
    lamp = make_product(name="Lamp", slug="desk-lamp")
    product, path = f"/products/{lamp['_id']}", address.format(id=lamp["_id"])
    before = anyone.get(path).body
    writes: list[tuple[str, str, dict[str, Any]]] = [
        ("PATCH", product, {"price": 1}),
        ("PUT", product, {"name": "Lamp", "slug": "desk-lamp", "price": 30, "quantity": 5}),
        ("POST", f"{product}/stock", {"delta": -5, "reason": "sold"}),
    ]
    for method, target, body in writes:
        assert sam.api.send(method, target, body).status == 200
        after = anyone.get(path).body
        assert after != before
        before = after
    sam.api.delete(product)
    gone = anyone.get(path)
    is_its_own = path in {product, "/products/desk-lamp"}
    assert gone.status == 404 if is_its_own else gone.body != before


def test_a_new_product_is_in_the_next_list(lamp: ProductRow, anyone: ApiClient) -> None:
    assert len(anyone.get("/products/")["items"]) == 1
    ProductService.create(values={"name": "Mug", "price_minor": 1, "quantity": 1,
                                  "status": "active"})  # fmt: skip
    assert len(anyone.get("/products/")["items"]) == 2


def test_a_category_that_moves_is_seen_in_its_products_and_its_own_answer(
    make_category: Callable[..., CategoryRow],
    make_product: Callable[..., ProductRow],
    anyone: ApiClient,
) -> None:
    for slug in ("home", "work"):
        make_category(slug)
    make_category("lamps", "home")
    product = make_product(category="lamps")
    paths = ("/categories/lamps", "/categories/work/products", f"/products/{product['_id']}")
    before = [anyone.get(path).body for path in paths]
    CategoryService.update(reference="lamps", changes={"parent": "work"})
    after = [anyone.get(path).body for path in paths]
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_what_is_written_while_an_answer_is_made_makes_it_void(
    lamp: ProductRow, anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write comes between the read and the moment its answer is kept."""
    read = selectors.product_by_id_or_slug

    def slow_read(*args: Any, **kwargs: Any) -> ProductRow:
        row = read(*args, **kwargs)
        monkeypatch.setattr(selectors, "product_by_id_or_slug", read)
        ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Renamed"})
        return row

    monkeypatch.setattr(selectors, "product_by_id_or_slug", slow_read)
    path = f"/products/{lamp['_id']}"
    assert anyone.get(path)["name"] == "Lamp"
    assert anyone.get(path)["name"] == "Renamed"


def test_an_error_is_not_kept(anyone: ApiClient, make_product: Callable[..., ProductRow]) -> None:
    path = f"/products/{ObjectId()}"
    for _ in range(2):
        assert anyone.get(path).outcome == (404, "product_not_found")


def test_a_slug_that_passes_on_is_seen_by_the_next_read(
    make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    first, second = make_product(slug="desk-lamp"), make_product(name="Second")
    other = "/products/walnut-lamp"

    def reads(path: str) -> tuple[int, str]:
        answer = anyone.get(path)
        return answer.status, answer.json().get("id", "")

    assert (reads("/products/desk-lamp"), reads(other)) == ((200, str(first["_id"])), (404, ""))
    ProductService.update(product_id=str(first["_id"]), changes={"slug": "walnut-lamp"})
    assert (reads("/products/desk-lamp"), reads(other)) == ((404, ""), (200, str(first["_id"])))
    ProductService.update(product_id=str(second["_id"]), changes={"slug": "desk-lamp"})
    assert reads("/products/desk-lamp") == (200, str(second["_id"]))
    ProductService.delete(product_id=str(second["_id"]))
    assert reads("/products/desk-lamp") == (404, "")


def test_slugs_that_nobody_has_leave_nothing_in_the_cache(anyone: ApiClient) -> None:
    def kept() -> set[str]:
        cache: Any = caches[CACHE]  # django-redis's lists its keys, that of this process has a dict
        return set(cache.keys("*") if hasattr(cache, "keys") else cache._cache)

    anyone.get("/products/nobodys")
    before = kept()
    for number in range(20):
        assert anyone.get(f"/products/nobodys-{number}").status == 404
    assert kept() == before


def test_unknown_ids_cannot_fill_the_shared_cache() -> None:
    assert len({product_topic(ObjectId()) for _ in range(20_000)}) <= 4096


def test_switched_off_every_read_asks_the_database(
    lamp: ProductRow, anyone: ApiClient, settings: Any
) -> None:
    settings.RESPONSE_CACHE = "off"
    for _ in range(2):
        with recorded() as seen:
            anyone.get(f"/products/{lamp['_id']}")
        assert len(seen) == 1


def test_a_page_for_people_is_never_kept(lamp: ProductRow, anyone: ApiClient) -> None:
    path = f"/products/{lamp['_id']}"
    for _ in range(2):
        page = anyone.get(path, Accept="text/html")
        assert page.headers["Cache-Control"] == "private, no-store"
    assert anyone.get(path).headers["Content-Type"] == "application/json"


def test_links_name_the_host_that_was_asked(
    make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    for number in range(3):
        make_product(name=f"Lamp {number}")
    for host in ("localhost", "127.0.0.1", "localhost"):
        answer = anyone.get("/products/?limit=1", Host=host)
        assert answer["next"].startswith(f"http://{host}/products/?")
        assert answer.headers["Link"].startswith(f"<http://{host}/products/?")


def test_a_stored_answer_comes_back_as_it_was_and_only_at_its_generations() -> None:
    moment = datetime(2026, 3, 4, 5, 6, 7, 891000, tzinfo=UTC)
    stored = Stored(b'{"a": "\n"}', '"v1"', moment, "<http://x/>", ends_at=time.time() + 9.5)
    packed = stored.pack([b"one", b"two"])
    assert unpack(packed, [b"one", b"two"]) == stored
    assert unpack(packed, [b"one", b"new"]) is None


def test_a_stored_answer_that_has_ended_or_does_not_say_when_is_not_there() -> None:
    packed = Stored(b"{}", '"v1"', None, "", ends_at=time.time() + 9.5).pack([])
    assert unpack(packed, []) is not None
    assert unpack(packed.replace(b'"ends_at"', b'"other"'), []) is None
    assert unpack(Stored(b"{}", '"v1"', None, "", ends_at=time.time()).pack([]), []) is None


def test_a_clock_that_is_ahead_makes_no_life_longer() -> None:
    assert seconds_left(time.time() + 3600) == 300.0


@pytest.mark.parametrize("packed", [b'{"tokens": []}\n{}', b"{}\n{}", b"[]\n{}", b"{\n", b""])
def test_what_another_version_of_the_program_stored_is_not_there(packed: bytes) -> None:
    assert unpack(packed, []) is None


def test_a_topic_has_one_generation_until_it_changes() -> None:
    first, same = generations(["a", "b"]), generations(["a", "b"])
    assert first == same is not None
    moment = time.monotonic()
    changed("b")
    now = generations(["a", "b"])
    assert now is not None
    assert first is not None
    assert (now[0][0] == first[0][0], now[0][1] == first[0][1]) == (True, False)
    assert (changed_since(["a"], moment), changed_since(["a", "b"], moment)) == (False, True)


@pytest.fixture
def written_past_the_services(lamp: ProductRow) -> Iterator[ProductRow]:
    yield lamp
    collection(Product).update_one({"_id": lamp["_id"]}, {"$set": {"name": "Lamp"}})


def test_what_is_written_past_the_services_is_seen_once_the_answer_has_aged(
    written_past_the_services: ProductRow, anyone: ApiClient
) -> None:
    """The bound for whatever does not say what it changed: the life of an answer."""
    path = f"/products/{written_past_the_services['_id']}"
    anyone.get(path)
    collection(Product).update_one({}, {"$set": {"name": "Other"}})
    assert anyone.get(path)["name"] == "Lamp"
    changed(product_topic(written_past_the_services["_id"]))
    assert anyone.get(path)["name"] == "Other"
