"""Flags that a loop works out for each of its layers."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import keras
import pytest
from keras import layers

from shapewatch.adapters.turns import moved_by_one
from shapewatch.recording import Span
from tests.support.told import best, failing

SIZES = [12, 10, 8]


def too_early() -> Any:
    model = keras.Sequential([keras.Input((9, 4))])
    for turn, size in enumerate(SIZES):
        model.add(layers.GRU(size, return_sequences=turn + 2 < len(SIZES)))
    return model


def not_at_the_last() -> Any:
    model = keras.Sequential([keras.Input((9, 4))])
    for turn in range(4):
        model.add(layers.LSTM(6, return_sequences=turn != 2))
    return model


def by_two() -> Any:
    model = keras.Sequential([keras.Input((9, 4))])
    for turn in range(4):
        model.add(layers.LSTM(6, return_sequences=turn < 1))
    return model


def of_lists(flags: Sequence[bool]) -> Any:
    model = keras.Sequential([keras.Input((9, 4))])
    for flag in flags:
        model.add(layers.LSTM(6, return_sequences=flag))
    return model


def test_one_turn_more() -> None:
    code, verified = best(failing(too_early))
    assert code.startswith("model.add(layers.GRU(size, return_sequences=turn + 1 < len(SIZES)))")
    assert verified == "junction"


def test_another_turn() -> None:
    code, _ = best(failing(not_at_the_last))
    assert code.startswith("model.add(layers.LSTM(6, return_sequences=turn != 3))")


@pytest.mark.parametrize(("build", "given"), [(by_two, ()), (of_lists, ((True, False, False),))])
def test_no_literal_where_the_flag_is_worked_out(build: Any, given: Any) -> None:
    code, _ = best(failing(build, *given))
    assert code.startswith("# lstm")
    assert "return_sequences True instead of False; in: model.add(layers.LSTM(6, return_sequences=" in code


def test_what_the_loop_gives_has_to_be_what_was_recorded() -> None:
    made = too_early.__code__
    span = Span(made.co_filename, made.co_firstlineno + 3)
    flag = ast.parse("turn + 2 < len(SIZES)", mode="eval").body
    line = "turn + 2 < len(SIZES)"
    assert moved_by_one(line, flag, [True, False], [True, True], span) == "turn + 1 < len(SIZES)"
    assert moved_by_one(line, flag, [False, False], [True, True], span) is None
