"""Vectors that a decoder lays out as maps of too few places: the rest of each sample goes into the batch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from tests.support.told import best, failing, reason


class Decoder(nn.Module):
    def __init__(self, sides: tuple[int, int], channels: int = 6, width: int = 6 * 8 * 8) -> None:
        super().__init__()
        self.sides, self.channels = sides, channels
        self.up = nn.Linear(5, width)
        self.paint = nn.ConvTranspose2d(channels, 3, 2, stride=2)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        high, wide = self.sides
        return self.paint(self.up(z).view(-1, self.channels, high, wide))


def painted(model: nn.Module, side: int) -> None:
    drawn = torch.rand(4, 3, side, side)
    functional.binary_cross_entropy_with_logits(model(torch.rand(4, 5)), drawn).backward()


def test_the_sides_are_those_that_leave_each_sample_its_map() -> None:
    told = failing(painted, Decoder((4, 4)), 16)
    code, verified = best(told)
    assert code == "return self.paint(self.up(z).view(-1, self.channels, 8, 8))  # shape was (-1, 6, 4, 4)"
    assert verified == "junction"
    assert reason(told).startswith("shape is (-1, 6, 4, 4), where (-1, 6, 8, 8) fits")
    assert told.cause is not None and told.cause.location is not None
    assert (told.cause.location.source or "").startswith("return self.paint(")


def test_samples_that_were_run_together_are_parted_too() -> None:
    code, verified = best(failing(painted, Decoder((16, 16)), 16))
    assert ("self.channels, 8, 8)" in code, verified) == (True, "junction")


def test_sides_that_the_target_does_not_bear_out_are_not_offered() -> None:
    told = failing(painted, Decoder((4, 4)), 32)
    assert not any("8, 8)" in fix.code for fix in told.fixes)


def test_nothing_is_offered_where_the_places_make_no_map_of_that_proportion() -> None:
    told = failing(painted, Decoder((4, 4), width=6 * 4 * 8), 16)
    assert not any(".view(-1, self.channels, " in fix.code for fix in told.fixes)
