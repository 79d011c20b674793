"""Changes of one layer whose line makes others as well, in a helper, a loop or a class."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from tests.support.told import best, failing, reason


def cell(x: Any, width: int, name: str) -> Any:
    x = layers.Conv2D(width, 3, activation="relu", name=f"{name}_a")(x)
    return layers.BatchNormalization(name=f"{name}_b")(x)


def met_again() -> Any:
    inputs = keras.Input((32, 32, 3))
    fine = cell(inputs, 8, "fine")
    x = cell(layers.MaxPooling2D(2)(fine), 16, "coarse")
    x = layers.Concatenate()([layers.UpSampling2D(2)(x), fine])
    return keras.Model(inputs, cell(x, 8, "last"))


def test_a_setting_that_a_helper_does_not_say() -> None:
    told = failing(met_again)
    code, verified = best(told)
    assert code.startswith('x = layers.Conv2D(width, 3, activation="relu", name=f"{name}_a", padding="same")(x)')
    assert verified == "junction"
    assert reason(told).endswith("its line makes 2 layers, which all change")
    assert {change.layer for change in told.fixes[0].changes} == {"fine_a", "coarse_a"}


def row(widths: tuple[int, ...]) -> Any:
    model = keras.Sequential([keras.Input((14, 14, 3))])
    for width in widths:
        model.add(layers.Conv2D(width, 3, padding="valid", activation="relu"))
        model.add(layers.MaxPooling2D(2))
    return model


def test_a_setting_that_a_loop_says() -> None:
    told = failing(row, (4, 8, 16))
    code, _ = best(told)
    assert code.startswith('model.add(layers.Conv2D(width, 3, padding="same", activation="relu"))')
    assert len(told.fixes[0].changes) > 1


def padded(x: Any, width: int, padding: str) -> Any:
    return layers.Conv2D(width, 3, padding=padding)(x)


def with_one_for_itself() -> Any:
    inputs = keras.Input((32, 32, 3))
    fine = padded(inputs, 8, "same")
    x = padded(fine, 8, "valid")
    return layers.Add()([x, fine])


def test_a_setting_that_is_said_for_each_apart() -> None:
    told = failing(with_one_for_itself)
    assert [len(fix.changes) for fix in told.fixes[:1]] == [1]
    assert "its line makes" not in reason(told)
