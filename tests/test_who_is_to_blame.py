"""Who is blamed where no layer's setting is wrong: weights of one's own, a declared input, what a line is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from keras import layers

import shapewatch
from shapewatch.report import Diagnosis


def diagnosed(run: Callable[[], Any]) -> Diagnosis:
    """The first diagnosis of what a function raises."""
    with pytest.raises((ValueError, RuntimeError, tf.errors.OpError)), (session := shapewatch.watch()):
        run()
    return session.report.diagnoses[0]


def here(diagnosis: Diagnosis) -> str:
    """The line that is blamed."""
    assert diagnosis.cause is not None and diagnosis.cause.location is not None
    assert Path(diagnosis.cause.location.file) == Path(__file__)
    return diagnosis.cause.location.source or ""


# Weights of one's own


class Scores(layers.Layer):
    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight(name="w", shape=(input_shape[1], 1))

    def call(self, x: Any) -> Any:
        return tf.matmul(x, self.w)


def test_weights_made_for_another_axis_are_blamed_and_not_the_input() -> None:
    diagnosis = diagnosed(lambda: Scores()(keras.Input((20, 32))))
    assert here(diagnosis) == 'self.w = self.add_weight(name="w", shape=(input_shape[1], 1))'
    assert diagnosis.cause is not None and "20 is axis 1 of [?, 20, 32]" in diagnosis.cause.reason


def test_an_input_for_which_other_weights_would_be_made_is_no_fix() -> None:
    """With its axes swapped the input would fit the weights that there are. The layer would make others."""
    diagnosis = diagnosed(lambda: Scores()(keras.Input((20, 32))))
    shapes = [fix.edit.get("shape") for fix in diagnosis.fixes if fix.verified]
    assert (None, 32, 20) not in shapes


def turned() -> Any:
    weights = tf.Variable(tf.zeros([3, 7]))
    return tf.matmul(tf.zeros([5, 7]), weights)


def test_weights_that_fit_in_the_other_order() -> None:
    diagnosis = diagnosed(turned)
    assert diagnosis.fixes[0].edit["value"] == (7, 3)
    assert here(diagnosis) == "weights = tf.Variable(tf.zeros([3, 7]))"


def used_twice() -> Any:
    weights = tf.Variable(tf.zeros([7, 3]))
    code = tf.matmul(tf.zeros([5, 7]), weights)
    return tf.matmul(code, weights)


def test_weights_that_fit_elsewhere_are_not_to_be_changed() -> None:
    diagnosis = diagnosed(used_twice)
    assert diagnosis.cause is None
    assert not diagnosis.fixes


def recurrent() -> Any:
    weights, again = tf.Variable(tf.zeros([12, 24])), tf.Variable(tf.zeros([12, 24]))
    state = tf.zeros([4, 24])
    return tf.matmul(tf.zeros([4, 12]), weights) + tf.matmul(state, again)


def test_weights_beside_others_as_wide_keep_their_width() -> None:
    assert diagnosed(recurrent).fixes[0].edit["value"] == (24, 24)


# What the model is declared for


def declared() -> keras.Model:
    inputs = keras.Input((12,))
    model = keras.Model(inputs, layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    return model


def test_a_table_of_other_columns_than_were_declared() -> None:
    model, table = declared(), np.zeros((20, 10))
    diagnosis = diagnosed(lambda: model.fit(table, np.zeros((20, 1)), verbose=0))
    assert here(diagnosis) == "inputs = keras.Input((12,))"
    first, second = diagnosis.fixes
    assert first.code == "inputs = keras.Input((10,))"
    assert second.changes and second.verified == "forward"


def test_a_declaration_that_the_model_ran_with_is_not_blamed() -> None:
    model = declared()

    def trained_and_asked() -> None:
        model.fit(np.zeros((20, 12)), np.zeros((20, 1)), verbose=0)
        model.predict(np.zeros((20, 10)), verbose=0)

    diagnosis = diagnosed(trained_and_asked)
    assert diagnosis.cause is not None and diagnosis.cause.layer == "input"
    assert [fix.edit["action"] for fix in diagnosis.fixes] == ["input"]


def pictures_without_channels() -> keras.Model:
    pictures = np.zeros((20, 28, 28))
    return keras.Sequential([layers.Conv2D(4, 3, input_shape=(28, 28)), layers.Flatten(), layers.Dense(pictures.ndim)])


@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`")
def test_a_declaration_is_mended_where_it_stands() -> None:
    diagnosis = diagnosed(pictures_without_channels)
    assert "input_shape=(28, 28)" in here(diagnosis)
    assert "input_shape=(28, 28, 1)" in diagnosis.fixes[0].code


def test_a_table_for_a_recurrent_layer_that_declares_nothing() -> None:
    rows = np.zeros((20, 8))
    model = keras.Sequential([layers.LSTM(4), layers.Dense(1)])
    model.compile("sgd", "mse")
    diagnosis = diagnosed(lambda: model.fit(rows, np.zeros((20, 1)), verbose=0))
    assert diagnosis.fixes[0].edit["shape"] == (None, 8, 1)
    assert diagnosis.fixes[0].verified == "forward"


# What a line is given


def test_arrays_of_other_lengths_have_names() -> None:
    model, images, labels = declared(), np.zeros((20, 12)), np.zeros((18, 1))
    diagnosis = diagnosed(lambda: model.fit(images, labels, verbose=0))
    assert diagnosis.headline.endswith("images has 20, labels has 18")


def in_torch() -> Any:
    joined = torch.ones(2, 6)
    a, b, c = joined.chunk(2, dim=1)
    return a, b, c


def in_tensorflow() -> Any:
    a, b, c = tf.split(tf.zeros([2, 6]), 2, axis=1)
    return a, b, c


@pytest.mark.parametrize("run", [in_torch, in_tensorflow])
def test_parts_for_more_names_than_there_are(run: Callable[[], Any]) -> None:
    diagnosis = diagnosed(run)
    assert diagnosis.code == "SW403"
    assert "gives 2 parts, and 3 names take them" in diagnosis.headline


def upsampled(size: int) -> Callable[[], Any]:
    def run() -> Any:
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            kernel, small = tf.zeros([3, 3, 4, 8]), tf.compat.v1.placeholder(tf.float32, [2, 5, 5, 8])
            large = tf.nn.conv2d_transpose(small, kernel, [2, size, size, 4], strides=2)
            return session.run(large, {small: np.zeros((2, 5, 5, 8))})

    return run


def test_a_size_that_a_transposed_convolution_cannot_give() -> None:
    diagnosis = diagnosed(upsampled(12))
    assert diagnosis.code == "SW510"
    assert "asked for [12, 12] and can give [9, 9] to [10, 10]" in diagnosis.headline


@pytest.mark.parametrize("size", [9, 10])
def test_the_sizes_that_it_can_give(size: int) -> None:
    with shapewatch.watch() as session:
        upsampled(size)()
    assert session.report.ok
