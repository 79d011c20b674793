"""A layer that keeps its state, and a pipeline whose last batch is smaller."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import shapewatch
from tests.support.told import best, failing, reason

Data = tf.data.Dataset


def stateful(*shape: int) -> keras.Sequential:
    return keras.Sequential([keras.Input(batch_shape=shape), layers.GRU(5, stateful=True), layers.Dense(2)])


def one_by_one() -> None:
    learned = Data.from_tensor_slices(np.ones((21, 4, 3), "float32")).batch(8)
    judged = Data.from_tensor_slices(np.ones((16, 4, 3), "float32")).batch(8)
    model = stateful(8, 4, 3)
    assert len(judged) == 2
    for x in learned:
        model(x)


def fitted() -> None:
    x, y = np.ones((21, 4, 3), "float32"), np.ones((21, 2), "float32")
    pairs = Data.from_tensor_slices((x, y)).batch(8)
    model = stateful(8, 4, 3)
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(pairs, shuffle=False, verbose=0)


def whole() -> None:
    learned = Data.from_tensor_slices(np.ones((24, 4, 3), "float32")).batch(8)
    model = stateful(8, 4, 3)
    for x in learned:
        model(x)


def of_more() -> None:
    learned = Data.from_tensor_slices(np.ones((24, 4, 3), "float32")).batch(12)
    model = stateful(8, 4, 3)
    for x in learned:
        model(x)


def test_the_pipeline_of_the_loop() -> None:
    told = failing(one_by_one)
    code, verified = best(told)
    assert code == ('learned = Data.from_tensor_slices(np.ones((21, 4, 3), "float32")).batch(8, drop_remainder=True)')
    assert verified is None
    assert "with 8 samples it ran, and this batch has 5" in reason(told)


def test_the_pipeline_that_is_fitted() -> None:
    told = failing(fitted)
    assert best(told) == ("pairs = Data.from_tensor_slices((x, y)).batch(8, drop_remainder=True)", None)


def test_batches_that_are_larger_than_the_state() -> None:
    told = failing(of_more)
    assert not any("drop_remainder" in fix.code and "of_more" in fix.code for fix in told.fixes)
    assert told.cause is None or told.cause.type != "batch"


def test_whole_batches() -> None:
    with shapewatch.watch() as session:
        whole()
    assert session.report.diagnoses == ()
