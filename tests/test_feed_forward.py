"""Feed-forward parts whose last layer does not give the width of their block back."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import torch
from keras import layers
from torch import nn

from tests.support.told import best, failing, reason


class Encoder(layers.Layer):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.attend = layers.MultiHeadAttention(2, 8)
        self.feed = keras.Sequential(
            [
                layers.Dense(hidden, activation="relu"),
                layers.Dense(hidden),
            ]
        )
        self.norms = [layers.LayerNormalization(), layers.LayerNormalization()]
        self.width = width

    def call(self, x: Any) -> Any:
        x = self.norms[0](x + self.attend(x, x))
        return self.norms[1](x + self.feed(x))


class Encoders(keras.Model):
    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.blocks = [Encoder(width, 48), Encoder(width, 48)]
        self.head = layers.Dense(3)

    def call(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        return self.head(x[:, 0])


def test_layers_that_find_out_their_widths() -> None:
    told = failing(Encoders(), np.zeros((4, 10, 16), "float32"))
    assert best(told) == ("layers.Dense(width)  # units was 48, 16 now", "forward")
    assert reason(told) == "units is 48, where 16 fits; the other sum of blocks[0] keeps the width of 16"
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "layers.Dense(hidden),"


def encoded(x: Any, hidden: int) -> Any:
    x = layers.Add()([x, layers.MultiHeadAttention(2, 8)(x, x)])
    y = layers.Dense(hidden, activation="relu")(x)
    y = layers.Dense(2 * hidden)(y)
    return layers.Add()([x, y])


def test_a_function_that_builds_blocks() -> None:
    told = failing(lambda: encoded(keras.Input((10, 16)), 24))
    code, verified = best(told)
    assert code.startswith("y = layers.Dense(16)(y)") and verified == "junction"
    assert "the other sum before it keeps the width of 16" in reason(told)


class Mixing(nn.Module):
    """Nothing in it reads a width that is not told it, so that any width runs."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(width, 2, batch_first=True)
        self.first, self.second = nn.Linear(width, hidden), nn.Linear(hidden, hidden)  # in one line

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attend(x, x, x)[0]
        fed = self.second(torch.relu(self.first(x)))
        return x + fed


def test_a_block_in_torch() -> None:
    model = nn.Sequential(Mixing(16, 48), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(10, 3))
    told = failing(model, torch.zeros(4, 10, 16))
    assert best(told) == ("self.second = nn.Linear(48, 16)  # out_features was 48", "forward")
    assert "the other sum of layer 0 keeps the width of 16" in reason(told)


def widening(x: Any, width: int) -> Any:
    """One sum, which may as well lack its projection."""
    y = layers.Dense(width, activation="relu")(x)
    return layers.Add()([x, layers.Dense(width)(y)])


def twice(x: Any) -> Any:
    """A row of such sums is no block, and the next may be wider."""
    y = layers.Dense(16, activation="relu")(x)
    x = layers.Add()([x, layers.Dense(16)(y)])
    y = layers.Dense(32, activation="relu")(x)
    y = layers.Dense(32)(y)
    return layers.Add()([x, y])


def test_sums_that_tell_nothing() -> None:
    for build in (lambda: widening(keras.Input((16,)), 32), lambda: twice(keras.Input((16,)))):
        told = failing(build)
        assert "keeps the width" not in reason(told)
