"""Causal convolutions in Keras that are padded as they would be without their dilation."""

from __future__ import annotations

import keras
from keras import layers

from tests.support.told import best, failing, reason


def _in_front(kernel: int = 3) -> keras.Model:
    x = given = keras.Input((40, 8))
    for rate in (1, 2, 4):
        y = layers.ZeroPadding1D((kernel - 1, 0))(x)
        y = layers.Conv1D(8, kernel, dilation_rate=rate, activation="relu")(y)
        x = layers.Add()([x, y])
    return keras.Model(given, x)


def test_zeros_in_front_alone() -> None:
    told = failing(_in_front)
    assert best(told) == ("y = layers.ZeroPadding1D(((kernel - 1) * rate, 0))(x)", "junction")
    assert "with dilation 2 its window reaches back 4 steps, and 2 are padded" in reason(told)


def _at_both_ends(kernel: int = 3) -> keras.Model:
    x = given = keras.Input((40, 8))
    y = layers.ZeroPadding1D((1, 1))(x)
    y = layers.Conv1D(8, kernel, dilation_rate=2, activation="relu")(y)
    return keras.Model(given, layers.Add()([x, y]))


def test_zeros_at_both_ends_are_not_causal() -> None:
    assert "reaches back" not in str(failing(_at_both_ends))
