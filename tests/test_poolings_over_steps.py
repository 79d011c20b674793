"""Poolings over all steps whose window is a little short of them; and variables of loops that nobody reads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from shapewatch.adapters.unread import line_at
from shapewatch.recording import Span
from tests.support.told import best, failing, reason

STEPS, WIDTH = 20, 6


class Text(nn.Module):
    """Convolutions of several widths beside each other, each pooled over what it gives."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(WIDTH, 8, width) for width in (3, 4))
        self.last = nn.Linear(16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = []
        for conv in self.convs:
            y = torch.relu(conv(x))
            pooled.append(functional.max_pool1d(y, y.size(2) - 1, stride=1))
        return self.last(torch.cat(pooled, dim=1).flatten(1))


class ByKernel(Text):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = []
        for conv in self.convs:
            y = torch.relu(conv(x))
            pooled.append(functional.max_pool1d(y, x.size(2) - conv.kernel_size[0], stride=1))
        return self.last(torch.cat(pooled, dim=1).view(len(x), -1))


class OfLayers(nn.Module):
    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv1d(WIDTH, 8, width), nn.Linear(8, 2)
        self.pool = nn.MaxPool1d(STEPS - width, stride=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.pool(self.conv(x)).flatten(1))


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (Text, "pooled.append(functional.max_pool1d(y, y.size(2), stride=1))"),
        (ByKernel, "pooled.append(functional.max_pool1d(y, x.size(2) - conv.kernel_size[0] + 1, stride=1))"),
        (OfLayers, "self.pool = nn.MaxPool1d(STEPS - width + 1, stride=1)"),
    ],
)
def test_a_window_that_is_one_short(model: type[nn.Module], code: str) -> None:
    made, x = model(), torch.randn(4, WIDTH, STEPS)
    told = failing(made, x)
    assert best(told) == (code, "forward")
    assert "one short of the steps, and two places are left, where one is taken" in reason(told)
    with told.fixes[0].applied(made):
        assert made(x).shape == (4, 2)


class Halved(OfLayers):
    """A pooling that is to leave several places."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool1d(2, stride=1)


def test_a_small_window_is_not_meant_for_all_steps() -> None:
    assert "short of the steps" not in str(failing(Halved(), torch.randn(4, WIDTH, 6)))


_LOOPS = """\
def run(xs, sizes):
    total = 0
    for i, size in enumerate(sizes):
        total = total + xs.view(-1, size)
    kept = total * 2
    return total.view(-1, sizes[0])
"""


def test_a_loops_variable_is_no_forgotten_value(tmp_path: Path) -> None:
    file = tmp_path / "loops.py"
    file.write_text(_LOOPS)
    inside, behind = line_at(Span(str(file), 4)), line_at(Span(str(file), 6))
    assert inside is not None and behind is not None
    assert [bound.name for bound in inside.variables if not bound.read and bound.lines] == ["total"]
    assert [bound.name for bound in behind.variables if not bound.read and bound.lines] == ["kept"]
