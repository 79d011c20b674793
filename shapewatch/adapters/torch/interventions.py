"""Edits that act on operations while the pass runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from shapewatch.adapters.rewritten import RewrittenLines
from shapewatch.adapters.torch import kinds


class Interventions:
    """Layers put on operands, and arguments replaced; by `Call.place`."""

    def __init__(self) -> None:
        self.modules: dict[str, list[tuple[int, nn.Module]]] = {}
        self.arguments: dict[str, dict[str, Any]] = {}
        self._lines = RewrittenLines()

    def __bool__(self) -> bool:
        return bool(self.modules or self.arguments)

    def act(
        self, place: str, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """The arguments with which the operation of this name and place is to run."""
        for operand, module in self.modules.get(place, ()):
            args = on_operand(args, operand, module)
        replaced: Mapping[str, Any] | None = self.arguments.get(place)
        if self.arguments:
            replaced = self._lines.arguments(name, sys._getframe(2), replaced)
        return kinds.with_arguments(name, args, kwargs, replaced) if replaced else (args, kwargs)


def on_operand(args: tuple[Any, ...], operand: int, module: Any) -> tuple[Any, ...]:
    """The arguments with the n-th tensor among them sent through a module."""
    seen = -1

    def through(value: Any) -> Any:
        nonlocal seen
        if isinstance(value, torch.Tensor):
            seen += 1
            return module(value) if seen == operand else value
        if isinstance(value, tuple | list):
            return type(value)([through(item) for item in value])
        return value

    return tuple(through(value) for value in args)
