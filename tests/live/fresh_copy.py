"""What a new user does: a copy in an empty folder, `make run`, the README's calls, Ctrl-C.

`python -m tests.live.fresh_copy`; a step of `.ci/run`, for it installs everything anew and needs
port 8000.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_NOT_PART_OF_IT: Final = shutil.ignore_patterns(".git", ".venv", ".data", ".cache", ".env")
_INSTALL_SECONDS: Final = 300
_SECOND_START_SECONDS: Final = 5


def main() -> None:
    """Ends with an AssertionError at the first thing that is not as the README says."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    start, calls = blocks[0].strip(), [block for block in blocks if "curl" in block]
    assert start == "make run"
    assert len(calls) == 5
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(ROOT, Path(folder) / "shop", ignore=_NOT_PART_OF_IT)
        server = begin(start, copy)
        script = "echo\n".join(calls)
        subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=copy, check=True)
        press_ctrl_c(server)
        assert min(second_starts(start, copy)) < _SECOND_START_SECONDS
    sys.stdout.write("\nA fresh copy runs as the README says.\n")


def second_starts(command: str, copy: Path) -> Iterator[float]:
    """Seconds of each; a busy machine may make one slow by itself."""
    for _ in range(3):
        begun = time.monotonic()
        server = begin(command, copy)
        seconds = time.monotonic() - begun
        press_ctrl_c(server)
        yield seconds
        if seconds < _SECOND_START_SECONDS:
            return


def begin(command: str, copy: Path) -> subprocess.Popen[bytes]:
    """Start as in a terminal, and wait until it serves."""
    server = subprocess.Popen(["bash", "-c", command], cwd=copy, start_new_session=True)
    begun = time.monotonic()
    while time.monotonic() - begun < _INSTALL_SECONDS:
        assert server.poll() is None, f"`{command}` ended with code {server.returncode}"
        try:
            with urllib.request.urlopen("http://127.0.0.1:8000/readyz", timeout=5):
                return server
        except OSError:
            time.sleep(0.1)
    press_ctrl_c(server)
    raise AssertionError(f"`{command}` did not serve within {_INSTALL_SECONDS} s.")


def press_ctrl_c(server: subprocess.Popen[bytes]) -> None:
    """The terminal sends SIGINT to everything that it runs in the foreground."""
    os.killpg(server.pid, signal.SIGINT)
    server.wait(timeout=30)


if __name__ == "__main__":
    main()
