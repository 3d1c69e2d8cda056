"""Bytes on the wire: a running server refuses what two parsers could read differently."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.server import LiveServer, serve

HOST = b"Host: localhost\r\n"
GET, POST = b"GET /livez HTTP/1.1\r\n" + HOST, b"POST /products/ HTTP/1.1\r\n" + HOST
HIDDEN = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One for all of these: nothing is stored."""
    folder: Path = tmp_path_factory.mktemp("framing")
    with serve({"STORE_PATH": str(folder / "store.sqlite3")}) as running:
        yield running


def statuses(server: LiveServer, sent: bytes) -> list[int]:
    """Of everything that comes back on one connection, until the server closes it or is silent."""
    port, got = int(server.base.rpartition(":")[2]), b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        try:
            while part := connection.recv(65_536):
                got += part
                connection.settimeout(1)
        except TimeoutError:
            pass
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)]


AMBIGUOUS = {
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}" + HIDDEN,
    "a length and chunks": POST
    + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}" + HIDDEN,
    "a hexadecimal length": POST + b"Content-Length: 0x2\r\n\r\n{}" + HIDDEN,
    "a blank before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a folded header": GET + b"X-Any: a\r\n b\r\n\r\n" + HIDDEN,
    "a bare line feed": GET + b"X-Any: a\n\tb\r\n\r\n" + HIDDEN,
    "a nul in a header": GET + b"X-Any: a\x00b\r\n\r\n" + HIDDEN,
    "two hosts": GET + b"Host: evil.example\r\n\r\n" + HIDDEN,
    "a carriage return in the path": b"GET /livez\rX HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN,
    "a blank in the path": b"GET /live z HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN,
    "another version": b"GET /livez HTTP/9.9\r\n" + HOST + b"\r\n" + HIDDEN,
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
}  # fmt: skip


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_400_and_ends_the_connection(
    name: str, server: LiveServer
) -> None:
    assert statuses(server, AMBIGUOUS[name]) == [400]


def test_an_unknown_transfer_coding_is_501(server: LiveServer) -> None:
    assert statuses(server, POST + b"Transfer-Encoding: xchunked\r\n\r\n" + HIDDEN) == [501]


def test_a_request_inside_a_body_is_not_answered(server: LiveServer) -> None:
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
    assert statuses(server, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk) == [411]
    length = b"Content-Length: %d\r\n\r\n" % len(HIDDEN)
    assert statuses(server, GET + length + HIDDEN) == [200]
    assert statuses(server, POST + length + HIDDEN) == [401]


def test_a_length_beyond_all_bounds_is_413_before_anything_is_read(server: LiveServer) -> None:
    assert statuses(server, POST + b"Content-Length: 99999999999999999999\r\n\r\n") == [413]


def test_long_lines_and_many_headers_are_refused(server: LiveServer) -> None:
    long_line = b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    assert statuses(server, long_line) == [414]
    assert statuses(server, GET + b"X-Any: " + b"a" * 9_000 + b"\r\n\r\n") == [431]
    many = b"".join(b"X-%d: a\r\n" % number for number in range(200))
    assert statuses(server, GET + many + b"\r\n") == [431]
