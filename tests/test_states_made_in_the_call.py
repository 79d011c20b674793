"""A state that a model makes in its call for batches of one size, where the last batch is smaller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
import tensorflow as tf

from tests.support.told import best, failing, reason

ROWS, WIDE = 8, 5


class Cell(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.taken, self.kept = (tf.Variable(tf.ones([size, WIDE])) for size in (3, WIDE))

    def __call__(self, x: Any, state: Any) -> Any:
        return tf.tanh(tf.matmul(x, self.taken) + tf.matmul(state, self.kept))


class Joined(Cell):
    """The same as one product of both."""

    def __init__(self) -> None:
        super().__init__()
        self.both = tf.Variable(tf.ones([3 + WIDE, WIDE]))

    def __call__(self, x: Any, state: Any) -> Any:
        return tf.tanh(tf.matmul(tf.concat([x, state], axis=1), self.both))


class Steps(tf.Module):
    def __init__(self, cell: tf.Module) -> None:
        super().__init__()
        self.cell = cell

    def __call__(self, rows: Any) -> Any:
        before = tf.zeros([ROWS, WIDE])
        for step in range(rows.shape[1]):
            before = self.cell(rows[:, step], before)
        return before


class Handed(Steps):
    """The state is handed on by a method."""

    def __call__(self, rows: Any) -> Any:
        first = tf.ones((ROWS, WIDE))
        return self.run(rows, first)

    def run(self, rows: Any, state: Any) -> Any:
        for step in range(rows.shape[1]):
            state = self.cell(rows[:, step], state)
        return state


class Within(tf.Module):
    """What the model is given has another name where it comes from."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = Steps(Cell())

    def __call__(self, taken: Any) -> Any:
        return self.steps(taken)


class Given(Steps):
    """The state comes from outside."""

    def __call__(self, rows: Any, state: Any = None) -> Any:
        return self.cell(rows[:, 0], state)


def over_batches(model: Callable[..., Any], *state: Any) -> None:
    data = tf.data.Dataset.from_tensor_slices(tf.ones((20, 4, 3))).batch(ROWS)
    for rows in data:
        model(rows, *state)


@pytest.mark.parametrize("cell", [Cell, Joined])
def test_the_line_that_makes_it(cell: type[Cell]) -> None:
    told = failing(over_batches, Steps(cell()))
    assert best(told) == ("before = tf.zeros([tf.shape(rows)[0], WIDE])", None)
    assert reason(told) == "before is made for 8 samples, and this batch has 4"
    assert "drop_remainder=True" in told.fixes[1].code


def test_a_state_that_is_handed_on() -> None:
    told = failing(over_batches, Handed(Cell()))
    assert best(told) == ("first = tf.ones((tf.shape(rows)[0], WIDE))", None)


def test_an_argument_of_another_name_outside() -> None:
    assert best(failing(over_batches, Within()))[0] == "before = tf.zeros([tf.shape(rows)[0], WIDE])"


def test_a_function_that_is_traced() -> None:
    told = failing(over_batches, tf.function(Steps(Cell()).__call__))
    assert best(told)[0] == "before = tf.zeros([tf.shape(rows)[0], WIDE])"


def test_a_state_from_outside_is_no_line_of_the_model() -> None:
    told = failing(over_batches, Given(Cell()), tf.zeros([ROWS, WIDE]))
    assert not any("tf.shape" in fix.code for fix in told.fixes)


class Scanned(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.taken, self.kept = keras.layers.Dense(WIDE), keras.layers.Dense(WIDE)

    def call(self, rows: Any) -> Any:
        state = tf.zeros((ROWS, WIDE))
        return self.once(rows[:, 0], state)

    def once(self, x: Any, state: Any) -> Any:
        return tf.tanh(self.taken(x) + self.kept(state))


def test_a_keras_model() -> None:
    told = failing(over_batches, Scanned())
    assert best(told)[0] == "state = tf.zeros((tf.shape(rows)[0], WIDE))"
