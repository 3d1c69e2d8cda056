"""A running server's lines, shipped as the configuration says, and found again by their request id.

Filebeat, Logstash and Elasticsearch cannot be had here. The first is replaced by a reader that
follows `docker/filebeat/filebeat.yml`, the second by the one thing that its pipeline does to our
lines (it names the data stream), the third by a server that holds each document against the real
index template; and then by OpenSearch, its fork, which is a real engine.
"""

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import pytest

from ecommerce.core.logs.fields import FIELDS
from tests.live.conftest import RedisServer
from tests.live.server import ROOT, LiveServer, Reply, free_port
from tests.ops.conftest import needs
from tests.ops.elasticsearch import Elasticsearch, elasticsearch, fields_of, fits
from tests.ops.filebeat import Filebeat
from tests.ops.fleet import eventually, manage
from tests.ops.link import Link
from tests.ops.production import HOST, production
from tests.ops.search import search_engine

pytestmark = [pytest.mark.ops, pytest.mark.wire, pytest.mark.redis]

DOCKER: Final = ROOT / "docker"
_PIECE: Final = 16 * 1024
"""Bytes of a line that Docker writes as one entry."""


class Container(LiveServer):
    """gunicorn with the settings of production; what it writes is kept as Docker keeps it."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.base = f"http://127.0.0.1:{environment['PORT']}"
        self.token = ""
        self._log = log.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"], cwd=ROOT,
            env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._pumps = [
            threading.Thread(target=self._keep, args=(pipe, name))
            for pipe, name in ((self.process.stdout, "stdout"), (self.process.stderr, "stderr"))
        ]
        for pump in self._pumps:
            pump.start()

    def _keep(self, pipe: IO[bytes], stream: str) -> None:
        for line in pipe:
            text = line.decode("utf-8")
            for begin in range(0, len(text), _PIECE):
                entry = {"log": text[begin : begin + _PIECE], "stream": stream, "time": "…"}
                with self._lock:
                    self._log.write(json.dumps(entry) + "\n")
                    self._log.flush()

    def ready(self) -> bool:
        """Whether it can serve."""
        try:
            return self.send("GET", "/readyz", Host=HOST).status == 200
        except OSError:
            return False

    def end(self) -> int:
        """SIGTERM; the exit code, when the last line is written."""
        self.process.terminate()
        code = self.process.wait(timeout=40)
        for pump in self._pumps:
            pump.join()
        self._log.close()
        return code


class Shop:
    """A server, the link to its database, and where its lines go."""

    def __init__(self, server: Container, link: Link, logs: Path, store: Elasticsearch) -> None:
        self.server, self.link, self.store = server, link, store
        self._filebeat = Filebeat(
            DOCKER / "filebeat" / "filebeat.yml", {"LOG_PATHS": str(logs / "*" / "*.log")}
        )
        self.refused: list[Any] = []

    def ask(self, method: str, path: str, **headers: Any) -> Reply:
        """A request to the shop's host."""
        return self.server.send(method, path, Host=HOST, **headers)

    def ship(self) -> None:
        """Send what was written since the last time to `_bulk`."""
        lines = [
            json.dumps(part)
            for event in self._filebeat.events()
            for part in ({"create": {"_index": data_stream(event)}}, event)
        ]
        if not lines:
            return
        request = urllib.request.Request(
            f"{self.store.base}/_bulk", data=("\n".join(lines) + "\n").encode(),
            headers={"Content-Type": "application/x-ndjson"},
        )  # fmt: skip
        with urllib.request.urlopen(request) as answer:
            items = json.load(answer)["items"]
        self.refused += [item["create"] for item in items if item["create"]["status"] != 201]

    def found(self, dataset: str, request_id: str) -> list[dict[str, Any]]:
        """The lines of a request, once there are some."""
        terms = {"http.request.id": request_id, "event.dataset": dataset}

        def shipped() -> bool:
            self.ship()
            return bool(self.store.search("logs-shop.*", terms))

        eventually(shipped, f"{dataset} has {request_id}", seconds=10)
        return self.store.search("logs-shop.*", terms)


def data_stream(event: dict[str, Any]) -> str:
    """As docker/logstash/pipeline/shop.conf has Logstash name it."""
    return f"logs-{event['event']['dataset']}-default"


@pytest.fixture(scope="module")
def store() -> Iterator[Elasticsearch]:
    """Prepared by the script that the one-shot container runs."""
    needs("curl", package="curl")
    with elasticsearch() as server:
        environment = {
            **os.environ, "ELASTICSEARCH_URL": server.base, "KIBANA_URL": server.base,
            "SAVED_OBJECTS": str(DOCKER / "kibana" / "saved-objects.ndjson"),
            "ELASTICSEARCH_PASSWORD": "not-shown-anywhere",
        }  # fmt: skip
        script = ["sh", str(DOCKER / "elasticsearch" / "setup.sh")]
        out = subprocess.run(script, env=environment, capture_output=True, text=True, check=True)
        assert "not-shown-anywhere" not in out.stdout + out.stderr
        yield server


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    needs("redis-server", package="redis-server")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shop(
    wire_uri: str, cache: RedisServer, store: Elasticsearch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shop]:  # fmt: skip
    logs = tmp_path_factory.mktemp("containers")
    (logs / "4f0c").mkdir()
    stranger = {"log": "a line of another container\n", "stream": "stderr", "time": "…"}
    (logs / "4f0c" / "other.log").write_text(json.dumps(stranger) + "\n", encoding="utf-8")
    host, _, database = wire_uri.removeprefix("mongodb://").partition("/")
    link = Link(int(host.partition(":")[2]))
    environment = production(
        mongodb=f"mongodb://127.0.0.1:{link.port}/{database}", redis=cache.url,
        PORT=str(free_port()), WEB_CONCURRENCY="2", RESPONSE_CACHE="off",
    )  # fmt: skip
    manage(environment, "migrate")
    (logs / "91ab").mkdir()
    server = Container(environment, logs / "91ab" / "91ab-json.log")
    try:
        eventually(server.ready, "the server is ready")
        yield Shop(server, link, logs, store)
    finally:
        link.delay = 0
        server.end()
        link.close()


def test_a_request_is_found_by_the_id_of_its_answer(shop: Shop) -> None:
    before = datetime.now(UTC)
    reply = shop.ask("GET", "/products/?limit=5&q=eve%40example.com")
    (line,) = shop.found("shop.access", reply.headers["X-Request-ID"])
    assert line["url"] == {"path": "/products/", "query": "limit=5&q=[redacted]"}
    assert line["http"]["request"]["method"] == "GET"
    assert line["http"]["response"] == {"status_code": 200, "body": {"bytes": len(reply.body)}}
    assert line["client"]["ip"] == "127.0.0.1"
    assert line["log"] == {"level": "info", "logger": "gunicorn.access"}
    assert 0 < line["event"]["duration"] < 10**10
    assert 0 <= (datetime.fromisoformat(line["@timestamp"]) - before).total_seconds() < 10


def test_an_id_that_the_client_sends_is_kept_everywhere(shop: Shop) -> None:
    reply = shop.ask("GET", "/products/000000000000000000000000", X_Request_ID="order-17.retry-2")
    assert reply.json()["request_id"] == "order-17.retry-2"
    (line,) = shop.found("shop.access", "order-17.retry-2")
    assert line["http"]["response"]["status_code"] == 404


def test_a_slow_command_is_under_the_id_of_its_request(shop: Shop) -> None:
    shop.link.delay = 0.4
    try:
        reply = shop.ask("GET", "/products/?brand=a-rare-brand", X_Request_ID="slow-request-1")
    finally:
        shop.link.delay = 0
    assert reply.status == 200
    (line, *_) = shop.found("shop.slow_operations", "slow-request-1")
    assert line["labels"]["mongodb_collection"] == "products"
    assert line["event"]["duration"] > 400_000_000
    assert "a-rare-brand" not in json.dumps(line)
    (access,) = shop.found("shop.access", "slow-request-1")
    assert access["event"]["duration"] > line["event"]["duration"]


def test_a_fault_is_under_the_id_of_the_request_that_met_it(shop: Shop) -> None:
    shop.link.delay = 3
    try:
        reply = shop.ask("GET", "/products/?tag=away", X_Request_ID="database-away-1")
    finally:
        shop.link.delay = 0
    assert reply.status == 503
    (fault,) = shop.found("shop.application", "database-away-1")
    assert fault["message"].startswith("The database does not answer: ")
    assert fault["log"]["level"] == "error"
    (access,) = shop.found("shop.access", "database-away-1")
    assert access["event"]["outcome"] == "failure"
    eventually(shop.server.ready, "the server serves again")


def test_probes_that_go_well_have_no_line(shop: Shop) -> None:
    for path in ("/livez", "/readyz"):
        assert shop.ask("GET", path, X_Request_ID="a-probe-that-went-well").status == 200
    shop.ask("GET", "/products/", X_Request_ID="a-request-after-it")
    shop.found("shop.access", "a-request-after-it")
    assert not shop.store.search("logs-shop.*", {"http.request.id": "a-probe-that-went-well"})


def test_what_gunicorn_says_is_a_line_too(shop: Shop) -> None:
    (worker, *_) = (int(pid) for pid in _children(shop.server.process.pid))
    os.kill(worker, 9)
    said: list[dict[str, Any]] = []

    def shipped() -> bool:
        shop.ship()
        said[:] = shop.store.search("logs-shop.*", {"log.logger": "gunicorn.error"})
        return any(str(worker) in line["message"] for line in said)

    eventually(shipped, "the end of a worker is logged", seconds=15)
    assert {line["service"]["name"] for line in said} == {"shop-api"}


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()


def test_every_line_is_taken_and_every_field_is_known(shop: Shop) -> None:
    """Over all that the tests before have made the server write, too."""
    shop.ask("GET", "/products/", X_Request_ID="the-last-request")
    shop.found("shop.access", "the-last-request")
    assert shop.refused == []
    assert shop.store.streams.keys() <= {
        "logs-shop.access-default",
        "logs-shop.application-default",
        "logs-shop.slow_operations-default",
    }
    for documents in shop.store.streams.values():
        for document in documents:
            for field, value in fields_of(document):
                assert field in FIELDS, field
                assert fits(FIELDS[field], value), f"{field}: {value!r}"
    assert not any("another container" in str(d) for ds in shop.store.streams.values() for d in ds)


def test_of_what_others_log_nothing_is_shipped_whatever_they_name_it(tmp_path: Path) -> None:
    """Logstash may write to logs-shop.* alone, and would send another's line again for ever."""
    lines = [
        {"event.dataset": "elasticsearch.server", "message": "started"},
        {"event.dataset": "elasticsearch.deprecation", "http.request.id": "of-the-setup"},
        {"event.dataset": "workshop.access", "message": "another product"},
        {"event.dataset": 7, "message": "no name"},
        {"message": "JSON of somebody"},
        {"event.dataset": "shop.access", "http.request.id": "of-the-api"},
        {"event": {"dataset": "shop.application"}, "message": "Ready."},
        {"http.request.id": "of-the-balancer", "shop.server": "api1"},
    ]
    entries = [{"log": json.dumps(line) + "\n", "stream": "stdout"} for line in lines]
    (tmp_path / "all.log").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    filebeat = Filebeat(
        DOCKER / "filebeat" / "filebeat.yml", {"LOG_PATHS": str(tmp_path / "*.log")}
    )
    assert list(filebeat.events()) == [
        {"event": {"dataset": "shop.access"}, "http": {"request": {"id": "of-the-api"}}},
        {"event": {"dataset": "shop.application"}, "message": "Ready."},
        {"http": {"request": {"id": "of-the-balancer"}}, "shop": {"server": "api1"}},
    ]


def test_a_real_engine_takes_the_template_and_every_line_and_finds_them(
    shop: Shop, tmp_path: Path
) -> None:
    shop.ask("GET", "/products/?limit=3", X_Request_ID="for-a-real-engine")
    shop.found("shop.access", "for-a-real-engine")
    with search_engine(tmp_path) as engine:
        put = engine.send("PUT", "/_index_template/shop-logs", for_opensearch(shop.store))
        assert put == {"acknowledged": True}
        sent = [
            part
            for stream, documents in shop.store.streams.items()
            for document in documents
            for part in ({"create": {"_index": stream}}, document)
        ]
        assert engine.send("POST", "/_bulk?refresh=true", sent)["errors"] is False
        streams = engine.send("GET", "/_data_stream/logs-shop.*")["data_streams"]
        assert {stream["name"] for stream in streams} == shop.store.streams.keys()

        def access(*queries: dict[str, Any]) -> int:
            return len(engine.found("logs-shop.access-*", {"bool": {"filter": list(queries)}}))

        ours = {"term": {"http.request.id": "for-a-real-engine"}}
        assert access(ours) == 1
        assert access(ours, {"range": {"event.duration": {"gte": 1, "lt": 10**10}}}) == 1
        assert access(ours, {"term": {"client.ip": "127.0.0.0/8"}}) == 1
        assert access(ours, {"wildcard": {"url.path": "*/prod*"}}) == 1
        assert access(ours, {"match": {"message": "get products"}}) == 1
        assert access(ours, {"range": {"@timestamp": {"gte": "now-10m", "lte": "now+1m"}}}) == 1
        assert access(ours, {"term": {"http.response.status_code": 201}}) == 0
        wrong = {"@timestamp": "2026-01-01T00:00:00Z", "event": {"duration": "fast"}}
        lines = [{"create": {"_index": "logs-shop.access-default"}}, wrong]
        (refused,) = engine.send("POST", "/_bulk", lines)["items"]
        assert refused["create"]["status"] == 400


def for_opensearch(store: Elasticsearch) -> dict[str, Any]:
    """The template without what OpenSearch has not: the lifecycle (it has another) and constant
    keywords whose value comes with the first document."""
    text = json.dumps(store.templates["shop-logs"]).replace("constant_keyword", "keyword")
    template: dict[str, Any] = json.loads(text)
    del template["template"]["settings"]["index"]["lifecycle"]
    return template


def test_a_document_of_wrong_type_is_refused(store: Elasticsearch) -> None:
    """The store that stands in for Elasticsearch is not one that takes anything."""
    wrong = {"event": {"duration": "fast"}}
    lines = [{"create": {"_index": "logs-shop.x-y"}}, wrong]
    answer = store.bulk("".join(f"{json.dumps(line)}\n" for line in lines).encode())
    assert answer["errors"]
    assert "logs-shop.x-y" not in store.streams


def test_the_setup_script_brings_policy_template_and_saved_objects(store: Elasticsearch) -> None:
    assert store.policies.keys() == store.templates.keys() == {"shop-logs"}
    (imported,) = store.imported
    assert '"id": "shop-on-call"' in imported
