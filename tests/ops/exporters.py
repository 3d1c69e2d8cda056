"""What Prometheus asks about others than the API: exporters of Debian, for real."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

from tests.live.conftest import RedisServer
from tests.live.server import free_port


@contextmanager
def redis_exporter(redis: RedisServer) -> Iterator[str]:
    """prometheus-redis-exporter beside a Redis; its address."""
    address = f"127.0.0.1:{free_port()}"
    options = [f"-redis.addr=redis://127.0.0.1:{redis.port}", f"-web.listen-address={address}"]
    with _running("prometheus-redis-exporter", *options):
        yield address


@contextmanager
def blackbox_exporter(folder: Path) -> Iterator[str]:
    """prometheus-blackbox-exporter, which takes the certificates of tests; its address."""
    address, config = f"127.0.0.1:{free_port()}", folder / "blackbox.yml"
    trusting = "{ tls_config: { insecure_skip_verify: true } }"
    config.write_text(f"modules: {{ http_2xx: {{ prober: http, http: {trusting} }} }}", "utf-8")
    options = [f"--config.file={config}", f"--web.listen-address={address}"]
    with _running("prometheus-blackbox-exporter", *options):
        yield address


@contextmanager
def https_site(folder: Path) -> Iterator[str]:
    """A page behind a certificate of 30 days; its address."""
    pem, empty = folder / "site.pem", folder / "site"
    empty.mkdir()
    subject = ["-subj", "/CN=127.0.0.1", "-days", "30", "-keyout", str(pem), "-out", str(pem)]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject]
    subprocess.run(make, check=True, capture_output=True)
    server = HTTPServer(("127.0.0.1", 0), _handler(empty))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/"
    server.shutdown()


def _handler(folder: Path) -> type[SimpleHTTPRequestHandler]:
    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: object, **_: object) -> None:
            super().__init__(*args, directory=folder)  # type: ignore[arg-type]

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Nothing."""

    return Handler


@contextmanager
def _running(*command: str) -> Iterator[None]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()
