"""The arguments of a call without their tensors: enough to make them again as placeholders, and nothing kept alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from shapewatch.adapters.tensorflow.taps import is_tensor
from shapewatch.edits import Input


@dataclass(frozen=True)
class Plan:
    """What it takes to make a tensor's like."""

    shape: tuple[int | None, ...] | None
    dtype: tf.DType

    def make(self) -> tf.Tensor:
        return tf.compat.v1.placeholder(self.dtype, self.shape)


@dataclass(frozen=True)
class Blueprint:
    """Positional and named arguments, each tensor replaced by its plan."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    @classmethod
    def of(cls, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Blueprint:
        return cls(tf.nest.map_structure(_plan, tuple(args)), _each(_plan, kwargs))

    def edited(self, edits: Sequence[Input]) -> Blueprint:
        """The arguments with some tensors, counted in order, given other shapes."""
        shapes = {edit.index: edit.shape for edit in edits}
        count = iter(range(1 << 30))

        def walk(value: Any) -> Any:
            if not isinstance(value, Plan):
                return value
            shape = shapes.get(next(count))
            return value if shape is None else Plan(tuple(shape), value.dtype)

        return Blueprint(tf.nest.map_structure(walk, self.args), _each(walk, self.kwargs))

    def make(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with placeholders, in the graph that is being made."""
        made: tuple[tuple[Any, ...], dict[str, Any]] = tf.nest.map_structure(
            lambda value: value.make() if isinstance(value, Plan) else value, (self.args, dict(self.kwargs))
        )
        return made


def _each(change: Callable[[Any], Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Named arguments stay in the order in which they are given; TensorFlow would sort them."""
    return {name: tf.nest.map_structure(change, value) for name, value in kwargs.items()}


def _plan(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype != object:
        return Plan(value.shape, tf.as_dtype(value.dtype))
    if not is_tensor(value) or isinstance(value, tf.Variable):
        return value
    return Plan(None if value.shape.rank is None else tuple(value.shape), value.dtype)


def spec_tree(value: Any) -> Any:
    """The shapes in what a module returned, nested as it returned them: a shape is a tuple of sizes."""
    if is_tensor(value):
        return None if value.shape.rank is None else tuple(value.shape)
    if isinstance(value, Mapping):
        return {str(key): spec_tree(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(spec_tree(item) for item in value)
    return None
