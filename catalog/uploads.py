"""Files that come in as the body of a request, or as a part of a form: read in blocks."""

import errno
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, ClassVar, Final

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import UnreadablePostError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from catalog.documents import FileFormat
from catalog.errors import EmptyFileError, NoRoomForUploadError
from catalog.importing.formats import format_of
from catalog.serializers import ImportForm
from ecommerce.core.errors import FieldError, ValidationFailedError
from ecommerce.core.parsers import (
    BodyTooLargeError,
    IncompleteBodyError,
    StrictMultiPartParser,
    content_length,
)

_BLOCK: Final = 64 * 1024
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in."""

    format: str
    blocks: Iterable[bytes]


class _WholeBody:
    """The body of a request; one that ends early is a fault: half a file is not a file."""

    def __init__(self, stream: IO[bytes], length: int) -> None:
        self._stream = stream
        self._left = length

    def read(self, size: int = _BLOCK) -> bytes:
        """The next bytes; none at the end."""
        try:
            block = self._stream.read(size)
        except UnreadablePostError:
            block = b""
        self._left -= len(block)
        if not block and self._left > 0:
            raise IncompleteBodyError
        return block

    def blocks(self) -> Iterator[bytes]:
        """All of it."""
        while block := self.read():
            yield block


def _body(stream: IO[bytes], context: Mapping[str, Any] | None) -> _WholeBody:
    request: Request = (context or {})["request"]
    return _WholeBody(stream, content_length(request))


class _FileParser(BaseParser):
    """The body is the file; it is read while it is stored."""

    format: ClassVar[FileFormat]

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The file, unread."""
        return Upload(self.format, _body(stream, parser_context).blocks())


class CSVFileParser(_FileParser):
    """`text/csv` (RFC 4180)."""

    media_type = "text/csv"
    format = FileFormat.CSV


class JSONFileParser(_FileParser):
    """`application/json`."""

    media_type = "application/json"
    format = FileFormat.JSON


class NDJSONFileParser(_FileParser):
    """`application/x-ndjson`."""

    media_type = "application/x-ndjson"
    format = FileFormat.JSONL


class JSONLinesFileParser(NDJSONFileParser):
    """`application/jsonl`: the same under its other name."""

    media_type = "application/jsonl"


class FileFormParser(StrictMultiPartParser):
    """`multipart/form-data`; a large file waits in a temporary one."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The form's fields and files.

        Raises:
            NoRoomForUploadError: the disk is full of files that wait.
        """
        try:
            return super().parse(_body(stream, parser_context), media_type, parser_context)  # type: ignore[arg-type]
        except RequestDataTooBig:
            raise BodyTooLargeError from None
        except OSError as fault:
            if fault.errno != errno.ENOSPC:
                raise
            raise NoRoomForUploadError from None


FILE_PARSERS: Final[list[type[BaseParser]]] = [
    CSVFileParser, JSONFileParser, NDJSONFileParser, JSONLinesFileParser, FileFormParser,
]  # fmt: skip


def uploaded_file(request: Request) -> Upload:
    """The file that a request brings.

    Raises:
        EmptyFileError: there is no body.
        ValidationError: the form is not what it should be.
        ValidationFailedError: the name of the form's file does not tell its format.
    """
    body = request.data
    if isinstance(body, Upload):
        return body
    if not body:
        raise EmptyFileError
    form = ImportForm(data=body)
    form.is_valid(raise_exception=True)
    file: UploadedFile[Any] = form.validated_data["file"]
    name = format_of(file.name or "")
    if not name:
        detail = "End the file's name in .csv, .json, .jsonl or .ndjson."
        raise ValidationFailedError(FieldError("/file", "unknown_format", detail))
    return Upload(name, file.chunks())
