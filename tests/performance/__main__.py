"""`python -m tests.performance`, `make guard`: the tests of this folder, over the wire-protocol
server and with a real Redis as cache."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.stores import redis
from tests.wire.server import wire_server


def main() -> int:
    """The exit code of the tests."""
    tests = [sys.executable, "-m", "pytest", str(Path(__file__).parent), *sys.argv[1:]]
    with wire_server() as uri, redis() as url:
        environment = {**os.environ, "MONGODB_URI": uri, "REDIS_URL": url}
        return subprocess.run(tests, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
