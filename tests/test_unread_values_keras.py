"""A line takes another variable than was meant, in Keras and TensorFlow."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import shapewatch


class Block(layers.Layer):
    def __init__(self, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(width, 3, stride, "same")
        self.conv2 = layers.Conv2D(width, 3, 1, "same")
        self.shortcut = layers.Conv2D(width, 1, stride)

    def call(self, x: Any) -> Any:
        out = ops.relu(self.conv1(x))
        out = self.conv2(x)
        return ops.relu(out + self.shortcut(x))


class Network(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Block(8), Block(16, 2)

    def call(self, x: Any) -> Any:
        return self.second(self.first(x))


def test_a_subclassed_block() -> None:
    model = Network()
    images = np.zeros((2, 12, 12, 4), "float32")
    session = shapewatch.watch(model)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)), session:
        model(images)
    (told,) = session.report.diagnoses
    fix = told.fixes[0]
    assert (fix.code, fix.verified, fix.output_shape) == ("out = self.conv2(out)", "forward", (2, 6, 6, 16))
    assert told.cause is not None and told.cause.type == "Block"
    fresh = Network()
    with fix.applied(fresh):
        assert fresh(images).shape == (2, 6, 6, 16)


def residual(x: Any, width: int, stride: int) -> Any:
    y = layers.Conv2D(width, 3, strides=stride, padding="same")(x)
    y = layers.ReLU()(y)
    z = layers.Conv2D(width, 3, padding="same")(x)
    return layers.Add()([z, layers.Conv2D(width, 1, strides=stride)(x)])


def test_a_functional_model_while_it_is_made() -> None:
    with pytest.raises(ValueError, match="incompatible shapes"), shapewatch.watch() as session:
        residual(residual(keras.Input((12, 12, 4)), 8, 1), 16, 2)
    (told,) = session.report.diagnoses
    fix = told.fixes[0]
    assert fix.code == 'z = layers.Conv2D(width, 3, padding="same")(y)'
    assert fix.verified == "junction"


class Perceptron(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w1, self.w2, self.w3 = (tf.Variable(tf.zeros(shape)) for shape in ((8, 16), (16, 16), (16, 4)))

    def __call__(self, x: Any) -> Any:
        hidden = tf.nn.relu(x @ self.w1)
        gated = hidden * tf.nn.sigmoid(hidden @ self.w2)  # noqa: F841 - which is the mistake
        return x @ self.w3


def test_weights_of_ones_own() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError), shapewatch.watch() as session:
        Perceptron()(tf.zeros((5, 8)))
    (told,) = session.report.diagnoses
    assert told.fixes[0].code == "return gated @ self.w3"
    assert told.fixes[0].verified == "forward"


class Layered(tf.Module):
    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.w = tf.Variable(tf.zeros((given, made)))

    def __call__(self, x: Any) -> Any:
        return tf.matmul(x, self.w)


class Tower(tf.Module):
    """The head takes what comes before the tower; `out` is made by a loop."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.blocks, self.head = Layered(7, 12), [Layered(12, 12), Layered(12, 12)], Layered(12, 3)

    @tf.function
    def __call__(self, numbers: Any, places: Any) -> Any:
        x = tf.concat([numbers, places], axis=1)
        out = tf.nn.relu(self.stem(x))
        for block in self.blocks:
            out = block(out)
        return self.head(x)


def test_a_value_that_a_loop_makes() -> None:
    with pytest.raises(ValueError, match="Dimensions"), shapewatch.watch() as session:
        Tower()(tf.zeros((5, 4)), tf.zeros((5, 3)))
    (told,) = session.report.diagnoses
    assert (told.fixes[0].code, told.fixes[0].verified) == ("return self.head(out)", "forward")


def masked(scores: Any, mask: Any) -> Any:
    return scores - 1e9 * (1.0 - tf.cast(mask, tf.float32))


class Pair(tf.Module):
    """The mask of the other sequence, given to a function that serves both."""

    def __call__(self, long: Any, short: Any) -> Any:
        of_long, of_short = tf.not_equal(long[..., 0], 0.0), tf.not_equal(short[..., 0], 0.0)  # noqa: F841
        scores = tf.matmul(long, short, transpose_b=True)
        weights = tf.nn.softmax(masked(scores, of_long[:, None, :]))
        ends = masked(tf.reduce_sum(long, -1), of_long)
        return tf.matmul(weights, short), ends


def test_a_mask_that_a_helper_is_given() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError), shapewatch.watch() as session:
        Pair()(tf.ones((2, 8, 4)), tf.ones((2, 5, 4)))
    (told,) = session.report.diagnoses
    fix = told.fixes[0]
    assert fix.code == "weights = tf.nn.softmax(masked(scores, of_short[:, None, :]))"
    assert fix.verified == "forward"
