"""Inputs whose size is a constant of the file: that is the line to change, as the data are mostly made by it too."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from tests.support.told import failing

SIDE = 50
HEIGHT, LENGTH = 64, 50
WIDTH = 54


def unet(inputs: Any) -> Any:
    first = layers.Conv2D(4, 3, padding="same")(inputs)
    second = layers.Conv2D(8, 3, padding="same")(layers.MaxPooling2D()(first))
    third = layers.Conv2D(8, 3, padding="same")(layers.MaxPooling2D()(second))
    up = layers.concatenate([layers.UpSampling2D()(third), second])
    return layers.Conv2D(1, 1)(up)


def square() -> Any:
    return unet(keras.Input((SIDE, SIDE, 3)))


def test_a_constant_says_both_sides() -> None:
    told = failing(square)
    assert told.fixes[0].code == "SIDE = 48"
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "SIDE = 50"


def oblong() -> Any:
    return unet(keras.Input((HEIGHT, LENGTH, 3)))


def computed() -> Any:
    return unet(keras.Input((WIDTH, WIDTH + 0, 3)))


def test_what_is_said_otherwise_is_written_in_the_line() -> None:
    for build in (oblong, computed):
        assert all(fix.code.partition(" = ")[0] not in ("HEIGHT", "LENGTH", "WIDTH") for fix in failing(build).fixes)
