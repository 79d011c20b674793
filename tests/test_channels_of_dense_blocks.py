"""Dense blocks whose channels a loop counts for one of their layers alone."""

from __future__ import annotations

import torch
from torch import nn

from tests.support.told import best, failing, reason


class Step(nn.Module):
    def __init__(self, given: int, growth: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(given, growth, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.conv(x)], dim=1)


class Row(nn.Sequential):
    def __init__(self, steps: int, given: int, growth: int) -> None:
        super().__init__(*[Step(given + at * growth, growth) for at in range(steps)])


class Held(nn.Module):
    """The same with its layers in an attribute."""

    def __init__(self, steps: int, given: int, growth: int) -> None:
        super().__init__()
        self.steps = nn.ModuleList(Step(given + at * growth, growth) for at in range(steps))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for step in self.steps:
            x = step(x)
        return x


class Dense(nn.Module):
    def __init__(self, growth: int = 4) -> None:
        super().__init__()
        width, rows = 6, []
        for steps in (2, 3):
            rows.append(Row(steps, width, growth))
            width = width + growth
            rows.append(nn.Conv2d(width, width // 2, 1))
            width = width // 2
        self.rows = nn.Sequential(*rows)
        self.head = nn.Conv2d(width, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rows(x))


class DenseOfHeld(nn.Module):
    def __init__(self, growth: int = 4) -> None:
        super().__init__()
        width, self.rows = 6, nn.ModuleList()
        for steps in (2, 3):
            self.rows.append(Held(steps, width, growth))
            width += growth
        self.head = nn.Conv2d(width, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for row in self.rows:
            x = row(x)
        return self.head(x)


class CountedWell(nn.Module):
    """Every block is counted with all its layers, and the head is made for another number."""

    def __init__(self, growth: int = 4) -> None:
        super().__init__()
        width, rows = 6, []
        for steps in (2, 3):
            rows.append(Row(steps, width, growth))
            width += steps * growth
        self.rows = nn.Sequential(*rows)
        self.head = nn.Conv2d(width + growth, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rows(x))


def test_the_line_that_counts() -> None:
    told = failing(Dense(), torch.randn(2, 6, 8, 8))
    assert best(told) == ("width = width + steps * growth", None)
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "width = width + growth"
    assert reason(told).startswith("`width` grows by `growth`")


def test_layers_in_an_attribute() -> None:
    assert best(failing(DenseOfHeld(), torch.randn(2, 6, 8, 8))) == ("width += steps * growth", None)


def test_blocks_that_are_counted_well() -> None:
    told = failing(CountedWell(), torch.randn(2, 6, 8, 8))
    assert told.cause is not None and told.cause.layer == "head"
    assert not any("steps *" in fix.code for fix in told.fixes)
