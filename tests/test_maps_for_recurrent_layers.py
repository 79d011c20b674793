"""Maps that are given to a recurrent layer: one for each step, or one whose columns are the steps."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers
from torch import nn

import shapewatch
from tests.support.told import failing


class Clips(nn.Module):
    """(N, T, C, H, W): a map for each step."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.lstm = nn.Conv2d(3, 8, 3), nn.LSTM(8 * 6 * 5, 16, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.conv(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        y, _ = self.lstm(maps)
        return y


class Line(nn.Module):
    """(N, C, H, W): a line of text, which is read along its width."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv, self.gru = nn.Conv2d(1, 8, 3, padding=1), nn.GRU(features, 16, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.conv(x)
        y, _ = self.gru(maps)
        return y


def test_a_map_for_each_step() -> None:
    model, x = Clips(), torch.randn(2, 4, 3, 8, 7)
    told = failing(model, x)
    (fix, *_) = told.fixes
    assert (told.code, fix.verified, fix.code) == ("SW701", "forward", "y, _ = self.lstm(maps.flatten(2))")
    assert "takes 2 or 3 axes and is given 5" in told.headline
    with fix.applied(model):
        assert model(x).shape == (2, 4, 16)


@pytest.mark.parametrize("width", [11, 6])
def test_the_columns_of_a_line_are_its_steps(width: int) -> None:
    """Also where the map is square, and channels taken for steps would fit."""
    model, x = Line(8 * 6), torch.randn(2, 1, 6, width)
    (fix, *_) = failing(model, x).fixes
    assert (fix.verified, fix.code) == ("forward", "y, _ = self.gru(maps.permute(0, 3, 1, 2).flatten(2))")
    with fix.applied(model):
        assert model(x).shape == (2, width, 16)


def test_a_width_that_no_reading_of_the_map_gives() -> None:
    told = failing(Line(50), torch.randn(2, 1, 6, 11))
    assert told.code == "SW701"
    assert not any(fix.verified == "forward" and "flatten" in fix.code for fix in told.fixes)


def of_clips(inner: Any) -> keras.Sequential:
    each = [layers.TimeDistributed(layers.Conv2D(4, 3)), layers.TimeDistributed(layers.MaxPooling2D())]
    return keras.Sequential([keras.Input((4, 8, 8, 3)), *each, *inner, layers.LSTM(5)])


def test_a_map_for_each_step_in_keras() -> None:
    with pytest.raises(ValueError, match="expected ndim=3"), shapewatch.watch() as session:
        of_clips([])
    (told,) = session.report.diagnoses
    (fix, *_) = told.fixes
    assert (told.code, fix.verified) == ("SW701", "junction")
    assert fix.code.startswith("layers.TimeDistributed(layers.Flatten()),  # before lstm")
    assert of_clips([layers.TimeDistributed(layers.Flatten())]).output_shape == (None, 5)


def test_a_map_for_each_step_in_a_call() -> None:
    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.lstm = layers.TimeDistributed(layers.Conv2D(4, 3)), layers.LSTM(5)

        def call(self, x: Any) -> Any:
            maps = self.conv(x)
            return self.lstm(maps)

    model = Net()
    session = shapewatch.watch(model)
    with pytest.raises(ValueError, match="ndim"), session:
        model(np.zeros((2, 4, 8, 8, 3), "float32"))
    (fix, *_) = session.report.diagnoses[0].fixes
    assert fix.verified == "forward"
    assert fix.code == "return self.lstm(keras.ops.reshape(maps, (*keras.ops.shape(maps)[:2], -1)))"
