"""Numbers that programs round the sizes of their data to."""

from __future__ import annotations

import runpy
import textwrap
from pathlib import Path

import pytest

import shapewatch
from shapewatch.report import Diagnosis

PROGRAM = """
import math

import torch
from torch import nn
from torch.nn import functional as F

{number}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(3 if i == 0 else 8, 8, 3, 2, 1) for i in range(4)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(8, 8, 2, 2) for _ in range(3)])

    def forward(self, x):
        maps = []
        for conv in self.down:
            x = conv(x)
            maps.append(x)
        for up, early in zip(self.up, reversed(maps[:-1])):
            x = up(x) + early
        return x


def padded(size):
    {padded}


net = Net()
images = torch.zeros(2, 3, padded(50), padded(70))
net(images)
"""


def told_of(folder: Path, number: str, padded: str) -> Diagnosis:
    path = folder / "net.py"
    path.write_text(textwrap.dedent(PROGRAM).format(number=number, padded=padded), encoding="utf-8")
    with pytest.raises(RuntimeError), (session := shapewatch.watch()):
        runpy.run_path(str(path))
    return session.report.diagnoses[0]


@pytest.mark.parametrize(
    "padded",
    ["return math.ceil(size / STEP) * STEP", "return -(-size // STEP) * STEP", "return size + (-size) % STEP"],
)
def test_the_number_is_told(padded: str, tmp_path: Path) -> None:
    told = told_of(tmp_path, "STEP = 8", padded)
    assert told.cause is not None and told.cause.reason == (
        "`STEP` is 8, and the sizes of the input have to divide by 16"
    )
    assert (told.fixes[0].code, told.fixes[0].verified) == ("STEP = 16", None)
    assert told.fixes[0].patch is not None


def test_sizes_that_are_no_multiples_of_it_come_from_elsewhere(tmp_path: Path) -> None:
    told = told_of(tmp_path, "STEP = 4", "return size // STEP * STEP + 2")
    assert told.cause is None or "STEP" not in told.cause.reason
