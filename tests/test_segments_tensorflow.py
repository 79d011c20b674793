"""Sums over segments in TensorFlow that are as many as the largest index says."""

from __future__ import annotations

import pytest
import tensorflow as tf

from tests.support.told import best, failing, reason

NODES = 9


class Conv(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(tf.ones((6, 6)))

    def summed(self, messages: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        count = tf.reduce_max(target) + 1
        return tf.math.unsorted_segment_sum(messages, target, num_segments=count)

    def __call__(self, x: tf.Tensor, source: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        return tf.concat([x, self.summed(tf.gather(x, source) @ self.w, target)], axis=1)


class Scattered(Conv):
    def __call__(self, x: tf.Tensor, source: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        messages = tf.gather(x, source) @ self.w
        return x + tf.scatter_nd(target[:, None], messages, [tf.reduce_max(target) + 1, 6])


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (Conv, "count = tf.shape(x)[0]  # with `x` of line 23 given to this function"),
        (Scattered, "return x + tf.scatter_nd(target[:, None], messages, [tf.shape(x)[0], 6])"),
    ],
)
def test_as_many_as_there_are_rows_to_gather_from(model: type[Conv], code: str) -> None:
    source, target = tf.range(20) % NODES, tf.range(20) % (NODES - 2)
    told = failing(model(), tf.ones((NODES, 6)), source, target)
    assert best(told) == (code, None)
    assert f"it counts {NODES - 2} segments, and `x`, of which line" in reason(told)


def test_features_of_one_list_of_things_are_not_joined_below_each_other() -> None:
    def joined(x: tf.Tensor) -> tf.Tensor:
        return tf.concat([x, tf.nn.relu(x)[:-2]], axis=1)

    assert not any("axis=0" in fix.code for fix in failing(joined, tf.ones((NODES, 6))).fixes)
