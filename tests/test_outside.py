"""The judgement of outside programs, and that each of them is whole."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.outside import Outside, judge, judged, outside

MAIN = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(5, 7)
        self.second = nn.Linear(
            6,
            4,
        )

    def forward(self, x):
        return self.second(self.first(x))


Net()(torch.zeros(2, 5))
"""


@pytest.fixture
def program(tmp_path: Path) -> Outside:
    (tmp_path / "main.py").write_text(MAIN, encoding="utf-8")
    return Outside(tmp_path, "6 for 7", 10, "")


def report(cause: int | None, fix: int | None = None) -> dict[str, Any]:
    places = [None if line is None else {"file": "main.py", "line": line, "source": ""} for line in (cause, fix)]
    blamed = None if cause is None else {"layer": "", "type": "Linear", "reason": "", "location": places[0]}
    told = {"code": "SW102", "severity": "error", "cause": blamed, "fixes": [{"location": places[1]}]}
    return {"diagnoses": [told]}


def test_a_line_of_the_statement_is_right(program: Outside) -> None:
    assert judge(program, 1, report(9))[0] == "line"
    assert judge(program, 1, report(15, 12))[0] == "line"
    assert judge(program, 1, report(15))[0] == "elsewhere"
    assert judge(program, 1, report(None))[0] == "unnamed"
    assert judge(program, 1, {"diagnoses": []})[0] == "nothing"
    assert judge(program, 0, report(9))[0] == "trouble"


def test_a_program_is_run_and_judged(program: Outside) -> None:
    assert judged(program, timeout=120)[0] == "line"


def test_every_program_says_what_is_wrong() -> None:
    programs = outside()
    assert len(programs) > 90
    for each in programs:
        broken = (each.folder / "main.py").read_text(encoding="utf-8")
        assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(each.healthy))
        lines = broken.splitlines()
        assert 0 < each.line <= len(lines) and each.slip
        assert json.loads((each.folder / "truth.json").read_text(encoding="utf-8"))["fix"]
