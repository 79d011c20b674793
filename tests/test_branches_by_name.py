"""A branch that is to be changed is called in the cause as the line of the junction calls it."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from tests.support.told import failing, reason


def steps() -> Any:
    return layers.Conv1D(6, 3, padding="same")(layers.Embedding(50, 6)(keras.Input((12,))))


def named() -> Any:
    words, counts, flags = steps(), keras.Input((4,)), keras.Input((2,))
    counts, flags = layers.Dense(4)(counts), layers.Dense(2)(flags)
    return layers.concatenate([counts, words, flags])


def nameless() -> Any:
    counts = layers.Dense(4)(keras.Input((4,)))
    return layers.concatenate([counts, layers.Activation("relu")(steps())])


def test_a_branch_has_its_name() -> None:
    said = "has a vector for each step or place, and"
    assert reason(failing(named)) == f"`words` {said} the others have one for a sample"
    assert reason(failing(nameless)) == f"one of its branches {said} the other has one for a sample"
