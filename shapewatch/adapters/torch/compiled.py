"""Compiled code: `torch.compile` of a model or a function, `model.compile()`; and exporting and tracing of models.

A function mode or a global hook that is there when compiled code is called becomes part of its graph and of its guards:
the watch would have it compiled again, and so would the end of the watch. So both are off for the length of such a
call, which is recorded as one call, and looked at again uncompiled and on shapes where it fails.

All compiled code begins in one function of PyTorch's, which asks another how to compile; that one is listened to.
Wrapping what `torch.compile` gives would miss what was compiled before the watch. What exports or traces a model is not
recorded at all: what it runs is no pass of the program's, and its shapes may be symbols.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch._C._dynamo import eval_frame as _frames
from torch.utils._python_dispatch import _disable_current_modes

from shapewatch.adapters.appearing import Arrival
from shapewatch.adapters.taps import Once, Tap
from shapewatch.firewall import attempt, own_fault
from shapewatch.source import is_foreign

WRAPPED = "_orig_mod"
"""The name under which a wrapper has what it wraps."""


@dataclass(frozen=True)
class CompiledCall:
    """A call of compiled code: of this module, or of a function where it is None."""

    function: Any
    module: nn.Module | None
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


End = Callable[[Any], None]
"""Called with what a compiled call gave, or with None while its exception is on its way."""


def eager(module: nn.Module) -> nn.Module:
    """The module itself, where `torch.compile` has wrapped it."""
    while is_wrapper(module):
        inner = module._modules[WRAPPED]
        assert inner is not None
        module = inner
    return module


def is_wrapper(module: nn.Module) -> bool:
    """Whether a module is what `torch.compile` makes around one."""
    return type(module).__name__ == "OptimizedModule"


def hear(begins: Callable[[CompiledCall], End | None], steps_aside: Callable[[], None], stack: ExitStack) -> None:
    """Have compiled calls told of, from before they run, until the stack is closed.

    Args:
        begins: makes way for compiled code, and gives what is to be done when it ends.
        steps_aside: makes way for good, where our own fault kept us from that.
    """

    def heard(original: Once, callback: Any) -> Any:
        taken = original(callback)
        if taken is None:  # it is asked for at each operation of a dry run
            return taken
        try:
            frame = _asking(sys._getframe(1))
            if frame is not None:
                _until_the_end(frame, begins)
        except Exception as fault:
            own_fault(fault)
            steps_aside()
        return taken

    _listen(_COMPILED, heard, stack)


def own_hooks_unseen(is_own: Callable[[Any], bool], stack: ExitStack) -> None:
    """PyTorch warns of global hooks when a compiled model is called. Ours are not there while it runs."""

    def heard(original: Once) -> Any:
        return original() and any(
            not is_own(hook) for name in _HOOKS for hook in getattr(nn.modules.module, name).values()
        )

    _listen(_HOOKED, heard, stack)


_HOOKS = ("_global_forward_pre_hooks", "_global_forward_hooks", "_global_backward_pre_hooks", "_global_backward_hooks")


def hear_tracing(begins: Callable[[CompiledCall], End | None], stack: ExitStack) -> None:
    """Have told of what exports or traces a model, until the stack is closed."""

    def heard(original: Once, *args: Any, **kwargs: Any) -> Any:
        end = begins(_to_be_traced(args, kwargs))
        try:
            return original(*args, **kwargs)
        finally:
            if end is not None:
                end(None)

    for place in _TRACED:
        _listen(place, heard, stack)


def _to_be_traced(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> CompiledCall:
    """The call that is exported or traced: `_export(model, args, kwargs)`, `_trace_impl(model, args)`."""
    given = args[1] if len(args) > 1 else kwargs.get("args", kwargs.get("example_inputs"))
    named = args[2] if len(args) > 2 else kwargs.get("kwargs", kwargs.get("example_kwarg_inputs"))
    positional = given if isinstance(given, tuple) else () if given is None else (given,)
    traced = args[0] if args else kwargs.get("mod", kwargs.get("func"))
    module = traced if isinstance(traced, nn.Module) else None
    return CompiledCall(traced, module, positional, named if isinstance(named, Mapping) else {})


def run_eagerly(applies: Callable[[], bool], stack: ExitStack) -> None:
    """Have compiled code run uncompiled, where that applies, until the stack is closed."""

    def heard(original: Once, callback: Any) -> Any:
        frame = None if callback is None or not applies() else _asking(sys._getframe(1))
        if frame is None:
            return original(callback)
        if frame.f_locals.get("fullgraph_count_enabled"):  # else it is an error that nothing was compiled
            frame.f_globals["set_fullgraph_compiled_frame_count"](-1)
        return None

    _listen(_COMPILED, heard, stack)


_Place = tuple[str, str]
"""Of a function of PyTorch's: its module and its name there."""

_EVAL_FRAME = "torch._dynamo.eval_frame"
_COMPILED: _Place = (_EVAL_FRAME, "_callback_from_stance")
_TRACED: tuple[_Place, ...] = (("torch.export._trace", "_export"), ("torch.jit._trace", "_trace_impl"))
_HOOKED: _Place = ("torch.nn.modules.module", "_has_any_global_hook")


def _listen(place: _Place, heard: Callable[..., Any], stack: ExitStack) -> None:
    """Listen to a function from when its module is there; to none where a release has no such function."""
    module, name = place

    def listen(_: str = "") -> None:
        if hasattr(sys.modules[module], name):
            _tap(place).listen(heard, stack)

    if module in sys.modules:
        listen()
        return
    arrival = Arrival([module], listen)
    arrival.start()
    stack.callback(arrival.stop)


@cache
def _tap(place: _Place) -> Tap:
    module, name = place
    return Tap(sys.modules[module], name)


def _asking(frame: FrameType | None) -> FrameType | None:
    """The frame in which compiled code is about to begin."""
    while frame is not None and frame.f_globals.get("__name__") != _EVAL_FRAME:
        frame = frame.f_back
    return frame if frame is not None and isinstance(frame.f_locals.get("cleanups"), list) else None


def _until_the_end(frame: FrameType, begins: Callable[[CompiledCall], End | None]) -> None:
    """Tell of a call that begins, and have its end told of by the list of what is to be done then.

    Of nested watches the inner one begins and ends within the outer one: its end comes later in the list.
    """
    around = frame.f_locals
    end = begins(CompiledCall(around["fn"], _module_of(around["fn"]), around["args"], around["kwargs"]))
    if end is None:
        return
    held = [frame]

    def ended() -> None:
        try:
            end(held.pop().f_locals.get("result"))  # the frame is let go of: it holds this list
        except Exception as fault:
            own_fault(fault)

    around["cleanups"].insert(0, ended)


def _module_of(function: Any) -> nn.Module | None:
    """The module that a function calls, or is the `forward` of."""
    for owner in (getattr(function, "__self__", None), getattr(function, "__wrapped__", None)):
        if isinstance(owner, nn.Module):
            return eager(owner)
    return None


# Decorated models

_callback: Callable[[], Any] = getattr(_frames, "get_eval_frame_callback", bool)


def is_read() -> bool:
    """Whether the code that asks is read by a compiler and not run."""
    return torch.compiler.is_dynamo_compiling()


def is_part() -> bool:
    """Whether the code that asks is run by compiled code, or is traced or exported."""
    if torch._C._get_tracing_state() is not None or torch.compiler.is_compiling():
        return True
    return _EVAL_FRAME in sys.modules and _callback() not in (None, False)


@contextmanager
def apart() -> Iterator[None]:
    """What runs inside is neither compiled nor traced nor exported."""
    traced = torch._C._get_tracing_state()
    compiling = _frames.set_eval_frame(None)
    torch._C._set_tracing_state(None)
    said = {name: getattr(torch.compiler, name) for name in _SAID if hasattr(torch.compiler, name)}
    for name in said:
        setattr(torch.compiler, name, False)
    try:
        with _disable_current_modes():
            yield
    finally:
        for name, value in said.items():
            setattr(torch.compiler, name, value)
        torch._C._set_tracing_state(traced)
        _frames.set_eval_frame(compiling)


_SAID = ("_is_compiling_flag", "_is_exporting_flag")
"""What `torch.compiler.is_compiling` and `is_exporting` say."""


def pass_over(*functions: Any) -> None:
    """Have the compiler begin behind functions of ours, with what they call, so that it compiles what it would."""
    if not hasattr(_frames, "_FrameExecStrategy"):
        return  # an older release, which compiles them with the rest
    skip = _frames._FrameExecStrategy(_frames._FrameAction.SKIP, _frames._FrameAction.DEFAULT)
    for function in functions:
        _frames.set_code_exec_strategy(function.__code__, skip)


pass_over(attempt, is_read, is_part, apart.__wrapped__, pass_over)  # type: ignore[attr-defined]


def raised_at(error: BaseException) -> tuple[str, int] | None:
    """File and line of the program that raised an error, or was being compiled when the compiler did.

    None where what raised it is a compiled graph, or PyTorch's own: it is not known on whose behalf.
    """
    traced = [(entry.filename, entry.lineno) for entry in getattr(error, "real_stack", None) or ()]
    if traced:
        return next((line for line in reversed(traced) if not is_foreign(line[0])), None)
    entry = error.__traceback__
    while entry is not None and entry.tb_next is not None:
        entry = entry.tb_next
    if entry is None or any(words in entry.tb_frame.f_code.co_filename for words in _GENERATED):
        return None
    file = entry.tb_frame.f_code.co_filename
    return None if is_foreign(file) else (file, entry.tb_lineno)


_GENERATED = ("<eval_with_key>", "torchinductor")
"""In the names of files of code that a compiler has written."""
