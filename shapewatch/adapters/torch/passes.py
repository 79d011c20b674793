"""Passes of modules that are not recorded: they run with the function mode lifted.

Recording every pass takes twice the time of a small model's step.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from shapewatch.adapters.passes import Kept, Pass, Passes, signature
from shapewatch.adapters.torch.blueprint import Blueprint, spec_tree
from shapewatch.adapters.torch.modes import lift
from shapewatch.adapters.torch.opened import UNRECORDED, OpenLayers, caller_of_layer
from shapewatch.adapters.torch.tensors import Values, raw_spec, tensors_in
from shapewatch.recorder import Recorder

_NONE: frozenset[int] = frozenset()


class Aside:
    """Passes that run unrecorded because their like is recorded, and which one stands for the one that runs now."""

    def __init__(self, recorder: Recorder, values: Values, opened: OpenLayers) -> None:
        self._recorder = recorder
        self._values = values
        self._open = opened
        self._passes = Passes(recorder)
        self._within: dict[int, frozenset[int]] = {}
        self.standing: Kept | None = None
        """The recorded pass that stands for the one which runs now; None while everything is recorded."""
        self.inner = _NONE
        """The modules inside the outermost one, by identity, while it runs unrecorded."""
        self.missed: BaseException | None = None
        """What an unrecorded pass raised."""

    def forget(self) -> None:
        """What was recorded of earlier passes is gone."""
        self._passes.forget()

    def begins(self, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Let a pass run unrecorded whose like is recorded; whether it does."""
        self.missed = None
        with torch._C.DisableTorchFunction():
            told = signature((args, kwargs))
        modes = (torch.is_grad_enabled(), torch.is_autocast_enabled(), torch.is_inference_mode_enabled())
        standing = self._passes.begins((id(module), module.training, modes, told))
        if standing is None:
            self._passes.recorded()
            return False
        if id(module) not in self._within:
            self._within[id(module)] = frozenset(map(id, module.modules())) - {id(module)}
        self._open.append((module, UNRECORDED, sys.exception(), lift(self._open.mode)))
        self.standing, self.inner = standing, self._within[id(module)]  # with it the layer is open, or neither is so
        return True

    def goes_on(self, module: nn.Module) -> bool:
        """Whether the unrecorded pass still runs when a module begins that it is not known to hold."""
        self._open.close_left(caller_of_layer(sys._getframe(2)))
        if not self._open:
            self.standing, self.inner = None, _NONE
        elif module is self._open[0][0]:  # it calls itself
            self._open.append((module, UNRECORDED, None, False))
        return self.standing is not None

    def ends(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Pass | None:
        """The innermost call of the module that runs unrecorded ended. The pass, where that was the outermost call."""
        kept, left = self.standing, self._open.leave(module)
        if self._open or kept is None or left is None:
            return None
        self.standing, self.inner = None, _NONE
        error = sys.exception()
        if result is None and error is not None and error is not left[1]:
            self.missed = error
            self._recorder.fail(error, None)
            return Pass(Blueprint.of(args, kwargs), None)
        made: list[torch.Tensor] = []
        tensors_in(result, made)
        with torch._C.DisableTorchFunction():
            specs = [raw_spec(tensor) for tensor in made]
        ran = kept.ran
        if not self._passes.ended(kept, made, specs):
            ran = Pass(Blueprint.of(args, kwargs), spec_tree(result))
            self._recorder.end_pass(self._values.numbers(made, "call"))
        self._passes.followed()
        return ran

    def keep(self, inputs: tuple[int, ...], outputs: tuple[int, ...], ran: Pass, made: list[torch.Tensor]) -> None:
        """A pass was recorded, of the signature with which it began."""
        self._passes.keep(inputs, outputs, ran, made)
