"""A layer that has its weights already is not made anew by the program, whatever it is given: nothing is verified as if
it were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import shapewatch
from shapewatch.edits import Input
from shapewatch.report import Diagnosis, Fix


def diagnosed(run: Callable[[], Any]) -> Diagnosis:
    with pytest.raises(ValueError), (session := shapewatch.watch()):
        run()
    (diagnosis,) = session.report.diagnoses
    return diagnosis


def inputs_given(diagnosis: Diagnosis) -> list[tuple[int | None, ...]]:
    return [edit.shape for fix in verified(diagnosis) for edit in fix.changes if isinstance(edit, Input)]


def verified(diagnosis: Diagnosis) -> list[Fix]:
    return [fix for fix in diagnosis.fixes if fix.verified]


class Head(layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.fc = layers.Dense(8)

    def call(self, x: Any) -> Any:
        return self.fc(x)


def used(layer: Any) -> Any:
    """A layer that ran on a table of 784 columns."""
    layer(np.zeros((2, 784), "float32"))
    return layer


def trained(layer: Any) -> Any:
    """A layer of a model that was fitted."""
    model = keras.Sequential([keras.Input((784,)), layer])
    model.compile("sgd", "mse")
    model.fit(np.zeros((4, 784)), np.zeros((4, 8)), verbose=0)
    return layer


def whole(layer: Any) -> Any:
    trained(layer)
    x = keras.Input((784,))
    return keras.Model(x, layer(x))


def stacked(layer: Any) -> Any:
    return keras.Sequential([keras.Input((784,)), layer])


def in_a_row(head: Any) -> None:
    keras.Sequential([keras.Input((2, 2, 3)), layers.Conv2D(4, 3), layers.Flatten(), head])


def added(head: Any) -> None:
    model = keras.Sequential([layers.Conv2D(4, 3), layers.Flatten(), head])
    model.build((None, 2, 2, 3))


@pytest.mark.parametrize("put", [in_a_row, added])
@pytest.mark.parametrize("before", [used, trained, whole, stacked])
def test_a_layer_keeps_the_width_that_it_was_built_for(
    before: Callable[[Any], Any], put: Callable[[Any], None]
) -> None:
    """16 x 16 pixels give the 784 columns; another padding or kernel, or just enough pixels, do not."""
    diagnosis = diagnosed(lambda: put(before(layers.Dense(8, name="head"))))
    assert inputs_given(diagnosis) == [(None, 16, 16, 3)]
    assert len(verified(diagnosis)) == 1


def test_a_block_keeps_it_too() -> None:
    diagnosis = diagnosed(lambda: in_a_row(used(Head())))
    assert inputs_given(diagnosis) == [(None, 16, 16, 3)]


@pytest.mark.parametrize("put", [in_a_row, added])
def test_a_new_layer_is_built_for_what_it_is_given(put: Callable[[Any], None]) -> None:
    changed = {fix.edit.get("argument") for fix in verified(diagnosed(lambda: put(layers.Dense(8))))}
    assert {"padding", "kernel_size"} <= changed


def chain(layer: Any) -> None:
    x = keras.Input((6,))
    layers.Reshape((4, 4))(layers.Concatenate()([x, layer(x)]))


def of_another_model(layer: Any) -> Any:
    x = keras.Input((6,))
    layer(x)
    return layer


def test_an_input_that_a_layer_was_not_built_for() -> None:
    """Eight features would make sixteen with the layer's eight."""
    assert inputs_given(diagnosed(lambda: chain(layers.Dense(8)))) == [(None, 8)]
    assert inputs_given(diagnosed(lambda: chain(of_another_model(layers.Dense(8))))) == []


def test_a_layer_that_is_used_twice_is_still_new() -> None:
    def twins() -> None:
        both, shared = [keras.Input((6,)), keras.Input((6,))], layers.Dense(5)
        merged = layers.Add()([shared(x) for x in both])
        layers.Reshape((4, 4))(layers.Dense(15)(merged))

    assert ("units", 16) in {(fix.edit.get("argument"), fix.edit.get("value")) for fix in verified(diagnosed(twins))}


def test_what_ran_before_is_no_part_of_the_model_that_is_put_together() -> None:
    """The declaration is changed, and no data: there are none yet."""
    diagnosis = diagnosed(lambda: in_a_row(used(layers.Dense(8))))
    assert "keras.Input(" in diagnosis.fixes[0].code and "resize" not in diagnosis.fixes[0].code


def test_a_layer_to_be_put_into_a_row() -> None:
    def build() -> None:
        colour = layers.Conv2D(8, 3, name="colour")
        colour(np.zeros((2, 16, 16, 3), "float32"))
        keras.Sequential([keras.Input((16, 16, 1)), colour, layers.Flatten()])

    codes = [fix.code for fix in diagnosed(build).fixes if fix.edit["action"] == "insert"]
    assert codes == ["layers.Conv2D(3, 1),  # before colour"]
