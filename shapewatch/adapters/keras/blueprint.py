"""The arguments of a call without their tensors: enough to make them again as symbolic ones, and nothing kept alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import KerasTensor
from keras.src import backend, tree

from shapewatch.edits import Input


def is_tensor(value: Any) -> bool:
    return isinstance(value, KerasTensor | np.ndarray) or backend.is_tensor(value)


@dataclass(frozen=True)
class Plan:
    """What it takes to make a tensor's like. A shape of None, of unknown rank, Keras refuses."""

    shape: tuple[int | None, ...] | None
    dtype: str

    def make(self) -> KerasTensor:
        return KerasTensor(self.shape, self.dtype)


@dataclass(frozen=True)
class Blueprint:
    """Positional and named arguments, each tensor replaced by its plan."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    @classmethod
    def of(cls, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Blueprint:
        return cls(mapped(_plan, tuple(args)), {name: mapped(_plan, value) for name, value in kwargs.items()})

    def edited(self, edits: Sequence[Input]) -> Blueprint:
        """The arguments with some tensors, counted in order, given other shapes."""
        if not edits:
            return self
        shapes = {edit.index: edit.shape for edit in edits}
        count = iter(range(1 << 30))

        def walk(value: Any) -> Any:
            if not isinstance(value, Plan):
                return value
            shape = shapes.get(next(count))
            return value if shape is None else Plan(tuple(shape), value.dtype)

        return Blueprint(mapped(walk, self.args), {name: mapped(walk, value) for name, value in self.kwargs.items()})

    def make(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with symbolic tensors."""
        made: tuple[tuple[Any, ...], dict[str, Any]] = mapped(
            lambda value: value.make() if isinstance(value, Plan) else value, (self.args, dict(self.kwargs))
        )
        return made


def mapped(change: Callable[[Any], Any], structure: Any) -> Any:
    return tree.map_structure(change, structure)


def _plan(value: Any) -> Any:
    if not is_tensor(value):
        return value
    return Plan(_sizes(value), keras.backend.standardize_dtype(value.dtype))


def _sizes(tensor: Any) -> tuple[int | None, ...] | None:
    """The shape of a tensor; None where its rank is unknown, as it may be in a graph."""
    try:
        return tuple(tensor.shape)
    except ValueError:
        return None


def spec_tree(value: Any) -> Any:
    """The shapes in what a model returned, nested as it returned them: a shape is a tuple of sizes."""
    if is_tensor(value):
        return _sizes(value)
    if isinstance(value, Mapping):
        return {str(key): spec_tree(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(spec_tree(item) for item in value)
    return None
