"""The Keras adapter: the contract of all adapters, and what is Keras's own."""

from __future__ import annotations

import copy
from typing import Any

import keras
import pytest
import tensorflow as tf
from adapter_contract import AdapterContract, Bundle
from keras import layers
from support import residual_keras
from support.residual_keras import Net

import shapewatch
from shapewatch.adapters.keras import ADAPTER
from shapewatch.edits import Module


def state(model: Any) -> Any:
    """Identities of the layers and their attributes, and the numbers of every weight."""
    parts = [(layer.name, id(layer), sorted(vars(layer)), layer.built) for layer in model._flatten_layers()]
    return parts, [weight.numpy().tolist() for weight in model.weights]


class TestContract(AdapterContract):
    @pytest.fixture
    def bundle(self) -> Bundle:
        return Bundle(
            adapter=ADAPTER,
            sound=Net,
            broken=lambda: Net(strides=2),
            tensor=tf.zeros,
            given=(2, 8, 8, 3),
            inner=(2, 8, 8, 4),
            halved=(2, 4, 4, 4),
            error=tf.errors.InvalidArgumentError,
            state=state,
            projection=Module(
                "conv",
                {"in_channels": 4, "out_channels": 4, "kernel_size": 1, "stride": 2, "channels_last": True},
            ),
            file=residual_keras.__file__,
            described={"dtype": "float32", "device": "cpu"},
        )


# What is told of Keras's own ways


class Mixing(layers.Layer):
    def __init__(self, dims: tuple[int, int] = (2, 1)) -> None:
        super().__init__()
        self.turn, self.dense, self.back = layers.Permute(dims), layers.Dense(9), layers.Permute((2, 1))

    def call(self, x: Any) -> Any:
        return x + self.back(self.dense(self.turn(x)))


class Mixer(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = [Mixing(), Mixing((1, 2)), Mixing()]

    def call(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        return x


def test_a_permutation_is_judged_by_those_of_the_other_blocks() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError), shapewatch.watch() as session:
        Mixer()(tf.ones((2, 9, 20)))
    (diagnosis,) = session.report.diagnoses
    assert diagnosis.cause is not None and diagnosis.cause.layer == "blocks[1].turn"
    assert diagnosis.fixes[0].edit["value"] == (2, 1) and diagnosis.fixes[0].verified == "forward"


def test_a_fix_of_a_config_that_is_called_verified_is_true_when_the_config_is_read() -> None:
    """The config remembers what each layer was built for: a width changed upstream would be refused."""
    inputs = keras.Input((8, 8, 3))
    branches = [layers.Conv2D(16, 3, name="one")(inputs), layers.Conv2D(24, 3, name="other")(inputs)]
    config = keras.Model(inputs, layers.Concatenate(name="joined")(branches)).get_config()
    joined = next(layer for layer in config["layers"] if layer["name"] == "joined")
    joined["config"]["axis"] = 1
    with pytest.raises(ValueError, match="Concatenate"), shapewatch.watch() as session:
        keras.Model.from_config(copy.deepcopy(config))
    (diagnosis,) = session.report.diagnoses
    assert diagnosis.cause is not None and diagnosis.cause.layer == "joined"
    assert all(fix.verified == "forward" for fix in diagnosis.fixes)
    for fix in diagnosis.fixes:
        changed = copy.deepcopy(config)
        layer = next(layer for layer in changed["layers"] if layer["name"] == fix.edit["layer"])
        layer["config"][fix.edit["argument"]] = fix.edit["value"]
        del layer["build_config"]  # of the layer that is edited: it is another one now
        assert keras.Model.from_config(changed).output_shape == fix.output_shape


def test_a_pooling_that_drops_axes_is_told_to_keep_them() -> None:
    with pytest.raises(ValueError, match="incompatible"), shapewatch.watch() as session:
        x = layers.GlobalAveragePooling2D(name="pool")(layers.Conv2D(8, 3)(keras.Input((9, 9, 3))))
        layers.Conv2D(4, 1)(x)
    fix = session.report.diagnoses[0].fixes[0]
    assert (fix.edit["layer"], fix.edit["argument"], fix.edit["value"]) == ("pool", "keepdims", True)


def test_what_was_built_before_the_block_is_known_from_its_history() -> None:
    x = layers.Conv2D(8, 3, padding="same", name="stem")(keras.Input((16, 16, 3)))
    y = layers.Conv2D(8, 3, strides=2, padding="same", name="conv1")(x)
    y = keras.ops.relu(y)
    with pytest.raises(ValueError, match="incompatible"), shapewatch.watch() as session:
        layers.Add(name="sum")([layers.Conv2D(8, 3, padding="same", name="conv2")(y), x])
    (diagnosis,) = session.report.diagnoses
    assert diagnosis.junction is not None and diagnosis.junction.fork is not None
    assert diagnosis.junction.fork.made_by == "stem"
    main = next(branch for branch in diagnosis.junction.branches if branch.role == "main")
    assert [step.name for step in main.path] == ["conv1", "relu", "conv2"]
    recording = session.report.recording
    assert [recording.shape(number) for number in recording.inputs] == [(None, 16, 16, 3)]
    assert diagnosis.fixes[0].verified == "junction"
