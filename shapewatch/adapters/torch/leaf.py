"""The leaf layer that runs now. Most calls of a pass are such, and what is here is most of what recording one costs.

Nothing that goes on inside a leaf is recorded. So it gets its call when it has ended, all at once, and no place among
the open layers. Where somebody asks for that place while it runs (it fails or is interrupted, a hook of the program's
in it calls another layer), it is opened after all, as any other layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from sys import _getframe
from types import FrameType
from typing import Any

import torch
from torch import nn

from shapewatch.adapters.torch.naming import Names
from shapewatch.adapters.torch.opened import CALL, OpenLayers, caller_of_layer
from shapewatch.adapters.torch.tensors import Values, tensors_among
from shapewatch.firewall import own_fault
from shapewatch.recorder import Line, Recorder
from shapewatch.source import calling_line

LEAVES: dict[type, tuple[str, str]] = {}
"""Name and kind of the classes whose layers are recorded by their call alone, as soon as one has run."""

_NO_FACTS: Mapping[str, Any] = {}

_WRAPPED = nn.Module._wrapped_call_impl.__code__
_IN_SEQUENCE = nn.Sequential.forward.__code__
"""Most often what calls a leaf, and no line of the program's: that which called the container is meant."""

_Tensor = torch.Tensor
_count, _pop, _push = (
    torch._C._len_torch_function_stack,
    torch._C._pop_torch_function_stack,
    torch._C._push_on_torch_function_stack,
)


class RunningLeaf:
    """The leaf that runs now and is not among the open layers; `module` is None where there is none."""

    def __init__(self, recorder: Recorder, values: Values, names: Names, opened: OpenLayers) -> None:
        self.module: nn.Module | None = None
        self._recorder = recorder
        self._values = values
        self._paths = names.inner
        self._open = opened
        self._args: tuple[Any, ...] = ()
        self._path = ""
        self._lifted = False

    def begins(self, module: nn.Module, args: tuple[Any, ...]) -> bool:
        """A layer of one of `LEAVES` begins inside another; whether it is the leaf that runs now."""
        path = self._paths.get(id(module))
        if path is None or self.module is not None or self._open[-1][1].whole:
            return False
        self.module, self._args, self._path, self._lifted = module, args, path, False
        if _count():  # as `modes.lift`, in a third of its time
            top = _pop()
            self._lifted = top is self._open.mode
            if not self._lifted:
                _push(top)
        return True

    def ended(self, module: nn.Module, kwargs: Mapping[str, Any], result: Any) -> None:
        """The leaf has given a result; to be called by its hook."""
        args = self._args
        self.module, self._args = None, ()
        try:
            recorder = self._recorder
            known = recorder.known
            given = args[0] if len(args) == 1 and not kwargs else None
            entry = known.get(id(given))
            if entry is not None and entry[0]() is given:
                operands: tuple[int, ...] = (entry[1],)
            else:
                operands = self._values.numbers(tensors_among((*args, *kwargs.values())), None)
            if type(result) is _Tensor and given is not None and result is not given and not _count():
                spec = (result.shape, result.dtype, result.device)
                results: tuple[int, ...] = (recorder.add_value(result, spec, "call"),)
            else:
                changed = module.__dict__.get("inplace", False)
                results = self._values.of_whole(tensors_among((result,)), changed)
            name, kind = LEAVES[type(module)]
            parent = self._open[-1][1]
            frame = _getframe(4)  # past the hook and what runs it
            caller = frame.f_back if frame.f_code is _WRAPPED else caller_of_layer(_getframe(1))
            if caller is not None and caller.f_code is _IN_SEQUENCE:
                line = parent.line
            else:
                line = calling_line(caller, CALL, parent.line)
            recorder.add_call(name, kind, self._path, True, operands, results, _NO_FACTS, line, parent)
        except Exception as fault:
            own_fault(fault)
        finally:
            if self._lifted:
                _push(self._open.mode)

    def open(self, frame: FrameType | None) -> None:
        """Put the leaf among the open layers: it is an ordinary one from now on. The frame runs inside of it, unless it
        was interrupted."""
        module, args = self.module, self._args
        self.module, self._args = None, ()
        if module is None:
            return
        name, kind = LEAVES[type(module)]
        operands = self._values.numbers(tensors_among(args), None)
        call = self._recorder.open_call(name, kind, self._path, True, operands)
        call.line = _line_of(module, frame)
        call.whole = True
        self._open.append((module, call, None, self._lifted))


def _line_of(module: nn.Module, frame: FrameType | None) -> Line | None:
    """The program's line that calls a layer which runs; None where it runs no more."""
    while frame is not None:
        if frame.f_code is CALL and frame.f_locals.get("self") is module:
            return calling_line(frame.f_back)
        frame = frame.f_back
    return None
