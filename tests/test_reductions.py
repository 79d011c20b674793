"""Branches that make maps smaller side by side, one of which goes over its map in other steps than the others."""

from __future__ import annotations

import keras
import torch
from keras import layers
from torch import nn

from tests.support.told import failing, reason


class Reduction(nn.Module):
    def __init__(self, padding: int, first: int = 0) -> None:
        super().__init__()
        self.one = nn.Conv2d(8, 8, 3, stride=2, padding=first)
        self.two = nn.Sequential(nn.Conv2d(8, 4, 1), nn.Conv2d(4, 6, 3, padding=1), nn.Conv2d(6, 6, 3, 2, padding))
        self.three = nn.MaxPool2d(3, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.one(x), self.two(x), self.three(x)], 1)


def test_the_padding_of_the_one_that_is_odd() -> None:
    told = failing(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), Reduction(1)), torch.randn(2, 3, 19, 19))
    assert told.cause is not None and told.cause.layer == "1.two.2"
    assert reason(told) == "padding is 1, where 0 fits; 1.one and 1.three, in the same steps, have padding 0"


def test_maps_of_other_heights_are_not_joined_along_their_height() -> None:
    """What comes behind is not built yet, so that nothing would fail there."""

    def build() -> None:
        inputs = keras.Input((8, 16, 4))
        low = layers.Conv2D(8, (4, 2), strides=(4, 2))(inputs)
        layers.concatenate([layers.Conv2DTranspose(4, (1, 2), strides=(1, 2))(low), inputs])

    told = failing(build)
    assert told.code == "SW401"
    assert told.fixes and not any(fix.edit.get("argument") == "axis" for fix in told.fixes)
