"""Windows and batches of a `tf.data` pipeline that end short."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tests.support.told import failing, reason

Data = tf.data.Dataset


def read(batches: Any) -> None:
    for _ in batches:
        pass


def run_past_the_end() -> None:
    rows = Data.from_tensor_slices(np.ones((40, 3), "float32"))
    windows = rows.window(6, shift=1).flat_map(lambda part: part.batch(6))
    read(windows.map(lambda part: (part[:-1], part[-1])).batch(8))


def test_windows_that_run_past_the_end() -> None:
    told = failing(run_past_the_end)
    assert told.code == "SW902" and not told.suspects
    assert [fix.code for fix in told.fixes] == [
        "windows = rows.window(6, shift=1, drop_remainder=True).flat_map(lambda part: part.batch(6))",
        "windows = rows.window(6, shift=1).flat_map(lambda part: part.batch(6, drop_remainder=True))",
    ]
    assert told.fixes[0].verified is None
    assert "samples of [4, 3] beside [5, 3]" in reason(told)
