"""Keras programs that fail in the same way on every backend. Run as a script: what shapewatch says of each, as JSON."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

import shapewatch


class Block(layers.Layer):
    """Halves the image on one of two branches and adds them."""

    def __init__(self, merge: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv1 = layers.Conv2D(4, 3, strides=2, padding="same")
        self.conv2 = layers.Conv2D(4, 3, padding="same")
        self.merge = layers.Add() if merge else None

    def call(self, x: Any) -> Any:
        y = self.conv2(ops.relu(self.conv1(x)))
        return self.merge([y, x]) if self.merge is not None else y + x


class Net(keras.Model):
    """A stem and a block that does not fit."""

    def __init__(self, merge: bool = False) -> None:
        super().__init__()
        self.stem = layers.Conv2D(4, 1)
        self.block = Block(merge)

    def call(self, x: Any) -> Any:
        return self.block(self.stem(x))


class TwoScales(keras.Model):
    """Joins the maps of two convolutions, one of which pads and one does not."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = layers.Conv2D(4, 3, padding="same")
        self.tight = layers.Conv2D(4, 3)

    def call(self, x: Any) -> Any:
        return ops.concatenate([self.wide(x), self.tight(x)], axis=-1)


class Scores(keras.Model):
    """Multiplies the features of two layers of which one is too wide."""

    def __init__(self) -> None:
        super().__init__()
        self.query = layers.Dense(6)
        self.key = layers.Dense(4)

    def call(self, x: Any) -> Any:
        return ops.matmul(self.query(x), ops.transpose(self.key(x), (0, 2, 1)))


def images() -> Any:
    return np.ones((2, 8, 8, 3), dtype="float32")


def functional_operator() -> None:
    inputs = keras.Input((8, 8, 3))
    main = layers.Conv2D(4, 3, strides=2, padding="same", name="main")(inputs)
    skip = layers.Conv2D(4, 1, name="skip")(inputs)
    keras.Model(inputs, main + skip)


def functional_layer() -> None:
    inputs = keras.Input((8, 8, 3))
    main = layers.Conv2D(4, 3, strides=2, padding="same", name="main")(inputs)
    skip = layers.Conv2D(4, 1, name="skip")(inputs)
    keras.Model(inputs, layers.Add(name="add")([main, skip]))


def functional_with_a_block() -> None:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 1, name="stem")(inputs)
    keras.Model(inputs, Block(name="block")(x))


def functional_in_functional() -> None:
    inner_inputs = keras.Input((8, 8, 3))
    halved = layers.Conv2D(4, 3, strides=2, padding="same", name="conv")(inner_inputs)
    inner = keras.Model(inner_inputs, halved, name="backbone")
    inputs = keras.Input((8, 8, 3))
    keras.Model(inputs, layers.Add(name="add")([inner(inputs), layers.Conv2D(4, 1, name="skip")(inputs)]))


def sequential() -> None:
    keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, name="conv"),
            layers.Flatten(name="flatten"),
            layers.Reshape((4, 4), name="reshape"),
        ]
    )


BREAKING: dict[str, Callable[[], Any]] = {
    "functional, +": functional_operator,
    "functional, layers.Add": functional_layer,
    "functional with a block of its own": functional_with_a_block,
    "functional in functional": functional_in_functional,
    "sequential": sequential,
    "subclassed, +": lambda: Net()(images()),
    "subclassed, layers.Add": lambda: Net(merge=True)(images()),
    "subclassed, ops.concatenate": lambda: TwoScales()(images()),
    "subclassed, ops.matmul": lambda: Scores()(np.ones((2, 5, 3), "float32")),
}


def explained(program: Callable[[], Any]) -> tuple[shapewatch.Report, str]:
    """The report of a program that fails, and the note on its exception."""
    keras.utils.clear_session()  # names that Keras makes up are counted from the start
    try:
        with warnings.catch_warnings(), shapewatch.watch() as session:
            warnings.simplefilter("ignore")  # Keras's, of a layer that it could not build by running it
            program()
    except Exception as error:
        (note,) = [note for note in getattr(error, "__notes__", ()) if note.startswith("shapewatch:")]
        return session.report, note
    raise AssertionError("nothing was raised")


if __name__ == "__main__":
    said = {name: explained(program)[1] for name, program in BREAKING.items()}
    print(
        json.dumps({"said": said, "imported": [name for name in ("jax", "tensorflow", "torch") if name in sys.modules]})
    )
