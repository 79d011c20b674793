"""What is given to `fit` for validation does not fit, and what is trained on does."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from shapewatch.report import Diagnosis
from tests.support.told import best, failing, reason


def of_two() -> keras.Model:
    facts, pictures = keras.Input((5,)), keras.Input((6, 6, 2))
    both = layers.concatenate([layers.Dense(3)(facts), layers.Flatten()(pictures)])
    model = keras.Model([facts, pictures], layers.Dense(1)(both))
    model.compile("sgd", "mse")
    return model


def told_kinds(loss: str) -> keras.Model:
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.Dense(3, activation="softmax")])
    model.compile("sgd", loss)
    return model


facts, pictures, prices = np.ones((16, 5)), np.ones((16, 6, 6, 2)), np.ones((16, 1))
held_facts, held_pictures, held_prices = facts[:4], pictures[:4], prices[:4]
rows, kinds = np.ones((18, 6)), np.arange(18) % 3
coded = np.eye(3)[kinds]
held_rows, held_kinds, held_coded = rows[:6], kinds[:6], coded[:6]


def exchanged() -> None:
    of_two().fit([facts, pictures], prices, validation_data=([held_pictures, held_facts], held_prices), verbose=0)


def exchanged_before() -> None:
    held = [held_pictures, held_facts]
    of_two().fit(x=[facts, pictures], y=prices, validation_data=(held, held_prices), verbose=0)


def exchanged_in_training() -> None:
    of_two().fit([pictures, facts], prices, validation_data=([held_facts, held_pictures], held_prices), verbose=0)


def test_inputs_in_each_others_place() -> None:
    told = failing(exchanged)
    code, verified = best(told)
    assert "validation_data=([held_facts, held_pictures], held_prices)" in code
    assert verified == "forward"
    assert reason(told).startswith("the inputs of `validation_data` stand in another order; the model says")
    assert told.location is not None and told.location.source is not None
    assert told.location.source.startswith("of_two().fit(")


def test_the_line_that_lists_them() -> None:
    assert best(failing(exchanged_before)) == ("held = [held_facts, held_pictures]", "forward")


def test_what_is_trained_on_is_nothing_of_the_validation() -> None:
    told = failing(exchanged_in_training)
    assert "validation_data" not in told.explanation
    assert "[facts, pictures], prices, validation_data=([held_facts, held_pictures]" in told.fixes[0].code


def numbers_for_rows() -> None:
    model = told_kinds("categorical_crossentropy")
    model.fit(rows, coded, validation_data=(held_rows, held_kinds), verbose=0)


def rows_for_numbers() -> None:
    model = told_kinds("sparse_categorical_crossentropy")
    model.fit(rows, kinds, validation_data=(held_rows, coded[:6]), verbose=0)


def numbers_in_both() -> None:
    model = told_kinds("categorical_crossentropy")
    model.fit(rows, kinds, validation_data=(held_rows, held_kinds), verbose=0)


def of_the_validation(told: Diagnosis) -> bool:
    return told.explanation.endswith("The training data fit: these are those of `validation_data`.")


def test_labels_of_the_other_form() -> None:
    told = failing(numbers_for_rows)
    assert best(told)[0] == "held_kinds = keras.utils.to_categorical(held_kinds, 3)"
    assert of_the_validation(told)
    told = failing(numbers_in_both)
    assert best(told)[0].startswith("kinds = keras.utils.to_categorical(kinds, 3)  # or the loss")
    assert not of_the_validation(told)


def labels_first() -> None:
    model = told_kinds("categorical_crossentropy")
    model.fit(rows, coded, validation_data=(held_coded, held_rows), verbose=0)


def test_labels_in_the_place_of_inputs() -> None:
    told = failing(labels_first)
    assert best(told) == ("model.fit(rows, coded, validation_data=(held_rows, held_coded), verbose=0)", None)
    assert of_the_validation(told)


class Asks(keras.callbacks.Callback):  # type: ignore[misc]
    def on_epoch_end(self, _epoch: int, _logs: Any = None) -> None:
        asked = np.ones((4, 2))
        self.model.predict(asked, verbose=0)


def asked_between() -> None:
    model = told_kinds("categorical_crossentropy")
    model.fit(rows, coded, validation_data=(rows[:6] * 1, held_coded), callbacks=[Asks()], verbose=0)


def test_a_callback_is_given_other_data() -> None:
    assert not of_the_validation(failing(asked_between))
