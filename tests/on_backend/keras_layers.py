"""The Keras adapter on the backend that this process has: run by `test_keras_backends.py`, once on each."""

from __future__ import annotations

from typing import Any

import breaking
import keras
import numpy as np
import pytest
from adapter_contract import AdapterContract, Bundle
from keras import layers, ops
from support import residual_keras
from support.residual_keras import Block, Net

import shapewatch
from shapewatch.adapters.keras import ADAPTER
from shapewatch.edits import Module
from shapewatch.recording import Recording

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BACKEND = keras.backend.backend()
REFUSAL: dict[str, type[Exception]] = {"jax": TypeError, "torch": RuntimeError}


def images(*shape: int) -> Any:
    return np.random.default_rng(0).random(shape or (2, 8, 8, 3), dtype="float32")


def state(model: Any) -> Any:
    """Identities of the layers and their attributes, and the numbers of every weight."""
    parts = [(layer.name, id(layer), sorted(vars(layer)), layer.built) for layer in model._flatten_layers()]
    return parts, [ops.convert_to_numpy(weight.value).tolist() for weight in model.weights]


class TestContract(AdapterContract):
    @pytest.fixture
    def bundle(self) -> Bundle:
        return Bundle(
            adapter=ADAPTER,
            sound=Net,
            broken=lambda: Net(strides=2),
            tensor=ops.zeros,
            given=(2, 8, 8, 3),
            inner=(2, 8, 8, 4),
            halved=(2, 4, 4, 4),
            error=REFUSAL[BACKEND],
            state=state,
            projection=Module(
                "conv",
                {"in_channels": 4, "out_channels": 4, "kernel_size": 1, "stride": 2, "channels_last": True},
            ),
            file=residual_keras.__file__,
            described={"dtype": "float32", "device": "cpu"},
        )


# Diagnoses


@pytest.mark.parametrize(
    "program, code, culprit",
    [
        ("functional, +", "SW201", "main"),
        ("functional, layers.Add", "SW201", "main"),
        ("functional with a block of its own", "SW201", "block.conv1"),
        ("functional in functional", "SW201", "skip"),
        ("subclassed, +", "SW201", "block.conv1"),
        ("subclassed, layers.Add", "SW201", "block.conv1"),
        ("subclassed, ops.concatenate", "SW401", "tight"),
    ],
)
def test_the_culprit_is_found_and_a_fix_verified(program: str, code: str, culprit: str) -> None:
    report, _ = breaking.explained(breaking.BREAKING[program])
    (diagnosis,) = report.diagnoses
    assert diagnosis.code == code
    assert diagnosis.cause is not None and diagnosis.cause.layer == culprit
    assert diagnosis.fixes and diagnosis.fixes[0].verified


def fitting(model: keras.Model) -> None:
    model.compile(loss="mse")
    model.fit(images(), images(2, 8, 8, 4), verbose=0)


class InTraining(keras.Model):
    """Fails while it is trained, and only then: on JAX that is inside `jit` and `grad`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(4, 3, strides=2, padding="same")
        self.conv2 = layers.Conv2D(4, 3, padding="same")

    def call(self, x: Any, training: bool = False) -> Any:
        main, skip = self.conv1(x), self.conv2(x)
        return main + skip if training else skip


def test_fit_of_a_model_that_cannot_be_built() -> None:
    report, _ = breaking.explained(lambda: fitting(Net(strides=2)))
    (diagnosis,) = report.diagnoses
    assert diagnosis.code == "SW201" and diagnosis.fixes and diagnosis.fixes[0].verified
    assert diagnosis.cause is not None and diagnosis.cause.layer == "block.conv1"


def test_fit_that_fails_in_the_training_step() -> None:
    model = InTraining()
    model(images())
    report, _ = breaking.explained(lambda: fitting(model))
    (diagnosis,) = report.diagnoses
    assert diagnosis.code == "SW201"
    failing = report.recording.failing_call()
    assert failing is not None and (failing.kind, failing.layer) == ("add", "")
    assert failing.span is not None and failing.span.source == "return main + skip if training else skip"
    assert {layer.path for layer in report.recording.layers} == {"", "conv1", "conv2"}


# Sizes that are not known


class Flat(layers.Layer):
    """Makes one axis out of height and width, and asks its input for the batch."""

    def __init__(self, broken: bool = False) -> None:
        super().__init__()
        self.conv = layers.Conv2D(4, 3, strides=2, padding="same")
        self.skip = layers.Conv2D(5 if broken else 4, 3, strides=2, padding="same")

    def call(self, x: Any) -> Any:
        batch = ops.shape(x)[0]
        y, z = self.conv(x), self.skip(x)
        return ops.reshape(y, (batch, -1, y.shape[-1])) + ops.reshape(z, (batch, -1, z.shape[-1]))


@pytest.mark.filterwarnings("ignore:Layer 'flat:UserWarning")
@pytest.mark.parametrize("height", [None, 8])
@pytest.mark.parametrize("broken", [False, True])
def test_a_size_that_nobody_gave_is_unknown(height: int | None, broken: bool) -> None:
    """On PyTorch, Keras makes sizes up (83, 89) and looks what becomes of them."""
    recording = built(height, broken)
    (inner,) = [call for call in recording.calls if call.is_layer and call.layer.endswith("conv")]
    rows = None if height is None else 4
    assert recording.shape(inner.operands[0]) == (None, height, height, 3)
    assert recording.shape(inner.results[0]) == (None, rows, rows, 4)
    known = {size for value in recording.values if value.origin == "call" for size in value.spec.shape}
    assert known == {None, 4, 5 if broken else 4} | ({16} if height else set())
    shapes = [call.facts["shape"] for call in recording.calls if call.kind == "reshape"]
    assert shapes == [(-1, -1, 4), (-1, -1, 5 if broken else 4)]
    assert (recording.failure is not None) == broken


def built(height: int | None, broken: bool) -> Recording:
    with ADAPTER.instrument(None) as watching:
        try:
            inputs = keras.Input((height, height, 3))
            keras.Model(inputs, Flat(broken)(inputs))
        except REFUSAL[BACKEND] as error:
            return watching.finish(error)
    return watching.finish(None)


# What is healthy


class Attention(keras.Model):
    """Self-attention written out, over the pixels of an image."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = layers.Dense(12)
        self.out = layers.Dense(3)
        self.scale = self.add_weight(shape=(3,), initializer="ones", name="scale")

    def call(self, x: Any) -> Any:
        batch, height, width, channels = ops.shape(x)
        x = ops.reshape(x, (batch, height * width, channels))
        parts = ops.transpose(ops.reshape(self.qkv(x), (batch, height * width, 3, 4)), (2, 0, 1, 3))
        query, key, value = parts[0], parts[1], parts[2]
        weights = ops.softmax(ops.matmul(query, ops.swapaxes(key, 1, 2)) / 2.0)
        return ops.reshape(self.out(ops.matmul(weights, value)) * self.scale + x, (batch, height, width, channels))


def functional() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same")(inputs))
    x = layers.MaxPooling2D()(ops.concatenate([ops.relu(x), inputs], axis=-1))
    x = Block()(layers.Conv2D(4, 1)(x))
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))


@pytest.mark.parametrize("make", [Net, Attention, functional])
def test_a_healthy_model_gives_what_it_gives_unwatched(make: Any) -> None:
    model = make()
    before = ops.convert_to_numpy(model(images()))
    with shapewatch.watch() as session:
        after = ops.convert_to_numpy(model(images()))
    assert np.array_equal(before, after)
    assert session.report.diagnoses == ()
    assert all(call.finished for call in session.report.calls)
    assert [call.layer for call in session.report.calls if call.is_layer and call.parent is None] == [""]
    outputs = session.report.recording.outputs
    assert [session.report.recording.shape(number) for number in outputs] == [before.shape]


def test_a_healthy_model_can_be_trained() -> None:
    """On JAX, a pooling has a gradient because of which function object it is given."""
    losses = []
    for watched in (False, True):
        keras.utils.set_random_seed(1)
        model = functional()
        model.compile(loss="mse", optimizer="sgd")
        if watched:
            with shapewatch.watch() as session:
                history = model.fit(images(), np.ones((2, 2), "float32"), epochs=2, verbose=0)
            assert session.report.diagnoses == ()
        else:
            history = model.fit(images(), np.ones((2, 2), "float32"), epochs=2, verbose=0)
        losses.append(history.history["loss"])
    assert losses[0] == losses[1]


# Passes on shapes alone


def test_check() -> None:
    report = shapewatch.check(functional(), input_shape=(1, 8, 8, 3))
    assert report.diagnoses == () and report.notes == () and report.output == (1, 2)
    report = shapewatch.check(Net(strides=2), images())
    (diagnosis,) = report.diagnoses
    assert diagnosis.code == "SW201" and diagnosis.fixes and diagnosis.fixes[0].verified


def test_repeating_needs_no_numbers() -> None:
    """On PyTorch, Keras fails to repeat what has none, and computes the whole pass."""
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, layers.Conv2D(2, 1)(layers.UpSampling2D()(inputs)))
    report = shapewatch.check(model, input_shape=(1, 4, 4, 3))
    assert report.notes == () and report.output == (1, 8, 8, 2)


def test_what_the_program_raised_is_not_what_a_pass_on_shapes_raises() -> None:
    """A pass on shapes runs while the program's exception is handled, and has it in its context."""
    try:
        raise RuntimeError("Cannot copy out of meta tensor; on traced array")
    except RuntimeError:
        report, _ = breaking.explained(breaking.BREAKING["subclassed, +"])
    assert report.diagnoses[0].fixes[0].verified == "forward"


class Looks(keras.Model):
    """Decides by the numbers in its input."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.dense(x) if ops.sum(x) > 0 else x


def test_a_pass_on_shapes_has_no_numbers_to_look_at() -> None:
    report = shapewatch.check(Looks(), images())
    assert report.diagnoses == () and "reads a tensor's contents" in report.notes[0]


COMPUTED: list[str] = []


class Computes(keras.Model):
    """Writes down on what its last layer ran."""

    def call(self, x: Any) -> Any:
        COMPUTED.append(type(x).__name__ if BACKEND == "jax" else x.device.type)
        return ops.reshape(x, (-1, 7))


def test_a_pass_on_shapes_that_fails_computes_nothing() -> None:
    """Keras on PyTorch tries again with numbers what has failed without."""
    COMPUTED.clear()
    shapewatch.check(Computes(), images())
    assert set(COMPUTED) == {"DynamicJaxprTracer" if BACKEND == "jax" else "meta"}
