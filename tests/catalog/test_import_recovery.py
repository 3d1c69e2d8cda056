"""Imports whose workers stop, die or race: each row once, and every file to its end."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from bson import ObjectId

from catalog.documents import ImportChunk, ImportJob, ImportResult, Product
from catalog.documents.imports import CHUNK_BYTES
from catalog.importing.jobs import run_next
from catalog.services import ImportJobService, ProductService
from catalog.services.imports import LEASE, LeaseLostError
from ecommerce.core.mongo import collection, utc_now
from tests.catalog.import_files import FOREVER, PATH, counts, done, lines, names, send
from tests.client import Answer, Person


def after(rows_done: int) -> Callable[[], bool]:
    """Stops when it has been asked this often."""
    asked = count(1)
    return lambda: next(asked) >= rows_done


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows alone end a batch: on a busy machine the clock ends some before they are full."""
    monkeypatch.setattr("catalog.importing.jobs._CHECKPOINT_SECONDS", 3600.0)


def test_a_stop_finishes_the_row_and_the_next_worker_goes_on_behind_it(
    unhurried: None, sam: Person
) -> None:
    job = send(sam, lines("A", "B", "C", "D"))
    assert run_next(stop=after(2))
    halted = sam.api.get(f"{PATH}/{job['id']}")
    assert (halted["state"], halted["done"], halted["total"]) == ("queued", 2, 4)
    assert names() == ["A", "B"]
    finished = done(sam, job)
    assert (finished["state"], counts(finished)) == ("done", (4, 0, 0, 0))
    assert names() == ["A", "B", "C", "D"]
    assert {row["version"] for row in collection(Product).find({})} == {1}


class _Killed(BaseException):
    """As if the process ended here."""


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, int], None]]:
    """Ends the worker when it calls this method of ImportJobService for the n-th time."""

    def prepare(method: str, call: int) -> None:
        original, calls = getattr(ImportJobService, method), count(1)

        def dying(**kwargs: Any) -> Any:
            if next(calls) == call:
                raise _Killed
            return original(**kwargs)

        monkeypatch.setattr(ImportJobService, method, staticmethod(dying))

    yield prepare
    monkeypatch.undo()


def abandon(job: Answer) -> None:
    """Let the lease of the dead worker run out."""
    past = {"lease_until": utc_now() - timedelta(seconds=1)}
    collection(ImportJob).update_one({"_id": ObjectId(job["id"])}, {"$set": past})


@pytest.mark.parametrize("method", ["checkpoint", "renew", "finish"])
def test_a_worker_that_dies_is_followed_by_another_and_no_row_counts_twice(
    method: str, kill_at: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch, sam: Person
) -> None:
    raw = b"".join(f'{{"name": "N{n}", "price": 1}}\n'.encode() for n in range(120))
    job = send(sam, raw, "application/jsonl")
    kill_at(method, 2 if method == "checkpoint" else 1)
    with pytest.raises(_Killed):
        run_next(stop=FOREVER)
    assert not run_next(stop=FOREVER), "its lease still holds"
    abandon(job)
    monkeypatch.undo()
    finished = done(sam, job)
    assert (finished["state"], finished["done"]) == ("done", 120)
    assert counts(finished) == (120, 0, 0, 0)
    assert collection(Product).count_documents({}) == 120
    assert {row["version"] for row in collection(Product).find({})} == {1}
    assert [row["number"] for row in collection(ImportResult).find({}).sort([("number", 1)])] == [
        *range(1, 121)
    ]


def test_a_file_that_ends_whoever_reads_it_is_given_up(
    monkeypatch: pytest.MonkeyPatch, sam: Person
) -> None:
    def die(_: Any) -> None:
        raise _Killed

    monkeypatch.setattr("catalog.importing.jobs.inspected", die)
    job = send(sam, lines("A"))
    for _ in range(5):
        with pytest.raises(_Killed):
            run_next(stop=FOREVER)
        abandon(job)
    assert run_next(stop=FOREVER), "nobody is killed any more"
    given_up = sam.api.get(f"{PATH}/{job['id']}")
    assert (given_up["state"], given_up["fault"]["code"]) == ("failed", "gave_up")
    assert collection(ImportChunk).count_documents({}) == 0
    monkeypatch.undo()
    assert counts(done(sam, send(sam, lines("B")))) == (1, 0, 0, 0), "and others come in"


def test_a_file_is_not_given_up_while_its_rows_get_done(
    kill_at: Callable[[str, int], None], unhurried: None, sam: Person
) -> None:
    raw = b"".join(f'{{"name": "N{n}", "price": 1}}\n'.encode() for n in range(400))
    job = send(sam, raw, "application/jsonl")
    for _ in range(7):
        kill_at("checkpoint", 2)
        with pytest.raises(_Killed):
            run_next(stop=FOREVER)
        abandon(job)
    halfway = sam.api.get(f"{PATH}/{job['id']}")
    assert (halfway["state"], halfway["done"]) == ("running", 350)


def test_what_a_person_changed_after_the_row_came_in_stays_when_it_is_run_again(
    kill_at: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch, sam: Person
) -> None:
    job = send(sam, lines("A"))
    kill_at("checkpoint", 1)
    with pytest.raises(_Killed):
        run_next(stop=FOREVER)
    product = collection(Product).find_one({"sku": "A"})
    assert product is not None
    sam.api.patch(f"/products/{product['_id']}", {"price": 9})
    abandon(job)
    monkeypatch.undo()
    assert counts(done(sam, job)) == (1, 0, 0, 0)
    assert sam.api.get(f"/products/{product['_id']}")["price"] == 9


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[..., None]], None]:
    """Does something before the first call of this method of ProductService, with what it gets."""

    def prepare(method: str, does: Callable[..., None]) -> None:
        original, calls = getattr(ProductService, method), count(1)

        def late(**kwargs: Any) -> Any:
            if next(calls) == 1:
                does(**kwargs)
            return original(**kwargs)

        monkeypatch.setattr(ProductService, method, staticmethod(late))

    return prepare


@pytest.mark.parametrize(("theirs", "outcome"), [(500, (0, 0, 1, 0)), (900, (0, 1, 0, 0))])
def test_a_product_that_another_import_makes_between_look_and_write_is_no_duplicate(
    theirs: int, outcome: tuple[int, ...], meanwhile: Any, sam: Person
) -> None:
    create = ProductService.create
    meanwhile("create", lambda values, **_: create(values={**values, "price_minor": theirs}))
    assert counts(done(sam, send(sam, lines("A")))) == outcome
    (product,) = collection(Product).find({})
    assert product["price_minor"] == 500


def test_a_dry_run_says_the_same_of_it(meanwhile: Any, sam: Person) -> None:
    meanwhile("refuse_duplicates", lambda values, **_: ProductService.create(values=values))
    assert counts(done(sam, send(sam, lines("A"), query="?dry_run=true"))) == (0, 0, 1, 0)


def test_a_product_that_is_deleted_between_look_and_write_is_made_anew(
    meanwhile: Any, sam: Person
) -> None:
    done(sam, send(sam, lines("A")))
    meanwhile("update", lambda product_id, **_: ProductService.delete(product_id=product_id))
    assert counts(done(sam, send(sam, lines("A", price="9")))) == (1, 0, 0, 0)
    (new,) = collection(Product).find({"status": {"$ne": "deleted"}})
    assert (new["sku"], new["price_minor"]) == ("A", 900)


def test_a_worker_that_was_away_too_long_stops_and_writes_nothing_to_the_job(sam: Person) -> None:
    job = send(sam, lines("A", "B"))
    taken = ImportJobService.claim(holder="slow", free_since=utc_now())
    assert taken is not None
    abandon(job)
    finished = done(sam, job)
    late: list[Callable[[], None]] = [
        lambda: ImportJobService.renew(job_id=taken["_id"], holder="slow", total=7),
        lambda: ImportJobService.finish(
            job_id=taken["_id"], holder="slow", file_id=taken["file_id"]
        ),
        lambda: ImportJobService.give_back(job_id=taken["_id"], holder="slow"),
        lambda: ImportJobService.checkpoint(
            job_id=taken["_id"], holder="slow", counts={"done": 9}, results=[]
        ),
    ]
    for write in late:
        with pytest.raises(LeaseLostError):
            write()
    assert sam.api.get(f"{PATH}/{job['id']}").json() == finished


def test_a_job_is_claimed_once_and_the_oldest_first(sam: Person) -> None:
    first, second = send(sam, lines("A")), send(sam, lines("B"))
    claimed = [ImportJobService.claim(holder=str(n), free_since=utc_now()) for n in range(3)]
    assert [str(row["_id"]) if row else None for row in claimed] == [
        first["id"],
        second["id"],
        None,
    ]


def test_servers_leave_a_new_job_to_the_workers_for_a_while(sam: Person) -> None:
    send(sam, lines("A"))
    assert not run_next(stop=FOREVER, unless_taken_within=timedelta(seconds=15))
    free = {"lease_until": utc_now() - timedelta(seconds=16)}
    collection(ImportJob).update_many({}, {"$set": free})
    assert run_next(stop=FOREVER, unless_taken_within=timedelta(seconds=15))
    assert names() == ["A"]


def test_the_lease_is_kept_while_the_file_is_read(
    monkeypatch: pytest.MonkeyPatch, sam: Person
) -> None:
    monkeypatch.setattr("catalog.importing.jobs._RENEW_SECONDS", 0)
    renewals: list[Any] = []
    original = ImportJobService.renew

    def seen(**kwargs: Any) -> None:
        renewals.append(kwargs)
        original(**kwargs)

    monkeypatch.setattr(ImportJobService, "renew", staticmethod(seen))
    raw = b'{"name": "A", "price": 1}' + b"\n" * 3 * CHUNK_BYTES
    send(sam, raw, "application/jsonl")
    run_next(stop=FOREVER)
    assert len(renewals) > 2 * 3, "at each piece, in both passes"
    assert timedelta(seconds=15) <= LEASE


def test_a_fault_of_ours_ends_the_job_and_shows_no_internals(
    monkeypatch: pytest.MonkeyPatch, sam: Person
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("catalog.importing.run.RowImporter.bring_in", broken)
    job = done(sam, send(sam, lines("A")))
    assert (job["state"], job["fault"]["code"]) == ("failed", "internal_error")
    assert "secret" not in json.dumps(job)
