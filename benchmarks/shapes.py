"""The shapes in whatever a model returns, and in what a report says that it would return."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

Shapes = tuple[tuple[int | None, ...], ...]
"""The shape of each tensor in a result, in order; None for a size that is not known."""


def shapes_of(value: Any) -> Shapes:
    """The shapes of the tensors in a tensor, a tuple, a list, a mapping or a dataclass, however nested.

    A tensor, of any framework, is what has a shape and a dtype.
    """
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return (tuple(value.shape),)
    if isinstance(value, Mapping):
        return tuple(shape for item in value.values() for shape in shapes_of(item))
    if isinstance(value, tuple | list):
        return tuple(shape for item in value for shape in shapes_of(item))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return tuple(s for f in dataclasses.fields(value) for s in shapes_of(getattr(value, f.name)))
    return ()


def claimed_shapes(value: Any) -> Shapes | None:
    """The shapes in an `output_shape`: one, or several nested as the result is. None: nothing is claimed."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return tuple(s for item in value.values() for s in claimed_shapes(item) or ())
    if isinstance(value, tuple | list):
        if all(size is None or isinstance(size, int) for size in value):
            return (tuple(value),)
        return tuple(s for item in value for s in claimed_shapes(item) or ())
    return None


def agree(left: Shapes, right: Shapes) -> bool:
    """Whether two results have the same shapes as far as both are known."""
    return len(left) == len(right) and all(
        len(a) == len(b) and all(i is None or j is None or i == j for i, j in zip(a, b, strict=True))
        for a, b in zip(left, right, strict=True)
    )


def same_ranks(left: Shapes, right: Shapes) -> bool:
    """Whether two results have as many tensors, each with as many axes."""
    return [len(shape) for shape in left] == [len(shape) for shape in right]


def say(shapes: Shapes | None) -> str:
    """`[2, 10]`, or `[2, 10], [2, 3, 8, 8]` for several tensors."""
    if shapes is None:
        return "not known"
    return ", ".join("[" + ", ".join("?" if size is None else str(size) for size in s) + "]" for s in shapes)
