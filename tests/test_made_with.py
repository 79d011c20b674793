"""Parts of the program's own that are constructed for another width than comes."""

from __future__ import annotations

import runpy
import textwrap
from pathlib import Path

import pytest

import shapewatch
from shapewatch.patches import diff
from shapewatch.report import Diagnosis

PROGRAM = """
import torch
from torch import nn


class Gate(nn.Module):
    def __init__(self, width, less):
        super().__init__()
        self.down = nn.Linear(width, less)
        self.up = nn.Linear(less, width)

    def forward(self, x):
        s = torch.sigmoid(self.up(torch.relu(self.down(x.mean((2, 3))))))
        return x * s[:, :, None, None]


class Conv(nn.Sequential):
    def __init__(self, given, made, size=3):
        super().__init__(nn.Conv2d(given, made, size, padding=size // 2), nn.BatchNorm2d(made), nn.ReLU())


class Block(nn.Module):
    def __init__(self, given, made, times):
        super().__init__()
        wide = given * times
        rows = []
        if times != 1:
            rows.append(Conv(given, wide, 1))
        rows.append(Conv(wide, wide))
        rows.append(Gate({said}, 4))
        rows.append(Conv(wide, made, 1))
        self.rows = nn.Sequential(*rows)

    def forward(self, x):
        return self.rows(x)


net = nn.Sequential({blocks})
net(torch.ones(2, 8, 8, 8))
"""


def told_of(folder: Path, said: str, blocks: str) -> tuple[Path, Diagnosis]:
    path = folder / "net.py"
    path.write_text(textwrap.dedent(PROGRAM).format(said=said, blocks=blocks), encoding="utf-8")
    with pytest.raises(RuntimeError), (session := shapewatch.watch()):
        runpy.run_path(str(path))
    return path, session.report.diagnoses[0]


@pytest.mark.parametrize(
    "blocks", ["Block(8, 12, 1), Block(12, 16, 2), Block(16, 8, 3)", "Block(8, 12, 2), Block(12, 8, 4)"]
)
def test_the_word_of_the_layer_before_it(blocks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path, told = told_of(tmp_path, "given", blocks)
    fix = told.fixes[0]
    assert (fix.code, fix.verified) == ("rows.append(Gate(wide, 4))", "forward")
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "rows.append(Gate(given, 4))"
    assert fix.patch is not None
    diff.apply(fix.patch)
    runpy.run_path(str(path))
