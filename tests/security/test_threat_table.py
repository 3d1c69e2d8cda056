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
CODE = re.compile(r"`([a-z]+(?:_[a-z0-9]+)+)`")
ANSWER = re.compile(r"\b[1-5]\d\d\b")


def rows() -> list[list[str]]:
    section = (ROOT / "docs" / "security.md").read_text().partition("\n## Threats\n")[2]
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return cells[2:]  # below the head and its rule


@cache
def named_in(path: str) -> dict[str, ast.stmt]:
    """What a module of tests defines at its top, by name; `from tests…` brings in constants."""
    source, found = ROOT / path, dict[str, ast.stmt]()
    for node in ast.parse(source.read_text()).body if source.is_file() else ():
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
            elsewhere = named_in(f"{(node.module or '').replace('.', '/')}.py")
            for alias in node.names:
                if isinstance(there := elsewhere.get(alias.name), ast.Assign | ast.AnnAssign):
                    found[alias.name] = there
    return found


def words_of(path: str, test: str) -> set[str]:
    """What stands in the values of a test, of its decorators and of all that they name.

    Not in docstrings, nor in fixtures, which assert nothing.
    """
    names, words, waiting = named_in(path), set[str](), [test]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in names:
            continue
        seen.add(name)
        said = [node.value for node in ast.walk(names[name]) if isinstance(node, ast.Expr)]
        for node in ast.walk(names[name]):
            if isinstance(node, ast.Name):
                waiting.append(node.id)
            elif isinstance(node, ast.Constant) and node not in said:
                words |= set(re.findall(r"\w+", str(node.value)))
    return words


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
    missing = [f"{path}::{name}" for path, name in named if name not in named_in(path)]
    assert missing == []
    promised = {*ANSWER.findall(answer), *CODE.findall(answer)}
    assert promised - set().union(*(words_of(*test) for test in named)) == set(), (
        "no test of the row expects this status or code"
    )


def test_a_status_or_code_counts_where_a_test_expects_it(tmp_path: Path) -> None:
    file = tmp_path / "test_example.py"
    file.write_text(
        'CODE = "not_found"\n'
        "def refused(answer):\n    assert answer.status == 404\n"
        "def fixture():\n    return 500\n"
        'def test_it(fixture):\n    """It was 409."""\n    refused(CODE)\n'
        "def test_other():\n    assert 403\n"
    )
    assert words_of(str(file), "test_it") == {"not_found", "404"}
