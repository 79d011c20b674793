"""Which input sizes Keras models and TensorFlow modules accept; what a model declares is its own word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
import tensorflow as tf
from keras import layers

from shapewatch.cli.inputs import parse_input
from shapewatch.sizes.accepted import Accepted, Few, Row, Rule
from shapewatch.watching.sized import sizes_of


def unet(shape: tuple[int | None, ...] = (None, None, 3)) -> Any:
    x = given = keras.Input(shape)
    fine = layers.Conv2D(4, 3, padding="same")(x)
    middle = layers.MaxPool2D()(fine)
    coarse = layers.Conv2D(4, 3, padding="same")(layers.MaxPool2D()(middle))
    middle = layers.Add()([middle, layers.UpSampling2D()(coarse)])
    return keras.Model(given, layers.Concatenate()([fine, layers.UpSampling2D()(middle)]))


@keras.saving.register_keras_serializable("tests")
class Halves(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.half, self.twice = layers.Conv2D(4, 2, strides=2), layers.Conv2DTranspose(3, 2, strides=2)

    def call(self, x: Any) -> Any:
        return x + self.twice(self.half(x))


def tagger() -> Any:
    tokens, features = keras.Input((None,), dtype="int32", name="tokens"), keras.Input((None, 8), name="features")
    read = layers.LSTM(8, return_sequences=True)(layers.Embedding(50, 8)(tokens))
    return keras.Model([tokens, features], layers.Add()([read, features]))


class Module(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.zeros((3, 3, 3, 8)))

    @tf.function
    def __call__(self, x: Any) -> Any:
        y = tf.repeat(tf.repeat(tf.nn.conv2d(x, self.kernel, 2, "SAME"), 2, 1), 2, 2)
        return y + tf.nn.conv2d(x, self.kernel, 1, "SAME")


def accepted_by(model: Any, *inputs: str) -> Accepted:
    return sizes_of(model, [parse_input(text) for text in inputs])


def row_of(accepted: Accepted, *names: str) -> Row:
    (row,) = [row for row in accepted.rows if tuple(axis.name for axis in row.axes) == names]
    return row


@pytest.mark.parametrize(
    ("make", "text", "rule", "output"),
    [
        (unet, "1x32x32x3", Rule(4, None, 4), (("batch", "height", "width", "8"),)),
        (Halves, "1x32x32x3", Rule(2, None, 2), (("batch", "height", "width", "3"),)),
        (Module, "1x32x32x3", Rule(2, None, 2), (("batch", "height", "width", "8"),)),
    ],
)
def test_height_and_width(make: Callable[[], Any], text: str, rule: Rule, output: tuple[tuple[str, ...], ...]) -> None:
    accepted = accepted_by(make(), text)
    row = row_of(accepted, "height", "width")
    assert (accepted.fits, row.together, row.accepts) == (True, "each", rule)
    assert accepted.output == output
    for size in range(2, 40):
        x = tf.zeros((1, 32, size, 3))
        try:
            make()(x)
            fits = True
        except (ValueError, tf.errors.OpError):
            fits = False
        assert fits == (size in rule), size


def test_what_a_model_declares_is_told_as_such() -> None:
    row = row_of(accepted_by(unet((32, 32, 3)), "1x32x32x3"), "height", "width")
    assert row.accepts == Rule(32, 32)
    assert row.refusals[0].declared
    assert row.refusals[0].shapes == ((None, 32, 32, 3),)
    free = row_of(accepted_by(unet(), "1x32x32x3"), "height", "width")
    assert not any(refusal.declared for refusal in free.refusals)


def test_near_sizes_of_a_declared_one() -> None:
    accepted = accepted_by(unet((32, 32, 3)), "1x30x32x3")
    assert accepted.fits is False
    assert accepted.instead == (((1, 32, 32, 3),),)


def test_a_model_that_is_not_built_yet_says_so() -> None:
    model = keras.Sequential([layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(2)])
    accepted = accepted_by(model, "1x32x32x3")
    assert row_of(accepted, "channels").accepts == Rule()
    assert "built for the widths of its first input" in accepted.notes[0]
    assert not model.built
    model(tf.zeros((1, 32, 32, 3)))
    built = accepted_by(model, "1x32x32x3")
    assert row_of(built, "channels").accepts == Rule(3, 3)
    assert built.notes == ()


def test_lengths_of_two_inputs() -> None:
    accepted = accepted_by(tagger(), "2x10:int32", "2x10x8")
    told = {tuple(axis.name for axis in row.axes): (row.together, row.accepts) for row in accepted.rows}
    assert told[("batch", "batch")] == ("equal", Rule())
    assert told[("length", "axis 1")] == ("equal", Rule())


def test_sizes_without_a_rule_are_listed() -> None:
    """TensorFlow takes the channels of a kernel several times over, in groups, where the filters can be dealt out."""
    row = row_of(accepted_by(Module(), "1x32x32x3"), "channels")
    assert row.accepts == Few((3, 6, 12, 24))
