"""As much of Elasticsearch and Kibana as shipping logs needs: templates, `_bulk`, search by terms.

Like the real one with our template it refuses a document whose value has not the type of its
field, and finds what is mapped alone.
"""

import ipaddress
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.ops.filebeat import value_at


def types_of(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a mapping by their dotted names, with their types."""
    for name, field in mapping.items():
        if "properties" in field:
            yield from types_of(field["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field["type"]


def fields_of(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a document by their dotted names."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from fields_of(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def fits(kind: str, value: Any) -> bool:
    """Whether a field of this type takes the value, and means it."""
    if isinstance(value, list):
        return all(fits(kind, one) for one in value)
    if kind == "long":
        return type(value) is int and -(2**63) <= value < 2**63
    if not isinstance(value, str):
        return False
    try:
        if kind == "date":
            return datetime.fromisoformat(value).tzinfo is not None
        if kind == "ip":
            return bool(ipaddress.ip_address(value))
    except ValueError:
        return False
    return kind in {"keyword", "constant_keyword", "wildcard", "match_only_text"}


class Elasticsearch:
    """A server that keeps what it is sent."""

    def __init__(self) -> None:
        self.templates: dict[str, Any] = {}
        self.policies: dict[str, Any] = {}
        self.imported: list[str] = []
        self.streams: dict[str, list[dict[str, Any]]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()

    def bulk(self, body: bytes) -> dict[str, Any]:
        """Each pair of lines: where to create a document, and the document."""
        assert body.endswith(b"\n"), "the last line of a bulk request ends too"
        lines = [json.loads(line) for line in body.splitlines()]
        items = [
            self._create(action["create"]["_index"], document)
            for action, document in zip(lines[::2], lines[1::2], strict=True)
        ]
        return {"errors": any(item["create"]["status"] != 201 for item in items), "items": items}

    def _create(self, stream: str, document: dict[str, Any]) -> dict[str, Any]:
        types = self._types(stream)
        for field, value in fields_of(document):
            if field in types and not fits(types[field], value):
                error = {"type": "document_parsing_exception", "reason": f"{field}: {value!r}"}
                return {"create": {"_index": stream, "status": 400, "error": error}}
        self.streams.setdefault(stream, []).append(document)
        return {"create": {"_index": stream, "status": 201}}

    def _types(self, stream: str) -> dict[str, str]:
        """The mapping of the one template whose pattern names the data stream."""
        (template,) = (
            template
            for template in self.templates.values()
            if any(fnmatch(stream, pattern) for pattern in template["index_patterns"])
        )
        return dict(types_of(template["template"]["mappings"]["properties"]))

    def search(self, pattern: str, terms: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The documents with these exact values, as a search for indexed fields finds them."""
        return [
            document
            for stream, documents in self.streams.items()
            if fnmatch(stream, pattern) and terms.keys() <= self._types(stream).keys()
            for document in documents
            if all(value_at(document, field) == value for field, value in terms.items())
        ]


def _handler(store: Elasticsearch) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            kind, name = self.path.strip("/").split("/")[-2:]
            kept = {"policy": store.policies, "_index_template": store.templates}[kind]
            kept[name] = json.loads(self._body())
            self._answer({"acknowledged": True})

        def do_POST(self) -> None:
            if self.path == "/_bulk":
                self._answer(store.bulk(self._body()))
            else:
                assert self.path == "/api/saved_objects/_import?overwrite=true"
                store.imported.append(self._body().decode())
                self._answer({"success": True})

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["Content-Length"]))

        def _answer(self, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Nothing to say."""

    return Handler


@contextmanager
def elasticsearch() -> Iterator[Elasticsearch]:
    """An empty one."""
    server = Elasticsearch()
    try:
        yield server
    finally:
        server.close()
