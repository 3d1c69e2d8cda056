"""What `/products/imports` takes: sizes, forms, callers, and the same upload sent again."""

import errno
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from bson import ObjectId
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from catalog.documents import ImportChunk, ImportJob
from catalog.errors import EmptyFileError
from catalog.services import ImportJobService
from ecommerce.core.idempotency import KeyReusedError, Operation
from ecommerce.core.mongo import collection
from tests.catalog.import_files import HEADER, PATH, counts, done, form, lines, send
from tests.client import Answer, ApiClient, Person, Reset, cut_short

# --- what is refused at once ------------------------------------------------------------------


def test_a_form_for_which_there_is_no_room_on_the_disk_is_to_come_again(
    sam: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", full)
    refused = send(sam, *form(("file", "a.csv", HEADER + b"#" * 3 * 1024 * 1024)))
    assert refused.outcome == (503, "no_room_for_upload")
    assert refused.headers["Retry-After"] == "30"


@pytest.mark.parametrize(
    ("raw", "kind", "outcome"),
    [
        (b"", "text/csv", (400, "empty_file")),
        (b"", "", (400, "empty_file")),
        (form(("file", "a.csv", b""))[0], form()[1], (400, "empty_file")),
        (b"a", "text/plain", (415, "unsupported_media_type")),
        (b"a", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (form(("file", "a.xlsx", b"a"))[0], form()[1], (400, "validation_error")),
        (form(("other", "a.csv", b"a"))[0], form()[1], (400, "validation_error")),
        (b"no form", form()[1], (400, "empty_file")),
        (b"--edge", "multipart/form-data", (400, "parse_error")),
    ],
)
def test_what_is_no_file_is_refused_and_nothing_is_kept(
    raw: bytes, kind: str, outcome: tuple[int, str], sam: Person
) -> None:
    assert send(sam, raw, kind).outcome == outcome
    assert collection(ImportJob).count_documents({}) == 0
    assert collection(ImportChunk).count_documents({}) == 0


def test_more_than_50_megabytes_are_refused_before_they_are_read(sam: Person) -> None:
    limit = 50 * 1024 * 1024
    length = {"Content-Length": str(limit + 1)}
    answer = sam.api.send("POST", PATH, raw=b"x", content_type="text/csv", headers=length)
    assert answer.outcome == (413, "body_too_large")
    assert str(limit) in answer["detail"]


def test_a_file_may_be_larger_than_other_bodies(sam: Person) -> None:
    raw = b'{"name": "A", "price": 1}' + b"\n" * 2 * 1024 * 1024
    for body in ((raw, "application/jsonl"), form(("file", "a.jsonl", raw))):
        assert counts(done(sam, send(sam, *body))) == (1, 0, 0, 0)
    big = sam.api.send("POST", "/products/", raw=raw)
    assert big.outcome == (413, "body_too_large")


def test_a_field_of_a_form_may_not_be_large(sam: Person) -> None:
    raw = b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 2_000_000
    answer = send(sam, raw + b"\r\n--edge--\r\n", form()[1])
    assert answer.outcome == (413, "body_too_large")


@pytest.mark.parametrize("stream", [BytesIO, Reset])
@pytest.mark.parametrize("kind", ["text/csv", form()[1]])
def test_a_body_that_ends_early_leaves_nothing(
    kind: str, stream: type[BytesIO], sam: Person
) -> None:
    raw = lines("A") if kind == "text/csv" else form(("file", "a.csv", lines("A")))[0][:-12]
    answer = sam.api.send("POST", PATH, raw=raw, content_type=kind, environ=cut_short(raw, stream))
    assert answer.outcome == (400, "incomplete_body")
    assert collection(ImportJob).count_documents({}) == 0
    assert collection(ImportChunk).count_documents({}) == 0


def test_customers_and_strangers_may_not(alice: Person, anyone: ApiClient, sam: Person) -> None:
    job = f"{PATH}/{send(sam, lines('A'))['id']}"
    before = collection(ImportJob).count_documents({})
    for path in (PATH, job, f"{job}/rows"):
        assert alice.api.get(path).outcome == (403, "permission_denied")
        assert anyone.get(path).outcome == (401, "not_authenticated")
    assert send(alice, lines("A")).outcome == (403, "permission_denied")
    assert anyone.send("POST", PATH, raw=lines("A"), content_type="text/csv").status == 401
    assert collection(ImportJob).count_documents({}) == before


@pytest.mark.parametrize("job", ["0" * 24, "nothing"])
@pytest.mark.parametrize("path", ["", "/rows"])
def test_an_unknown_import_is_404(job: str, path: str, sam: Person) -> None:
    assert sam.api.get(f"{PATH}/{job}{path}").outcome == (404, "import_not_found")


@pytest.mark.parametrize("query", ["?dry_run=maybe", "?dry_run=", "?x=1"])
def test_a_bad_query_is_400_and_nothing_is_kept(query: str, sam: Person) -> None:
    assert send(sam, lines("A"), query=query).outcome == (400, "validation_error")
    assert collection(ImportJob).count_documents({}) == 0


def test_a_bad_outcome_is_400(sam: Person) -> None:
    job = send(sam, lines("A"))["id"]
    assert sam.api.get(f"{PATH}/{job}/rows?outcome=lost").pointers == ["/outcome"]


# --- sent again -------------------------------------------------------------------------------


def test_a_repeated_upload_makes_one_job(sam: Person) -> None:
    def upload(raw: bytes, boundary: str = "edge") -> Answer:
        body = form(("file", "a.csv", raw))[0].replace(b"edge", boundary.encode())
        kind = f"multipart/form-data; boundary={boundary}"
        headers = {"Idempotency-Key": "one"}
        return sam.api.send("POST", PATH, raw=body, content_type=kind, headers=headers)

    first = upload(lines("A"))
    assert upload(lines("A"), boundary="else").body == first.body
    assert upload(lines("A", "B")).outcome == (422, "idempotency_key_reused")
    assert collection(ImportJob).count_documents({}) == 1
    assert collection(ImportChunk).count_documents({}) == 1
    assert counts(done(sam, first)) == (1, 0, 0, 0)


@pytest.mark.parametrize("as_form", [False, True], ids=["body", "form"])
def test_a_corrected_file_of_the_same_length_needs_a_key_of_its_own(
    as_form: bool, sam: Person
) -> None:
    def upload(raw: bytes, name: str = "a.csv") -> Answer:
        body, kind = form(("file", name, raw)) if as_form else (raw, "text/csv")
        headers = {"Idempotency-Key": "one"}
        return sam.api.send("POST", PATH, raw=body, content_type=kind, headers=headers)

    first = upload(lines("A", price="5"))
    assert upload(lines("A", price="6")).outcome == (422, "idempotency_key_reused")
    again = upload(lines("A", price="5"))
    assert (again.status, again.body) == (202, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    done(sam, first)
    assert upload(lines("A", price="6")).outcome == (422, "idempotency_key_reused")
    assert upload(lines("A", price="5")).body == first.body
    assert collection(ImportJob).count_documents({}) == 1
    assert collection(ImportChunk).count_documents({}) == 0, "a replay stores no file"


def test_the_same_bytes_as_a_file_of_another_format_need_a_key_of_their_own(sam: Person) -> None:
    def upload(name: str) -> Answer:
        body, kind = form(("file", name, b'[{"name":"A","price":5}]'))
        headers = {"Idempotency-Key": "one"}
        return sam.api.send("POST", PATH, raw=body, content_type=kind, headers=headers)

    assert upload("a.json").status == 202
    assert upload("ab.csv").outcome == (422, "idempotency_key_reused")


@pytest.mark.parametrize("retried", [True, False], ids=["retry", "slow first try"])
def test_another_file_under_the_operation_of_a_job_is_refused_and_leaves_nothing(
    retried: bool, sam: Person
) -> None:
    operation = Operation(ObjectId(), keyed=True)

    def create(raw: bytes, try_: Operation) -> ObjectId:
        job = ImportJobService.create(
            blocks=[raw], format_name="csv", dry_run=False, by=sam.principal.id, operation=try_
        )
        return job["_id"]

    assert create(lines("A", price="5"), operation) == operation.id
    with pytest.raises(KeyReusedError):
        create(lines("A", price="6"), replace(operation, retried=retried))
    assert collection(ImportChunk).count_documents({}) == 1


def test_a_job_of_before_files_had_digests_answers_its_retries(sam: Person) -> None:
    operation = Operation(ObjectId(), keyed=True)
    given: Any = {"format_name": "csv", "dry_run": False, "by": sam.principal.id}
    job = ImportJobService.create(blocks=[lines("A")], operation=operation, **given)
    collection(ImportJob).update_one({"_id": job["_id"]}, {"$unset": {"sha256": ""}})
    again = ImportJobService.create(
        blocks=[lines("A")], operation=replace(operation, retried=True), **given
    )
    assert again["_id"] == job["_id"]


@pytest.mark.parametrize("retried", [True, False], ids=["retry", "slow first try"])
def test_two_tries_of_one_upload_leave_one_job_with_one_file(retried: bool, sam: Person) -> None:
    operation = Operation(ObjectId(), keyed=True)
    for try_ in (operation, replace(operation, retried=retried)):
        job = ImportJobService.create(
            blocks=[lines("A")], format_name="csv", dry_run=False, by=sam.principal.id,
            operation=try_,
        )  # fmt: skip
        assert job["_id"] == operation.id
    (piece,) = collection(ImportChunk).find({})
    assert piece["file_id"] == job["file_id"]
    assert collection(ImportJob).count_documents({}) == 1


def test_an_upload_that_fails_leaves_no_pieces(sam: Person) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 600_000
        raise OSError

    for blocks, fault in ((broken(), OSError), (iter([b""]), EmptyFileError)):
        with pytest.raises(fault):
            ImportJobService.create(
                blocks=blocks, format_name="csv", dry_run=False, by=sam.principal.id
            )
    assert collection(ImportChunk).count_documents({}) == 0
    assert collection(ImportJob).count_documents({}) == 0
