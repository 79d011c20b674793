"""Slips in what programs give their models: arrays of other lengths, feeds, labels in another order, single samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import shapewatch
from shapewatch.report import Diagnosis
from tests.support.told import failing

v1 = tf.compat.v1


def only(told: Diagnosis) -> str:
    """The code of the only fix, which changes data and cannot be tried."""
    (fix,) = told.fixes
    assert (fix.edit["action"], fix.verified, fix.why_not) == ("data", None, "data are no part of a model")
    return fix.code


# Arrays that are given together


def wide() -> keras.Model:
    numeric, kinds = keras.Input((5,), name="numeric"), keras.Input((2,), name="kinds")
    model = keras.Model([numeric, kinds], layers.Dense(1)(layers.Concatenate()([numeric, kinds])))
    model.compile("sgd", "mse")
    return model


def columns_as_rows() -> None:
    numeric, bought = np.ones((30, 5)), np.ones((30, 1))
    kinds = np.stack([np.ones(30), np.zeros(30)])
    wide().fit({"numeric": numeric, "kinds": kinds}, bought, verbose=0)


def test_one_of_several_arrays_is_transposed() -> None:
    told = failing(columns_as_rows)
    assert told.code == "SW805"
    assert told.headline.endswith("numeric and bought have 30, kinds has 2")
    assert told.cause is not None
    assert (told.cause.type, told.cause.reason) == ("input", "kinds is [2, 30]: its samples are on axis 1")
    assert only(told) == "kinds = kinds.T"


def smoother() -> keras.Model:
    model = keras.Sequential([keras.Input((7, 3)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def weights_of_all() -> None:
    model, x, y, step_mask = smoother(), np.ones((50, 7, 3)), np.ones((50, 7, 1)), np.ones((50, 7))
    train_idx = np.arange(40)
    model.fit(x[train_idx], y[train_idx], sample_weight=step_mask, verbose=0)


def test_weights_are_given_whole_beside_chosen_samples() -> None:
    told = failing(weights_of_all)
    assert told.code == "SW805"
    assert told.headline.endswith("x[train_idx] and y[train_idx] have 40, step_mask has 50")
    assert told.cause is not None and "given whole, beside x[train_idx] and y[train_idx]" in told.cause.reason
    assert only(told) == "model.fit(x[train_idx], y[train_idx], sample_weight=step_mask[train_idx], verbose=0)"


def faces() -> keras.Model:
    face = keras.Input((6, 6, 1))
    x = layers.Flatten()(face)
    age, sex = layers.Dense(1, name="age")(x), layers.Dense(1, activation="sigmoid", name="sex")(x)
    origin = layers.Dense(4, activation="softmax", name="origin")(x)
    model = keras.Model(face, [age, sex, origin])
    model.compile("sgd", ["mse", "binary_crossentropy", "categorical_crossentropy"])
    return model


def labels_in_another_order() -> None:
    model, faces_given = faces(), np.ones((12, 6, 6, 1))
    ages, sexes, origins = np.ones((12, 1)), np.ones((12, 1)), np.eye(4)[np.zeros(12, int)]
    model.fit(faces_given, [ages, origins, sexes], verbose=0)


def test_labels_in_another_order_than_the_outputs() -> None:
    told = failing(labels_in_another_order)
    assert told.code == "SW804"
    assert told.cause is not None and told.cause.type == "target"
    assert "another order than the outputs, which are age, sex and origin" in told.cause.reason
    assert only(told) == "model.fit(faces_given, [ages, sexes, origins], verbose=0)"


# Feeds of sessions


def without_channels(session: Any) -> None:
    images = v1.placeholder(tf.float32, [None, 9, 9, 1])
    train_x, pick = np.zeros((20, 9, 9)), np.arange(6)
    session.run(images * 2.0, feed_dict={images: train_x[pick]})


def side_by_side(session: Any) -> None:
    observed, rewards = v1.placeholder(tf.float32, [None, 6]), v1.placeholder(tf.float32, [None])
    steps, earned = [np.zeros(6) for _ in range(11)], np.ones(11)
    total = tf.reduce_mean(observed, 1) * rewards
    session.run(total, feed_dict={observed: np.hstack(steps), rewards: earned})


def class_numbers(session: Any) -> None:
    labels = v1.placeholder(tf.float32, [None, 4])
    species = np.arange(12) % 4
    session.run(labels * 2.0, feed_dict={labels: species})


def one_sample(session: Any) -> None:
    observed = v1.placeholder(tf.float32, [None, 6])
    state = np.zeros(6)
    session.run(observed * 2.0, feed_dict={observed: state})


@pytest.mark.parametrize(
    ("run", "code", "reason"),
    [
        (
            without_channels,
            "session.run(images * 2.0, feed_dict={images: train_x[pick][..., None]})",
            "[6, 9, 9] lacks the last axis, which is of size 1",
        ),
        (
            side_by_side,
            "session.run(total, feed_dict={observed: np.vstack(steps), rewards: earned})",
            "66 numbers are 11 samples of 6, one behind the other",
        ),
        (
            class_numbers,
            "session.run(labels * 2.0, feed_dict={labels: np.eye(4)[species]})",
            "class numbers are fed, and rows of 4 are taken, one for each class",
        ),
        (
            one_sample,
            "session.run(observed * 2.0, feed_dict={observed: state[None]})",
            "[6] is one sample: it lacks the batch axis",
        ),
    ],
)
def test_what_is_fed_in_other_axes(run: Callable[[Any], None], code: str, reason: str) -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        told = failing(lambda: run(session))
    assert (told.code, only(told)) == ("SW602", code)
    assert told.cause is not None and (told.cause.type, told.cause.reason) == ("input", reason)


# What a model is asked


def heard() -> Any:
    model = keras.Sequential(
        [keras.Input((60, 1)), layers.Conv1D(4, 8), layers.GlobalAveragePooling1D(), layers.Dense(3)]
    )
    clip = np.ones(60, "float32")
    return model.predict(clip[:, None], verbose=0)


def test_one_recording_without_its_batch() -> None:
    told = failing(heard)
    (fix, *_) = told.fixes
    assert fix.code == "return model.predict(clip[None, :, None], verbose=0)"
    assert fix.verified == "forward"
    assert told.cause is not None and "the model says that it takes [?, 60, 1]" in told.cause.reason


def pairs() -> None:
    tower = keras.Sequential([keras.Input((10, 10, 1)), layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(2)])
    left, right = keras.Input((10, 10, 1)), keras.Input((10, 10, 1))
    siamese = keras.Model([left, right], layers.Subtract()([tower(left), tower(right)]))
    siamese.compile("sgd", "mse")
    a, b, y = np.ones((8, 1, 10, 10)), np.ones((8, 1, 10, 10)), np.ones((8, 2))
    siamese.fit([a, b], y, batch_size=4, verbose=0)


def test_both_inputs_have_their_channels_first() -> None:
    told = failing(pairs)
    assert told.code == "SW602" and "is given [4, 1, 10, 10]" in told.headline
    (fix, *_) = told.fixes
    assert fix.code.splitlines() == [
        "a = keras.ops.transpose(a, (0, 2, 3, 1))",
        "b = keras.ops.transpose(b, (0, 2, 3, 1))",
    ]
    assert fix.verified == "forward"
    assert told.cause is not None and "the axis of the channels is first" in told.cause.reason


# From an error's text alone


def test_a_stateful_model_is_asked_without_its_batch_size() -> None:
    model = keras.Sequential([keras.Input(batch_shape=(12, 5, 2)), layers.LSTM(3, stateful=True)])
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)) as raised:
        model.predict(np.ones((36, 5, 2)), verbose=0)
    told = shapewatch.explain(str(raised.value))
    assert told is not None and told.code == "SW603"
    first, *_ = told.suspects
    assert first.cause.startswith("the batch size is not said where the model is called")
    assert first.code == "model.predict(x, batch_size=12)"


NOT_LOADED = """\
A total of {count} objects could not be loaded. Example error message for object <Dense name=proj, built=True>:

The shape of the target variable and the shape of the target value in `variable.assign(value)` must match. \
variable.shape=(18, 40), Received: value.shape=(18, 56). Target variable: <Variable path=proj/kernel, shape=(18, 40), \
dtype=float32, value=[[-0.1  0.2]
 [ 0.3 -0.4]]>

List of objects that could not be loaded:
[<Dense name=proj, built=True>]
"""


@pytest.mark.parametrize(
    ("count", "cause"),
    [
        (8, "the checkpoint is of another variant of the architecture"),
        (1, "the checkpoint's head is for another number of classes"),
    ],
)
def test_how_many_layers_were_not_loaded_tells_why(count: int, cause: str) -> None:
    told = shapewatch.explain(NOT_LOADED.format(count=count))
    assert told is not None and told.code == "SW901"
    first, *others = told.suspects
    assert first.cause.startswith(cause)
    assert not any("number of classes" in other.cause for other in others)


def prepared(image: Any) -> Any:
    return image / 255.0


def test_one_sample_of_more_rows_than_a_batch_has() -> None:
    """Keras takes the first 32 of its rows for a batch."""
    model = keras.Sequential([keras.Input((40, 40, 3)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)])
    image = np.zeros((40, 40, 3), "float32")
    told = failing(lambda: model.predict(image, verbose=0))
    assert "model.predict(image[None], verbose=0)" in told.fixes[0].code
    assert told.cause is not None
    assert told.cause.reason.startswith("the input image is one sample, [40, 40, 3]; with [1, 40, 40, 3] it fits")

    def run() -> None:
        model.predict(prepared(image), verbose=0)

    told = failing(run)
    assert told.fixes[0].code == "model.predict(prepared(image)[None, :, :, :], verbose=0)"
    assert told.cause is not None
    assert told.cause.reason.startswith("the input prepared(image) is one sample, [40, 40, 3]")
