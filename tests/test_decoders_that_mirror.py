"""A linear layer before a reshape to a map: which of the two is wrong, what was laid flat before tells."""

from __future__ import annotations

from typing import Any

import keras
import pytest
import torch
from keras import layers
from torch import nn
from torch.nn import functional

from tests.support.told import best, failing, reason


def _flattened(width: int, name: str = "encoder") -> keras.Model:
    given = keras.Input((20, 20, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(given)
    x = layers.Conv2D(width, 3, strides=2, padding="same")(x)
    return keras.Model(given, layers.Dense(6)(layers.Flatten(name="flat")(x)), name=name)


def _laid_out() -> Any:
    given = keras.Input((6,))
    x = layers.Dense(5 * 5 * 12, activation="relu")(given)
    x = layers.Reshape((5, 5, 24))(x)
    return keras.Model(given, layers.Conv2DTranspose(24, 3, strides=2, padding="same")(x))


def _after(*widths: int) -> Any:
    for at, width in enumerate(widths):
        _flattened(width, f"encoder_{at}")
    return _laid_out()


def test_the_linear_layer_is_made_for_the_map_that_was_laid_flat() -> None:
    told = failing(_after, 24)
    assert 'x = layers.Dense(5 * 5 * 24, activation="relu")(given)' in best(told)[0]
    assert told.cause is not None and told.cause.type == "Dense"
    assert "flat before it lays a map of [5, 5, 24] flat" in reason(told)


def test_the_reshape_is_to_the_map_that_was_laid_flat() -> None:
    told = failing(_after, 12)
    assert "x = layers.Reshape((5, 5, 12))(x)" in best(told)[0]
    assert "flat before it lays a map of [5, 5, 12] flat" in reason(told)


@pytest.mark.parametrize("widths", [(), (7,)])
def test_where_no_such_map_was_laid_flat_nothing_is_said_of_it(widths: tuple[int, ...]) -> None:
    assert not [phrase for fix in failing(_after, *widths).fixes for phrase in fix.evidence if "lays a map" in phrase]


class Coded(nn.Module):
    def __init__(self, rows: bool) -> None:
        super().__init__()
        self.rows = rows
        self.down = nn.Conv2d(1, 12, 4, stride=4)
        self.code = nn.Linear(12 * 5 * 5, 6)
        self.lay = nn.Linear(6, 6 * 5 * 5)
        self.up = nn.ConvTranspose2d(12, 1, 4, stride=4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = self.code(torch.flatten(torch.relu(self.down(x)), 1))
        h = torch.relu(self.lay(z))
        h = h.view(x.size(0), 12, 5, 5) if self.rows else h.view(-1, 12, 5, 5)
        return self.up(h)


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("rows", [True, False])
def test_a_view(rows: bool) -> None:
    model, x = Coded(rows), torch.zeros(4, 1, 20, 20)
    told = failing(lambda: functional.mse_loss(model(x), x))
    line = "self.lay = nn.Linear(6, 12 * 5 * 5)  # out_features was 150, 300 now"
    assert best(told) == (line, "forward" if rows else "junction")
    with told.fixes[0].applied(model):
        assert model(x).shape == x.shape


class Spread(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(12, 1, 4, stride=4)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.up(z.view(-1, 12, 5, 5))


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_a_view_that_loses_the_batch_of_what_no_linear_layer_made() -> None:
    model, x, z = Spread(), torch.zeros(4, 1, 20, 20), torch.zeros(4, 150)
    assert not failing(lambda: functional.mse_loss(model(z), x)).fixes
