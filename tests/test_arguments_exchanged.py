"""Layers that are called with two of their arguments in each other's place."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import shapewatch
from tests.support.told import best, failing, reason


class Gate(nn.Module):
    def __init__(self, skip: int, deep: int) -> None:
        super().__init__()
        self.theta, self.phi = nn.Conv2d(skip, 4, 2, 2), nn.Conv2d(deep, 4, 1)
        self.up = nn.Sequential(nn.Conv2d(4, 1, 1), nn.Upsample(scale_factor=2))

    def forward(self, skip: torch.Tensor, deep: torch.Tensor) -> torch.Tensor:
        return skip * self.up(torch.relu(self.theta(skip) + self.phi(deep)))


class Gated(nn.Module):
    def __init__(self, early: int, late: int) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, early, 3, 1, 1), nn.Conv2d(early, late, 3, 2, 1)
        self.gate, self.up = Gate(early, late), nn.ConvTranspose2d(late, early, 2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        early = torch.relu(self.one(x))
        late = torch.relu(self.two(early))
        kept = self.gate(late, early)
        return self.up(late) + kept


def test_a_gate_whose_skip_and_signal_are_exchanged() -> None:
    told = failing(Gated(8, 16), torch.randn(2, 3, 16, 16))
    assert best(told) == ("kept = self.gate(early, late)", "forward")
    assert reason(told) == "`late` and `early` are in each other's place"


def test_of_as_many_channels_the_sizes_tell() -> None:
    told = failing(Gated(8, 8), torch.randn(2, 3, 16, 16))
    assert best(told) == ("kept = self.gate(early, late)", "forward")


class Row(nn.Module):
    """A decoder whose blocks are all called the wrong way round."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(3, 8, 3, 1, 1), nn.Conv2d(8, 16, 3, 2, 1), nn.Conv2d(16, 32, 3, 2, 1)])
        self.up = nn.ModuleList([Up(32, 16), Up(16, 8)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = []
        for conv in self.down:
            x = conv(x)
            maps.append(x)
        for up, skip in zip(self.up, maps[-2::-1], strict=True):
            x = up(skip, x)
        return x


class Up(nn.Module):
    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.grow, self.mix = nn.ConvTranspose2d(given, made, 2, 2), nn.Conv2d(2 * made, made, 3, 1, 1)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        return self.mix(torch.cat([self.grow(x), skip], 1))


def test_every_turn_of_a_loop() -> None:
    told = failing(Row(), torch.randn(2, 3, 16, 16))
    assert best(told) == ("x = up(x, skip)", "forward")


def test_a_gate_that_is_made_for_other_widths() -> None:
    """Exchanged or not, what comes does not fit."""
    model = Gated(8, 16)
    model.gate = Gate(16, 12)
    with pytest.raises(RuntimeError), (session := shapewatch.watch()):
        model(torch.randn(2, 3, 16, 16))
    told = session.report.diagnoses
    assert told and not any(each.cause is not None and "each other's" in each.cause.reason for each in told)
