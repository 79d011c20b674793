"""Labels out of a pipeline that are of the other form than the loss takes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tests.support.told import best, failing, reason

rows = np.ones((8, 6), "float32")
kinds = np.arange(8) % 3
coded = np.eye(3, dtype="float32")[kinds]


def classifier() -> Any:
    return keras.Sequential([keras.Input((6,)), layers.Dense(3, activation="softmax")])


def pipeline(labels: Any) -> Any:
    return tf.data.Dataset.from_tensor_slices((rows, labels)).batch(4)


def by_class() -> None:
    told_kinds = classifier()
    told_kinds.compile(
        optimizer="sgd",
        loss=keras.losses.CategoricalCrossentropy(from_logits=False),
        metrics=["accuracy"],
    )
    numbers = pipeline(kinds)
    told_kinds.fit(numbers, validation_data=pipeline(kinds), shuffle=False, verbose=0)


def by_word() -> None:
    of_rows = classifier()
    of_rows.compile("sgd", loss="sparse_categorical_crossentropy")
    of_rows.fit(pipeline(coded), shuffle=False, verbose=0)


def by_variable() -> None:
    criterion = keras.losses.SparseCategoricalCrossentropy()
    kept = classifier()
    kept.compile("sgd", loss=criterion)
    kept.fit(pipeline(coded), shuffle=False, verbose=0)


def test_the_loss_that_takes_them() -> None:
    told = failing(by_class)
    assert best(told) == ("loss=keras.losses.SparseCategoricalCrossentropy(from_logits=False),", None)
    assert reason(told).endswith("and `numbers` gives class numbers")
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "loss=keras.losses.CategoricalCrossentropy(from_logits=False),"
    assert best(failing(by_word))[0] == 'of_rows.compile("sgd", loss="categorical_crossentropy")'
    assert best(failing(by_variable))[0] == "criterion = keras.losses.CategoricalCrossentropy()"


def of_the_validation() -> None:
    sound = classifier()
    sound.compile("sgd", loss="categorical_crossentropy")
    trained, held = pipeline(coded), pipeline(kinds)
    sound.fit(trained, validation_data=held, shuffle=False, verbose=0)


def with_a_metric() -> None:
    """The metric is for rows too, so that it may be the labels that are wrong."""
    measured = classifier()
    measured.compile("sgd", loss="categorical_crossentropy", metrics=["categorical_accuracy"])
    measured.fit(pipeline(kinds), shuffle=False, verbose=0)


def smoothed() -> None:
    """The other loss has no such argument."""
    soft = classifier()
    soft.compile("sgd", loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1))
    soft.fit(pipeline(kinds), shuffle=False, verbose=0)


def test_where_it_may_be_the_labels() -> None:
    for run in (of_the_validation, with_a_metric, smoothed):
        told = failing(run)
        assert told.cause is None or told.cause.type != "loss"
        assert all("loss=" not in fix.code for fix in told.fixes)
