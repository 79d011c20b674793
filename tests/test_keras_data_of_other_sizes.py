"""Data of another size than a model was made for, where what fails is no layer that knows it by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import shapewatch
from shapewatch.report import Diagnosis


def diagnosed(run: Callable[[], Any]) -> Diagnosis:
    with pytest.raises(Exception), (session := shapewatch.watch()):  # noqa: B017
        run()
    return session.report.diagnoses[0]


def judge() -> Any:
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(4, 4, strides=2), layers.Flatten()])
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("sgd", "binary_crossentropy")
    return model


def test_a_graph_that_was_traced_for_any_size() -> None:
    """After 28 x 28 come 32 x 32: TensorFlow traces for any size, and the product fails while the graph runs."""

    def adversaries() -> None:
        model, real, fake = judge(), np.zeros((6, 28, 28, 1), "float32"), np.zeros((6, 32, 32, 1), "float32")
        model.train_on_batch(real, np.ones((6, 1)))
        model.train_on_batch(fake, np.zeros((6, 1)))

    diagnosis = diagnosed(adversaries)
    assert diagnosis.code == "SW102" and "900" in diagnosis.headline and "676" in diagnosis.headline
    fix = diagnosis.fixes[0]
    assert fix.verified == "forward" and fix.edit["shape"] == (6, 28, 28, 1)


def test_two_arrays_that_may_be_what_was_given() -> None:
    """Which of them the model was given is not known, so no sizes are made up."""

    def adversaries() -> None:
        model, real = judge(), np.zeros((6, 28, 28, 1), "float32")
        model.train_on_batch(real, np.ones((6, 1)))
        one, two = np.zeros((6, 32, 32, 1), "float32"), np.zeros((6, 36, 36, 1), "float32")
        model.train_on_batch(one if one.any() else two, np.zeros((6, 1)))

    diagnosis = diagnosed(adversaries)
    assert not any(fix.verified for fix in diagnosis.fixes)


def test_a_normalization_that_was_adapted_to_other_data() -> None:
    table = np.random.default_rng(0).random((20, 6))
    normalization = layers.Normalization()
    normalization.adapt(table)
    inputs = keras.Input((5,))
    model = keras.Model(inputs, layers.Dense(1)(normalization(inputs)))
    model.compile("sgd", "mse")
    diagnosis = diagnosed(lambda: model.fit(table[:, :5], np.zeros(20), verbose=0))
    assert diagnosis.code == "SW502"
    assert "normalizes 6 and is given 5" in diagnosis.headline
    assert not any("Dense" in fix.code for fix in diagnosis.fixes)


def test_a_healthy_normalization_says_nothing() -> None:
    table = np.random.default_rng(0).random((20, 6))
    with shapewatch.watch() as session:
        normalization = layers.Normalization()
        normalization.adapt(table)
        model = keras.Sequential([keras.Input((6,)), normalization, layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(table, np.zeros(20), verbose=0)
    assert not session.report.diagnoses
