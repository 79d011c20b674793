"""Operations along another axis than was meant, in Keras and TensorFlow: the same repairs, in their own words."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from tests.support.told import failing


class Windows(keras.Model):
    """The largest of the filters, and not of the places, gated by what the words say on the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.gate, self.head = layers.Embedding(50, 16), layers.Dense(36), layers.Dense(3)
        self.windows = [layers.Conv1D(12, size) for size in (2, 3, 4)]

    def call(self, words: Any) -> Any:
        x = self.embed(words)
        found = [ops.max(window(x), axis=2) for window in self.windows]
        return self.head(ops.concatenate(found, axis=1) * ops.sigmoid(self.gate(ops.mean(x, axis=1))))


def test_a_reduction_in_a_loop() -> None:
    model, words = Windows(), np.zeros((5, 20), "int32")
    (fix, *_) = failing(model, words).fixes
    assert (fix.verified, fix.output_shape) == ("forward", (5, 3))
    assert fix.code == "found = [ops.max(window(x), axis=1) for window in self.windows]  # axis was 2"


class Weighed(layers.Layer):
    def call(self, x: Any) -> Any:
        weights = tf.nn.softmax(tf.matmul(x, x, transpose_b=True))
        return tf.matmul(x, weights)


def test_factors_in_each_others_place() -> None:
    told = failing(Weighed(), np.zeros((2, 9, 4), "float32"))
    assert told.fixes[0].code == "return tf.matmul(weights, x)"
    assert told.cause is not None and "each other's place" in told.cause.reason


class Segments(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = layers.Conv2D(10, 4, 4), layers.Conv2D(2, 1)

    def build(self, _shape: Any) -> None:
        self.token = self.add_weight(shape=(1, 1, 10))

    def call(self, x: Any) -> Any:
        places = ops.reshape(self.embed(x), (2, 15, 10))
        t = ops.concatenate([ops.repeat(self.token, 2, axis=0), places], axis=1)
        return self.head(ops.reshape(t, (2, 5, 3, 10)))


def test_tokens_in_front_of_a_map_are_taken_off() -> None:
    model, image = Segments(), np.zeros((2, 20, 12, 3), "float32")
    (fix, *_) = failing(model, image).fixes
    assert fix.code == "return self.head(ops.reshape(t[:, 1:], (2, 5, 3, 10)))"
    assert (fix.verified, fix.output_shape) == ("forward", (2, 5, 3, 2))


class Pooled(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(tf.zeros((14, 3)))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        mean = tf.reduce_mean(x, axis=2)
        deviation = tf.math.reduce_std(x, axis=2)
        return tf.matmul(tf.concat([mean, deviation], axis=1), self.w)


def test_reductions_on_two_lines() -> None:
    told = failing(Pooled(), tf.zeros((4, 30, 7)))
    assert told.fixes[0].verified == "forward"
    assert told.fixes[0].code.splitlines() == [
        "mean = tf.reduce_mean(x, axis=1)  # axis was 2",
        "deviation = tf.math.reduce_std(x, axis=1)  # axis was 2",
    ]
