"""A size in a layer class of the program's that its constructor is given, in Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tests.support.told import best, failing


class Places(layers.Layer):
    def __init__(self, places: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = self.add_weight(shape=(1, places, width), initializer="zeros")

    def call(self, x: Any) -> Any:
        return x + self.table


class BuiltLater(layers.Layer):
    def __init__(self, places: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.places = places

    def build(self, shape: Any) -> None:
        self.table = self.add_weight(shape=(self.places, shape[-1]), name="table")

    def call(self, x: Any) -> Any:
        return x + self.table


class Marked(keras.Model):
    """Joins one place in front of those that it has a table for."""

    def __init__(self, size: int, patch: int, later: bool) -> None:
        super().__init__()
        self.patches = layers.Conv2D(4, patch, strides=patch)
        if later:
            self.places = BuiltLater((size // patch) ** 2)
        else:
            self.table = Places((size // patch) ** 2, 4)
        self.later = later

    def call(self, image: Any) -> Any:
        x = layers.Reshape((-1, 4))(self.patches(image))
        x = ops.concatenate([ops.mean(x, axis=1, keepdims=True), x], axis=1)
        return self.places(x) if self.later else self.table(x)


class Twice(layers.Layer):
    """What the argument is for two weights."""

    def __init__(self, places: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = self.add_weight(shape=(places, 4))
        self.scale = self.add_weight(shape=(places, 1))

    def call(self, x: Any) -> Any:
        return (x + self.table) * self.scale


class MarkedTwice(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.places = Twice(9)

    def call(self, x: Any) -> Any:
        return self.places(ops.concatenate([ops.mean(x, axis=1, keepdims=True), x], axis=1))


def test_places_for_one_that_is_joined() -> None:
    told = failing(Marked(6, 2, False), np.zeros((2, 6, 6, 3), "float32"))
    assert best(told) == ("self.table = Places((size // patch) ** 2 + 1, 4)  # places was 9, 10 now", "forward")


def test_a_size_that_the_layer_keeps_until_it_is_built() -> None:
    told = failing(Marked(6, 2, True), np.zeros((2, 6, 6, 3), "float32"))
    assert best(told) == ("self.places = BuiltLater((size // patch) ** 2 + 1)  # places was 9, 10 now", "forward")


def test_an_argument_that_more_depends_on_is_left_alone() -> None:
    told = failing(MarkedTwice(), np.zeros((2, 9, 4), "float32"))
    assert not any("Twice(" in fix.code for fix in told.fixes)
