"""Schemathesis drives the running product by its own OpenAPI document: no answer may surprise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.server import ROOT, LiveServer

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "40")
SEED = os.environ.get("FUZZ_SEED", "2026")
pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.timeout(15 * int(EXAMPLES)),  # two busy cores took 3.5 s an example
]


def test_every_answer_fits_the_document(embedded: LiveServer, tmp_path: Path) -> None:
    token = embedded.sign_in("staff", "staff-shop-2026").token
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run", f"{embedded.base}/openapi.json", "--header", f"Authorization: Bearer {token}",
        "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", EXAMPLES,
        "--seed", SEED, "--continue-on-failure", "--no-color", "--generation-database", "none",
        "--warnings", "off",
    ]  # fmt: skip
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    (tmp_path / "schemathesis.txt").write_text(run.stdout)
    assert run.returncode == 0, run.stdout[-20_000:]
    assert " generated, " in run.stdout
