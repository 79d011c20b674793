"""The arguments of a call without their tensors: enough to make them again on shapes, and nothing kept alive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from shapewatch.edits import Input


@dataclass(frozen=True)
class TensorPlan:
    """What it takes to make a tensor's like."""

    shape: tuple[int, ...]
    stride: tuple[int, ...] | None
    dtype: torch.dtype
    device: torch.device

    def make(self) -> torch.Tensor:
        if self.stride is None:
            return torch.empty(self.shape, dtype=self.dtype, device=self.device)
        return torch.empty_strided(self.shape, self.stride, dtype=self.dtype, device=self.device)


@dataclass(frozen=True)
class Blueprint:
    """Positional and named arguments, each tensor replaced by its plan."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    @classmethod
    def of(cls, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Blueprint:
        with torch._C.DisableTorchFunction():
            return cls(_plan(args), _plan(dict(kwargs)))

    def edited(self, edits: list[Input]) -> Blueprint:
        """The arguments with some tensors, counted in order, given other shapes."""
        if not edits:
            return self
        shapes = {edit.index: edit.shape for edit in edits}
        count = iter(range(1 << 30))

        def walk(value: Any) -> Any:
            if isinstance(value, TensorPlan):
                shape = shapes.get(next(count))
                return value if shape is None else replace(value, shape=tuple(size or 0 for size in shape), stride=None)
            return _mapped(value, walk)

        return Blueprint(walk(self.args), walk(self.kwargs))

    def make(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with new tensors; inside a fake mode they are fake."""

        def walk(value: Any) -> Any:
            return value.make() if isinstance(value, TensorPlan) else _mapped(value, walk)

        return walk(self.args), walk(dict(self.kwargs))


def _plan(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        stride = None
        if value.layout is torch.strided and not value.is_nested:
            stride = tuple(value.stride())
            if any(step == 0 for step in stride):
                stride = None  # an expanded tensor; its like is made dense
        return TensorPlan(tuple(value.shape), stride, value.dtype, value.device)
    return _mapped(value, _plan)


def _mapped(value: Any, change: Any) -> Any:
    """A container of the same type with its members changed; anything else as it is."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(change(item) for item in value))
    if type(value) in (tuple, list):
        return type(value)(change(item) for item in value)
    if isinstance(value, dict) and type(value) is dict:
        return {key: change(item) for key, item in value.items()}
    return value


def spec_tree(value: Any, depth: int = 0) -> Any:
    """The shapes in what a model returned, nested as it returned them: a shape is a tuple of sizes."""
    if isinstance(value, torch.Tensor):
        with torch._C.DisableTorchFunction():
            return tuple(int(size) if isinstance(size, int) else None for size in value.shape)
    if depth > 6:
        return None
    if isinstance(value, Mapping):
        return {str(key): spec_tree(item, depth + 1) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(spec_tree(item, depth + 1) for item in value)
    if hasattr(type(value), "__dataclass_fields__"):
        return {name: spec_tree(getattr(value, name), depth + 1) for name in value.__dataclass_fields__}
    return None
