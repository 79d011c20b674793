"""The table of situations names tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.findall(r"`(tests/\w+\.py)::(\w+)`", (ROOT / "docs/situations.md").read_text(encoding="utf-8"))


def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_row_names_tests_that_there_are() -> None:
    assert len(NAMED) > 50
    there = {file: functions_of(file) for file, _ in NAMED}
    assert [f"{file}::{name}" for file, name in NAMED if name not in there[file]] == []


def test_each_row_names_a_test() -> None:
    rows = [line for line in (ROOT / "docs/situations.md").read_text(encoding="utf-8").splitlines() if "|" in line]
    told = [row for row in rows if not row.startswith(("| situation", "| ---"))]
    assert told and all("`tests/" in row for row in told)
