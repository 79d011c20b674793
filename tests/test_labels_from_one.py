"""Labels whose classes begin at 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers
from keras.utils import to_categorical

from tests.support.told import best, failing, reason


def fitted(labels: Any, loss: str) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(3, activation="softmax")])
    model.compile("sgd", loss)
    model.fit(np.ones((len(labels), 3)), labels, verbose=0)


def rows_from_one() -> None:
    kinds = np.arange(60) % 3 + 1
    fitted(to_categorical(kinds), "categorical_crossentropy")


def rows_from_zero() -> None:
    kinds = np.arange(60) % 4
    fitted(np.eye(4)[kinds], "categorical_crossentropy")


def few_rows() -> None:
    kinds = np.array([1, 3, 2, 1])
    fitted(np.eye(4)[kinds], "categorical_crossentropy")


def numbers_from_one() -> None:
    fitted(np.arange(60) % 3 + 1, "sparse_categorical_crossentropy")


def numbers_from_zero() -> None:
    fitted(np.arange(60) % 4, "sparse_categorical_crossentropy")


def numbers_of_torch() -> None:
    labels = torch.arange(60) % 3 + 1
    scores = torch.nn.Linear(4, 3)(torch.ones(60, 4))
    torch.nn.functional.cross_entropy(scores, labels)


def test_one_hot_rows_without_class_0() -> None:
    told = failing(rows_from_one)
    assert told.code == "SW804"
    assert best(told) == ('fitted(to_categorical(kinds - 1), "categorical_crossentropy")', None)
    assert reason(told) == "no label has class 0: the classes of labels go from 1 to 3"
    assert len(told.fixes) == 2, "a wider layer is another choice"


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (numbers_from_one, "model.fit(np.ones((len(labels), 3)), labels - 1, verbose=0)"),
        (numbers_of_torch, "torch.nn.functional.cross_entropy(scores, labels - 1)"),
    ],
)
def test_class_numbers_without_class_0(run: Callable[[], None], code: str) -> None:
    told = failing(run)
    assert best(told) == (code, None)
    assert reason(told) == "no label has class 0: the classes of labels go from 1 to 3"


@pytest.mark.parametrize("run", [rows_from_zero, few_rows, numbers_from_zero])
def test_labels_that_have_class_0_or_are_too_few_to_tell(run: Callable[[], None]) -> None:
    told = failing(run)
    assert told.code == "SW804"
    assert told.cause is None or "class 0" not in told.cause.reason
    assert not told.fixes or told.fixes[0].edit.get("change") != "from-one"
