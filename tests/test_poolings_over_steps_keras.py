"""Poolings over all steps in Keras and TensorFlow whose window is one short of them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.support.told import best, failing, reason

STEPS = 20


def _texts(width: int = 3) -> None:
    given = keras.Input((STEPS, 6))
    y = layers.Conv1D(8, width, activation="relu")(given)
    y = layers.MaxPooling1D(STEPS - width, strides=1)(y)
    y = layers.Reshape((8,))(y)
    keras.Model(given, y)


def _rows(x: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    size = 3
    y = tf.nn.conv2d(x, tf.ones((size, 6, 1, 8)), strides=1, padding="VALID")
    y = tf.nn.max_pool2d(y, ksize=[1, STEPS - size, 1, 1], strides=1, padding="VALID")
    return tf.reshape(y, [-1, 8]) - labels


def test_rows_that_are_twice_as_many() -> None:
    told = failing(_rows, tf.ones((4, STEPS, 6, 1)), tf.ones((4, 8)))
    code, verified = best(told)
    assert code == 'y = tf.nn.max_pool2d(y, ksize=[1, STEPS - size + 1, 1, 1], strides=1, padding="VALID")'
    assert verified is None
    assert "its window is one short of the steps, and two places are left, where one is taken" in reason(told)


@pytest.mark.parametrize("samples", [4, 5])
def test_rows_of_another_number_tell_nothing(samples: int) -> None:
    x = np.ones((samples, STEPS, 6, 1), "float32")
    assert "short of the steps" not in str(failing(_rows, tf.constant(x), tf.ones((2 * samples - 1, 8))))


def test_a_reshape_that_takes_one_place() -> None:
    told = failing(_texts)
    code, verified = best(told)
    assert code == "y = layers.MaxPooling1D(STEPS - width + 1, strides=1)(y)" and verified == "junction"
