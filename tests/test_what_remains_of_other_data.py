"""Samples of several lengths that are no windows, in a file that has some."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tests.support.told import failing

Data = tf.data.Dataset


def clips() -> Iterator[Any]:
    for length in (9, 4, 7):
        yield np.ones((length, 3), "float32")


def of_clips() -> None:
    rows = Data.from_tensor_slices(np.ones((40, 3), "float32"))
    windows = rows.window(9, shift=1).flat_map(lambda part: part.batch(9)).take(10)
    recorded = Data.from_generator(clips, output_signature=tf.TensorSpec((None, 3)))
    for _ in windows, *recorded.batch(3):
        pass


def test_lengths_that_no_window_leaves() -> None:
    told = failing(of_clips)
    assert told.code == "SW902" and told.suspects
    assert not any("drop_remainder" in fix.code for fix in told.fixes)
