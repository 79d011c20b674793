"""All the ways in which a Keras model fails: while it is built, when it is called, in a graph, in `fit`, when it is
read.

Each way breaks the same residual block, and has to be told the same thing about it.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import shapewatch
from shapewatch.report import Diagnosis, Report

X = np.zeros((4, 16, 16, 3), "float32")
Y = np.zeros((4, 10), "float32")


def block(x: Any, name: str, strides: int = 1, merge: Callable[[Any, Any], Any] | None = None) -> Any:
    y = layers.Conv2D(8, 3, strides=strides, padding="same", name=f"{name}_conv1")(x)
    y = layers.ReLU(name=f"{name}_relu")(y)
    y = layers.Conv2D(8, 3, padding="same", name=f"{name}_conv2")(y)
    return layers.Add(name=f"{name}_add")([y, x]) if merge is None else merge(y, x)


def functional(strides: int = 2, merge: Callable[[Any, Any], Any] | None = None) -> keras.Model:
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(8, 1, name="stem")(inputs)
    for index in range(3):
        x = block(x, f"block{index}", strides if index == 2 else 1, merge)
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


class Block(layers.Layer):
    def __init__(self, strides: int = 1) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(8, 3, strides=strides, padding="same")
        self.conv2 = layers.Conv2D(8, 3, padding="same")

    def call(self, x: Any) -> Any:
        return self.conv2(keras.ops.relu(self.conv1(x))) + x


class Net(keras.Model):
    def __init__(self, strides: int = 2) -> None:
        super().__init__()
        self.stem = layers.Conv2D(8, 1)
        self.blocks = [Block(), Block(), Block(strides)]
        self.pool, self.head = layers.GlobalAveragePooling2D(), layers.Dense(10)

    def call(self, x: Any) -> Any:
        x = self.stem(x)
        for inner in self.blocks:
            x = inner(x)
        return self.head(self.pool(x))


def compiled(**options: Any) -> Net:
    net = Net()
    net.compile("sgd", "mse", **options)
    return net


def step_function() -> None:
    net = Net()

    @tf.function
    def step(x: Any) -> Any:
        return net(x)

    step(X)


def half_precision() -> None:
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        Net()(X)
    finally:
        keras.mixed_precision.set_global_policy(before)


def read_from_config() -> None:
    config = functional(strides=1).get_config()
    for described in config["layers"]:
        if described["name"] == "block2_conv1":
            described["config"]["strides"] = (2, 2)
    keras.Model.from_config(config)


def in_a_functional_model() -> None:
    x = layers.Conv2D(8, 1)(keras.Input((16, 16, 3)))
    for inner in [Block(), Block(), Block(2)]:
        x = inner(x)


def in_a_model_of_models() -> None:
    keras.Sequential([keras.Input((16, 16, 3)), layers.Rescaling(1 / 255), Net()])


SUBCLASSED = "blocks[2].conv1"

WAYS: dict[str, tuple[Callable[[], Any], str, str]] = {
    "functional, while it is built": (functional, "block2_conv1", "junction"),
    "functional, with +": (lambda: functional(merge=lambda y, x: y + x), "block2_conv1", "junction"),
    "functional, with keras.ops": (lambda: functional(merge=keras.ops.add), "block2_conv1", "junction"),
    "functional, read from its config": (read_from_config, "block2_conv1", "forward"),
    "a layer of one's own in a functional model": (in_a_functional_model, "block_2.conv1", "junction"),
    "subclassed, called": (lambda: Net()(X), SUBCLASSED, "forward"),
    "subclassed, called by name": (lambda: Net()(x=tf.constant(X)), SUBCLASSED, "forward"),
    "tf.function of the model": (lambda: tf.function(Net())(X), SUBCLASSED, "forward"),
    "tf.function around the model": (step_function, SUBCLASSED, "forward"),
    "tf.function, compiled by XLA": (lambda: tf.function(Net(), jit_compile=True)(X), SUBCLASSED, "forward"),
    "fit": (lambda: compiled().fit(X, Y, verbose=0), SUBCLASSED, "forward"),
    "fit, eagerly": (lambda: compiled(run_eagerly=True).fit(X, Y, verbose=0), SUBCLASSED, "forward"),
    "fit, compiled by XLA": (lambda: compiled(jit_compile=True).fit(X, Y, verbose=0), SUBCLASSED, "forward"),
    "evaluate": (lambda: compiled().evaluate(X, Y, verbose=0), SUBCLASSED, "forward"),
    "predict": (lambda: compiled().predict(X, verbose=0), SUBCLASSED, "forward"),
    "predict on a data set": (
        lambda: Net().predict(tf.data.Dataset.from_tensor_slices(X).batch(3)),
        SUBCLASSED,
        "forward",
    ),
    "in half precision": (half_precision, SUBCLASSED, "forward"),
}


def watched(run: Callable[[], Any]) -> tuple[Exception, Report]:
    error: Exception | None = None
    with warnings.catch_warnings(action="ignore"):  # Keras warns of layers that it cannot build by tracing them
        try:
            with shapewatch.watch() as session:
                run()
        except Exception as raised:
            error = raised
    assert error is not None
    return error, session.report


def only(report: Report) -> Diagnosis:
    (diagnosis,) = report.diagnoses
    return diagnosis


@pytest.fixture(autouse=True)
def names_from_the_start() -> None:
    """`block_2` is the third block of a program that has made no other."""
    keras.backend.clear_session()


@pytest.mark.parametrize("way", WAYS)
def test_every_way_names_the_layer_and_proves_a_repair(way: str) -> None:
    run, layer, verified = WAYS[way]
    error, report = watched(run)
    diagnosis = only(report)
    assert diagnosis.code == "SW201" and diagnosis.junction is not None and diagnosis.junction.kind == "add"
    assert diagnosis.cause is not None and diagnosis.cause.layer == layer
    fix = diagnosis.fixes[0]
    assert (fix.edit["action"], fix.edit["argument"], fix.edit["value"]) == ("set", "strides", 1)
    assert fix.verified == verified and (fix.why_not is None) == (verified == "forward")
    if verified == "forward":
        assert fix.output_shape is not None and fix.output_shape[-1] == 10
    assert [note.count("SW201") for note in error.__notes__] == [1]


@pytest.mark.parametrize("way", WAYS)
def test_the_exception_is_the_one_that_keras_raises(way: str) -> None:
    run, *_ = WAYS[way]
    with warnings.catch_warnings(action="ignore"), pytest.raises(Exception) as bare:
        run()
    keras.backend.clear_session()
    error, _ = watched(run)
    assert type(error) is type(bare.value)
    assert words(error) == words(bare.value)
    assert users_frames(error) == users_frames(bare.value)
    assert not [frame for frame in traceback.extract_tb(error.__traceback__) if "/shapewatch/" in frame.filename]


def words(error: Exception) -> list[str]:
    """The lines of the message, without the frames of Keras's own that AutoGraph tells of, and their source."""
    lines = str(error).splitlines()
    keras_own = [index for index, line in enumerate(lines) if "/keras/src/" in line]
    return [line for index, line in enumerate(lines) if not {index, index - 1} & set(keras_own)]


def users_frames(error: Exception) -> list[tuple[str, int | None]]:
    frames = traceback.extract_tb(error.__traceback__)
    inner = [frame for frame in frames if frame.filename == __file__ and frame.name not in ("watched", TEST)]
    return [(frame.name, frame.lineno) for frame in inner]


TEST = "test_the_exception_is_the_one_that_keras_raises"


def test_a_junction_that_was_not_checked_is_told_and_not_what_failed_behind_it() -> None:
    """Keras's layers that are built, as those of a saved config are, take any shapes while a model is put together."""

    def block(x: Any, name: str) -> Any:
        narrow = layers.Conv2D(4, 1, padding="same", name=f"{name}_narrow")(x)
        wide = layers.Conv2D(4, 3, padding="same", name=f"{name}_wide")(x)
        return layers.Concatenate(name=f"{name}_mix")([narrow, wide])

    x = inputs = keras.Input((12, 12, 3))
    for name in ("block1", "block2", "block3"):
        x = block(x, name)
    config = keras.Model(inputs, layers.Conv2D(8, 8, name="down")(x)).get_config()
    broken = next(layer for layer in config["layers"] if layer["name"] == "block1_narrow")
    broken["config"]["strides"] = (2, 2)
    with pytest.raises(ValueError), shapewatch.watch() as seen:
        keras.Model.from_config(config)
    assert seen.report.recording.failure is not None
    (diagnosis,) = seen.report.diagnoses
    assert (diagnosis.code, diagnosis.layer) == ("SW401", "block1_mix")
    assert "fails at down" in diagnosis.explanation
    assert diagnosis.cause is not None and diagnosis.cause.layer == "block1_narrow"
    assert [(fix.title, fix.verified) for fix in diagnosis.fixes] == [
        ("block1_narrow: strides 1 instead of 2", "forward")
    ]
