"""Every threat that docs/security.md names has tests that exist, and none is dropped in silence."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LEAST = 150
"""Rows; raised with each that is added."""
AREAS = {
    "object access", "function access", "mass assignment", "injection", "token forgery", "replay",
    "races", "enumeration", "timing", "guessing", "header spoofing", "framing", "bombs", "Unicode",
    "log injection", "cache leaks", "CSRF", "redirects", "stored content", "numbers and JSON",
    "paths", "secrets",
}  # fmt: skip
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ANSWER = re.compile(r"\b[1-5]\d\d\b")


def rows() -> list[list[str]]:
    section = (ROOT / "docs" / "security.md").read_text().partition("\n## Threats\n")[2]
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return cells[2:]  # below the head and its rule


@cache
def names_in(path: str) -> frozenset[str]:
    source = ROOT / path
    if not source.is_file():
        return frozenset()
    tree = ast.parse(source.read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_the_table_has_not_shrunk() -> None:
    assert len(rows()) >= LEAST
    attacks = [row[1] for row in rows()]
    assert len(set(attacks)) == len(attacks), "each stands there once"


def test_every_area_has_rows_and_no_other() -> None:
    assert {row[0] for row in rows()} == AREAS


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[1][:60])
def test_a_row_has_its_answer_and_tests_that_exist(row: list[str]) -> None:
    assert len(row) == 4, "area, attack, answer, tests; a bar in the text would be one more"
    _, attack, answer, tests = row
    assert attack
    assert ANSWER.search(answer), "the status that a client sees"
    named = TEST.findall(tests)
    assert named, "a row has a test"
    assert TEST.sub("", tests).strip(", ") == "", "nothing but names of tests"
    missing = [f"{path}::{name}" for path, name in named if name not in names_in(path)]
    assert missing == []
