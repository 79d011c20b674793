"""Data that a `reshape` lays out for a model: the line that does is the one to change, not what comes behind it."""

from __future__ import annotations

import keras
import numpy as np
import torch
from keras import layers
from torch import nn

from tests.support.told import best, failing


def test_a_reshape_in_the_line_that_fits() -> None:
    steps, features = 10, 2
    data, values = np.zeros((8, 20), "float32"), np.zeros((8, 1), "float32")
    model = keras.Sequential([keras.Input((steps, features)), layers.LSTM(4), layers.Dense(1)])
    model.compile("sgd", "mse")

    def run() -> None:
        model.fit(data.reshape(len(data), features, steps), values, verbose=0)

    assert failing(run).fixes[0].code == "model.fit(data.reshape(len(data), steps, features), values, verbose=0)"


class Steps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


def test_a_reshape_that_made_the_variable() -> None:
    model, width = Steps(), 3

    def run() -> None:
        rows = torch.randn(6, 60)
        batch = rows.reshape(6, 20, width)
        model(batch)

    assert best(failing(run)) == ("batch = rows.reshape(6, width, 20)", "forward")


def test_data_that_nothing_reshapes() -> None:
    model = Steps()

    def run() -> None:
        batch = torch.randn(6, 20, 3)
        model(batch)

    assert best(failing(run))[0] == "batch = batch.permute(0, 2, 1)"
