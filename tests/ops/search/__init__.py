"""OpenSearch, which takes Elasticsearch's templates and requests: a real engine for the logs."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.live.conftest import missing
from tests.live.server import free_port

HERE: Final = Path(__file__).resolve().parent
_JARS: Final = HERE.parents[2] / ".cache" / "search"


class SearchEngine:
    """A running one."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"

    def send(self, method: str, path: str, body: bytes | Any = None) -> Any:
        """One request and its JSON answer, whatever its status; lists are lines of JSON."""
        data = body
        if isinstance(body, list):
            data = "".join(f"{json.dumps(line)}\n" for line in body).encode()
        elif body is not None:
            data = json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self._base}{path}", data=data, method=method,
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            return json.load(refusal)

    def found(self, index: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        """The documents that a query finds."""
        answer = self.send("POST", f"/{index}/_search?size=100", {"query": query})
        return [hit["_source"] for hit in answer["hits"]["hits"]]


@contextmanager
def search_engine(folder: Path) -> Iterator[SearchEngine]:
    """An empty one, in this folder. Where it cannot be had, the test is skipped; in CI it fails."""
    _fetch_jars()
    port = free_port()
    command = ["java", "-Xmx512m", "-cp", f"{_JARS}/*", str(HERE / "SearchServer.java")]
    with subprocess.Popen(
        [*command, str(folder), str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    ) as java:  # fmt: skip
        assert java.stdout is not None
        try:
            assert any(line == "listening\n" for line in java.stdout), "it has not started"
            yield SearchEngine(port)
        finally:
            java.kill()


def _fetch_jars() -> None:
    absent = [name for name in ("java", "mvn") if shutil.which(name) is None]
    if absent:
        missing(f"{' and '.join(absent)} not found: apt-get install openjdk-17-jdk-headless maven")
    if not any(_JARS.glob("opensearch-2*.jar")):
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={_JARS}"]
        subprocess.run(["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), *goal], check=True)
