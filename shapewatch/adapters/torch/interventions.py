"""Edits that act on operations while the pass runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import CodeType
from typing import Any

import torch
from torch import nn

from shapewatch.adapters.in_reach import held_by_expression
from shapewatch.adapters.rewritten import RewrittenLines
from shapewatch.adapters.torch import kinds
from shapewatch.edits import RESULT
from shapewatch.source import calling_frame


class Interventions:
    """Layers put on operands, and arguments replaced; by `Call.place`."""

    def __init__(self) -> None:
        self.modules: dict[str, list[tuple[int, nn.Module]]] = {}
        self.arguments: dict[str, dict[str, Any]] = {}
        self._lines = RewrittenLines()
        self._on_results: dict[tuple[str, CodeType, int], nn.Module] = {}

    def __bool__(self) -> bool:
        return bool(self.modules or self.arguments)

    def made(self, place: str, name: str, result: Any) -> Any:
        """What an operation of this name and place is to give: as said of this one, or as when its line ran before."""
        modules = {at: module for at, given in self.modules.items() for operand, module in given if operand == RESULT}
        frame = calling_frame(sys._getframe(2)) if modules else None
        if frame is None or not isinstance(result, torch.Tensor):
            return result
        line = (name, frame.f_code, frame.f_lasti)
        module = self._on_results.setdefault(line, modules[place]) if place in modules else self._on_results.get(line)
        return result if module is None else module(result)

    def act(
        self, place: str, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """The arguments with which the operation of this name and place is to run."""
        for operand, module in self.modules.get(place, ()):
            args = on_operand(args, operand, module)
        replaced: Mapping[str, Any] | None = self.arguments.get(place)
        if self.arguments:
            replaced = self._lines.arguments(name, sys._getframe(2), replaced)
            if replaced and "as_large_as" in replaced:
                size = held_by_expression(replaced["as_large_as"]).shape[2 - args[0].dim() :]
                replaced = {**{key: value for key, value in replaced.items() if key != "as_large_as"}, "size": size}
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
