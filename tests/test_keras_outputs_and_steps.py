"""Targets of several outputs, and layers that go through steps of maps."""

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


def trained_on(*targets: Any) -> None:
    inputs = keras.Input((12,))
    hidden = layers.Dense(16)(inputs)
    ends = [layers.Dense(1, name="age")(hidden), layers.Dense(5, activation="softmax", name="kind")(hidden)]
    model = keras.Model(inputs, ends)
    model.compile("sgd", {"age": "mse", "kind": "categorical_crossentropy"})
    model.fit(np.zeros((8, 12)), list(targets), verbose=0)


def test_targets_in_each_others_place() -> None:
    """No loss is wrong, and no label is to be made one-hot."""
    diagnosis = diagnosed(lambda: trained_on(np.zeros((8, 5)), np.zeros((8, 1))))
    assert diagnosis.code == "SW804" and "in each other's place" in diagnosis.headline
    assert not diagnosis.fixes


def test_class_numbers_are_no_exchange() -> None:
    diagnosis = diagnosed(lambda: trained_on(np.zeros((8, 1)), np.zeros((8, 1))))
    assert "in each other's place" not in diagnosis.headline
    assert diagnosis.fixes[0].edit["change"] == "one-hot"


def test_targets_in_their_places() -> None:
    with shapewatch.watch() as session:
        trained_on(np.zeros((8, 1)), np.eye(5)[[0] * 8])
    assert session.report.ok


def test_maps_without_steps() -> None:
    """The batch axis is there: it is of any size."""
    diagnosis = diagnosed(lambda: layers.ConvLSTM2D(4, 3)(keras.Input((20, 20, 1))))
    assert diagnosis.code == "SW701" and "takes 5 axes and is given 4" in diagnosis.headline


@pytest.mark.parametrize("rank", [1, 2])
def test_steps_that_were_given_up(rank: int) -> None:
    layer = getattr(layers, f"ConvLSTM{rank}D")

    def stacked() -> None:
        keras.Sequential([keras.Input((7, *(20,) * rank, 1)), layer(4, 3), layer(4, 3), layers.Flatten()])

    fix = diagnosed(stacked).fixes[0]
    assert (fix.edit["argument"], fix.edit["value"]) == ("return_sequences", True)
    assert fix.verified == "junction", "a flatten that is not in it yet comes behind"


@pytest.mark.parametrize("width, said", [(20, True), (7, False)])
def test_rows_where_an_embedding_takes_numbers(width: int, said: bool) -> None:
    model = keras.Sequential([layers.Embedding(20, 8), layers.LSTM(6)])
    diagnosis = diagnosed(lambda: model(np.zeros((4, 9, width), "int32")))
    assert diagnosis.code == "SW701"
    assert ("one-hot" in diagnosis.explanation) == said
