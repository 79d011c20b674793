"""A stack of vectors one of which is a column; and what a line makes itself is no input of the model."""

from __future__ import annotations

from typing import Any

import keras
import pytest
import tensorflow as tf
import torch
from keras import layers

import shapewatch
from shapewatch.render import as_text
from tests.support.told import best, failing, reason


def chosen(picked: Any) -> Any:
    scores = keras.Sequential([keras.Input((3,)), layers.Dense(4)])(tf.zeros((6, 3)))
    places = tf.stack([tf.range(6), picked], axis=1)
    return tf.gather_nd(scores, places)


def chosen_in_torch(picked: torch.Tensor) -> torch.Tensor:
    return torch.stack([torch.arange(6), picked], dim=1)


def test_the_axis_of_the_column_is_taken_away() -> None:
    told = failing(lambda: chosen(tf.zeros((6, 1), tf.int32)))
    assert best(told) == ("places = tf.stack([tf.range(6), tf.squeeze(picked, 1)], axis=1)", None)
    assert "picked [6, 1], has an axis of size 1 that others have not" in reason(told)


def test_a_stack_in_torch() -> None:
    told = failing(chosen_in_torch, torch.zeros(6, 1, dtype=torch.long))
    assert best(told) == ("return torch.stack([torch.arange(6), picked.squeeze(1)], dim=1)", None)


def test_what_is_no_column_is_left_as_it_is() -> None:
    assert not failing(chosen, tf.zeros((6, 2), tf.int32)).fixes
    assert not failing(chosen_in_torch, torch.zeros(3, 1, dtype=torch.long)).fixes


def test_what_the_line_makes_is_called_as_it_says() -> None:
    with pytest.raises(Exception), (session := shapewatch.watch()):  # noqa: B017
        chosen(tf.zeros((6, 1), tf.int32))
    text = as_text(session.report)
    assert "main  tf.range(6)" in text and "the input of the model" not in text
