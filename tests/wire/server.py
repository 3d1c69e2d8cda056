"""Starts the wire-protocol server: `python -m tests.wire.server -- pytest` runs against it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
JARS: Final = HERE.parents[1] / ".cache" / "wire"


class WireServerUnavailableError(Exception):
    """Java or Maven is missing; the message says how to get them."""


@contextmanager
def wire_server(database: str = "ecommerce_test") -> Iterator[str]:
    """The URI of a fresh, empty server that ends with the context.

    Raises:
        WireServerUnavailableError: it cannot run here.
    """
    _fetch_jars()
    command = ["java", "-cp", f"{JARS}/*", str(HERE / "WireServer.java"), "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as java:
        assert java.stdout is not None
        try:
            words = java.stdout.readline().split()
            if words[:2] != ["listening", "on"]:
                raise WireServerUnavailableError(f"The server did not start: {' '.join(command)}")
            yield f"mongodb://127.0.0.1:{words[2]}/{database}"
        finally:
            java.terminate()


def _fetch_jars() -> None:
    missing = [name for name in ("java", "mvn") if shutil.which(name) is None]
    if missing:
        raise WireServerUnavailableError(
            f"{' and '.join(missing)} not found: apt-get install openjdk-17-jdk-headless maven"
        )
    if any(JARS.glob("mongo-java-server-*.jar")):
        return
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={JARS}"]
    subprocess.run(["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), *goal], check=True)


def main() -> int:
    """Run the command after `--` with MONGODB_URI set to a fresh server; its exit code."""
    command = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    if not command:
        sys.exit("usage: python -m tests.wire.server -- COMMAND [ARGUMENT ...]")
    with wire_server() as uri:
        environment = {**os.environ, "MONGODB_URI": uri}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
