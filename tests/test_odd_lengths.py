"""Networks that halve lengths and double them again, where a length does not divide: autoencoders, mostly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import shapewatch
from shapewatch.report import Diagnosis


def diagnosed(run: Callable[[], Any]) -> tuple[Diagnosis, ...]:
    with pytest.raises(Exception), (session := shapewatch.watch()):  # noqa: B017
        run()
    return session.report.diagnoses


def trained(model: Any, size: tuple[int, ...], target: tuple[int, ...] | None = None) -> None:
    model.compile("sgd", "mse")
    model.fit(np.zeros((4, *size)), np.zeros((4, *(target or size))), verbose=0)


def in_steps(length: int) -> Any:
    inputs = keras.Input((length, 3))
    x = layers.Conv1D(8, 3, strides=2, padding="same")(inputs)
    x = layers.Conv1D(4, 3, strides=2, padding="same")(x)
    x = layers.UpSampling1D(2)(x)
    x = layers.UpSampling1D(2)(x)
    outputs = layers.Conv1D(3, 3, padding="same")(x)
    return keras.Model(inputs, outputs)


def of_pictures(size: int) -> Any:
    inputs = keras.Input((size, size, 3))
    x = layers.MaxPooling2D(2)(inputs)
    x = layers.Conv2D(8, 3, padding="same")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2DTranspose(8, 3, strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(8, 3, strides=2, padding="same")(x)
    outputs = layers.Conv2D(3, 1)(x)
    return keras.Model(inputs, outputs)


class Own(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.down = layers.Conv2D(8, 3, strides=2, padding="same")
        self.up = layers.Conv2DTranspose(8, 3, strides=2, padding="same")
        self.head = layers.Conv2D(3, 1)

    def call(self, x: Any) -> Any:
        x = self.up(self.down(x))
        return self.head(x)


@pytest.mark.parametrize("length, after", [(101, 104), (99, 100), (53, 56)])
def test_an_output_that_is_too_long_is_cropped(length: int, after: int) -> None:
    (diagnosis,) = diagnosed(lambda: trained(in_steps(length), (length, 3)))
    fix = diagnosis.fixes[0]
    crop = f"layers.Cropping1D(cropping=(0, {after - length}))"
    assert fix.code == f'outputs = layers.Conv1D(3, 3, padding="same")(x)\noutputs = {crop}(outputs)'
    assert fix.verified == "junction" and fix.output_shape is not None and fix.output_shape[1] == length
    assert f"{length} is no multiple of 4" in diagnosis.cause.reason  # type: ignore[union-attr]


def test_an_output_that_is_too_short_needs_a_longer_input() -> None:
    """What a pooling cuts off cannot be had back at the end: 30 are padded to 32, and 32 cropped to 30."""
    (diagnosis,) = diagnosed(lambda: trained(of_pictures(30), (30, 30, 3)))
    fix = diagnosis.fixes[0]
    assert fix.code.split("\n") == [
        "padded = layers.ZeroPadding2D(padding=((0, 2), (0, 2)))(inputs)",
        "x = layers.MaxPooling2D(2)(padded)",
        "outputs = layers.Conv2D(3, 1)(x)",
        "outputs = layers.Cropping2D(cropping=((0, 2), (0, 2)))(outputs)",
    ]
    assert fix.output_shape is not None and fix.output_shape[1:] == (30, 30, 3)


def test_in_the_call_of_a_class() -> None:
    (diagnosis,) = diagnosed(lambda: trained(Own(), (51, 51, 3)))
    assert diagnosis.fixes[0].code == "return self.head(x)[:, :-1, :-1, :]"


def in_a_row(length: int) -> Any:
    return keras.Sequential(
        [
            keras.Input((length, 3)),
            layers.Conv1D(8, 3, strides=4, padding="same"),
            layers.UpSampling1D(4),
            layers.Conv1D(3, 3, padding="same", name="last"),
        ]
    )


def test_in_a_list_of_layers() -> None:
    (diagnosis,) = diagnosed(lambda: trained(in_a_row(61), (61, 3)))
    assert diagnosis.fixes[0].code == "layers.Cropping1D(cropping=(0, 3)),  # after last"
    assert diagnosis.fixes[0].edit["operand"] == -1


@pytest.mark.parametrize(
    "size, target",
    [((101, 3), (52, 3)), ((100, 3), (98, 3)), ((104, 3), (101, 3))],
    ids=["another length altogether", "the network gives what it takes", "the target is shorter than the input"],
)
def test_other_lengths_are_no_matter_of_rounding(size: tuple[int, ...], target: tuple[int, ...]) -> None:
    diagnoses = diagnosed(lambda: trained(in_steps(size[0]), size, target))
    assert not any("Cropping" in fix.code for diagnosis in diagnoses for fix in diagnosis.fixes)


def test_a_length_that_divides() -> None:
    with shapewatch.watch() as session:
        trained(in_steps(100), (100, 3))
    assert session.report.ok
