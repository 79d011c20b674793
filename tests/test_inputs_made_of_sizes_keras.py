"""An input of a Keras model that a line makes of nothing but its sizes, and has others than fit."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import Model, layers

from tests.support.told import best, failing


class Painter(Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.kinds, self.paint = layers.Embedding(5, 3), layers.Dense(12)

    def call(self, drawn: Any, kinds: Any) -> Any:
        return self.paint(tf.concat([drawn, self.kinds(kinds)], 1))


def painted(rows: int) -> None:
    kinds = tf.range(20) % 5
    drawn = tf.random.normal([rows * 2, 6])
    Painter()(drawn, kinds)


def test_as_many_rows_as_another_argument_has() -> None:
    code, verified = best(failing(painted, 8))
    assert code == "drawn = tf.random.normal([tf.shape(kinds)[0], 6])"
    assert verified == "forward"
