"""Heads that are left behind the steps, in Keras: found, mended where they are split off, and verified."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import layers, ops

import shapewatch


class MultiHeadAttention(layers.Layer):
    """[N, T, 32] to the same, with the heads of each step compared with each other."""

    def __init__(self, heads: int = 4) -> None:
        super().__init__()
        self.heads, self.width = heads, 32 // heads
        self.q, self.k, self.v, self.out = (layers.Dense(32) for _ in range(4))
        self.mask: Any = None

    def split_heads(self, x: Any) -> Any:
        batch, steps, _ = ops.shape(x)
        return ops.reshape(x, (batch, steps, self.heads, self.width))

    def call(self, x: Any) -> Any:
        q, k, v = self.split_heads(self.q(x)), self.split_heads(self.k(x)), self.split_heads(self.v(x))
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / self.width**0.5
        if self.mask is not None:
            scores = scores + self.mask
        mixed = ops.matmul(ops.softmax(scores, axis=-1), v)
        batch, steps, heads, width = ops.shape(mixed)
        return self.out(ops.reshape(mixed, (batch, steps, heads * width)))


MENDED = (
    "return ops.transpose(ops.reshape(x, (batch, steps, self.heads, self.width)), (0, 2, 1, 3))\n"
    "mixed = ops.transpose(ops.matmul(ops.softmax(scores, axis=-1), v), (0, 2, 1, 3))"
)


def told_of(model: keras.Layer, masked: bool) -> shapewatch.Diagnosis:
    session = shapewatch.watch(model)
    if masked:
        with pytest.raises(Exception, match=r"equal|ncompatible|broadcast"), session:
            model(ops.ones((2, 10, 32)))
    else:
        with session:
            model(ops.ones((2, 10, 32)))
    return session.report.diagnoses[0]


@pytest.mark.parametrize("masked", [True, False])
def test_heads_are_put_in_front_where_they_are_split_off(masked: bool) -> None:
    model = MultiHeadAttention()
    model.mask = ops.ones((10, 10)) if masked else None
    told = told_of(model, masked)
    assert (told.code, told.severity) == (("SW106", "error") if masked else ("SW192", "warning"))
    (fix,) = told.fixes
    assert (fix.verified, fix.output_shape, fix.parameters_added) == ("forward", (2, 10, 32), 0)
    assert "".join(fix.code.split()) == "".join(MENDED.split())
    with fix.applied(model):
        assert tuple(model(ops.ones((2, 10, 32))).shape) == (2, 10, 32)


def test_steps_are_not_joined_with_the_width() -> None:
    """Without the way back the steps would stand where the heads are, and a layer that is not built takes any width."""
    told = told_of(MultiHeadAttention(), False)
    assert all(fix.code.count("transpose") == 2 for fix in told.fixes)


def test_heads_that_are_in_front_are_not_spoken_of() -> None:
    class Right(MultiHeadAttention):
        def split_heads(self, x: Any) -> Any:
            return ops.transpose(super().split_heads(x), (0, 2, 1, 3))

        def call(self, x: Any) -> Any:
            q, k, v = self.split_heads(self.q(x)), self.split_heads(self.k(x)), self.split_heads(self.v(x))
            scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / self.width**0.5
            mixed = ops.transpose(ops.matmul(ops.softmax(scores, axis=-1), v), (0, 2, 1, 3))
            batch, steps, heads, width = ops.shape(mixed)
            return self.out(ops.reshape(mixed, (batch, steps, heads * width)))

    session = shapewatch.watch(model := Right())
    with session:
        model(ops.ones((2, 10, 32)))
    assert session.report.diagnoses == ()
