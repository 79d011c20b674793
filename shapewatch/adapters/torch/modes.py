"""Function modes on the stack of this thread: taken off for a while or for good, and hidden from one another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import (
    TorchFunctionMode,
    _get_current_function_mode_stack,
    _pop_mode,
    _push_mode,
)

_count, _at, _pop = (
    torch._C._len_torch_function_stack,
    torch._C._get_function_stack_at,
    torch._C._pop_torch_function_stack,
)
"""What the functions of `torch.overrides` call; a mode is lifted for every leaf layer."""


class _Isolated(threading.local):
    by: Any = None
    """The one that records while a dry run goes on: a watch around it must not see the dry run."""


isolated = _Isolated()


@contextmanager
def unseen() -> Iterator[None]:
    """No watch of this thread sees what goes on inside: a dry run, or getting ready for one."""
    outer = isolated.by
    isolated.by = unseen
    try:
        yield
    finally:
        isolated.by = outer


def lift(mode: TorchFunctionMode) -> bool:
    """Take a mode off where it is the uppermost one; whether it was. `_push_mode` puts it on again."""
    count = _count()
    uppermost = count > 0 and _at(count - 1) is mode
    if uppermost:
        _pop()
    return uppermost


def remove_mode(mode: TorchFunctionMode) -> int | None:
    """Take a mode off the stack of this thread, also from under others that end later than it.

    Returns:
        How many modes are below it; None where it is not there.
    """
    above, depth = [], None
    while depth is None and torch._C._len_torch_function_stack():
        top = _pop_mode()
        if top is mode:
            depth = torch._C._len_torch_function_stack()
        else:
            above.append(top)
    for other in reversed(above):
        _push_mode(other)
    return depth


def put_back(mode: TorchFunctionMode, depth: int) -> None:
    """Put a mode where it was on the stack."""
    above = []
    while torch._C._len_torch_function_stack() > depth:
        above.append(_pop_mode())
    for each in (mode, *reversed(above)):
        _push_mode(each)


class LiftedForSteps:
    """Lifts a mode while an optimizer steps.

    What an optimizer computes is no part of a pass, and is much: several operations a parameter.
    """

    def __init__(self, mode: TorchFunctionMode) -> None:
        self._mode = mode
        self._under: list[TorchFunctionMode] = []
        """The modes below it while it is lifted."""
        self.now = False

    def begin(self) -> None:
        if lift(self._mode):
            self._under, self.now = list(_get_current_function_mode_stack()), True

    def end(self) -> None:
        """Also where a pass begins: that of a closure, or the next one after a step that failed.

        Not on top of a mode that the program has entered since: when it leaves, it would take this one off.
        """
        if self.now and self._under == _get_current_function_mode_stack():
            self.now = False
            _push_mode(self._mode)


def runs_as_one(module: nn.Module) -> bool:
    """Whether watching the inside of a module would change what it does.

    The encoder's and attention's fused paths are taken only when no function mode is active, and differ in the last
    bits from the ordinary ones.
    """
    if isinstance(module, torch.jit.ScriptModule):
        return True
    if module.training or not isinstance(
        module, nn.TransformerEncoder | nn.TransformerEncoderLayer | nn.MultiheadAttention
    ):
        return False
    if isinstance(isolated.by, TorchFunctionMode):
        return False  # a dry run computes nothing, and wants to see the inside
    return not (torch.is_grad_enabled() and any(parameter.requires_grad for parameter in module.parameters()))
