"""Recording a PyTorch pass: global module hooks for layers, a function mode for operations.

The hooks are global, not the model's own: layers that look at their own hooks (`nn.TransformerEncoderLayer` does)
behave as if nobody watched, and nothing is pickled or copied with the model. `always_call=True` makes the exit hook run
on exceptions too, so the stack of open layers is right when it matters. No frame is kept, only code and line.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from types import FrameType, TracebackType
from typing import Any

import torch
from torch import nn
from torch.compiler import is_compiling
from torch.nn.modules.module import (
    _global_forward_hooks_with_kwargs,
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode

from shapewatch.adapters.passes import Pass
from shapewatch.adapters.spoken import with_names
from shapewatch.adapters.torch import kinds
from shapewatch.adapters.torch.blueprint import Blueprint, spec_tree
from shapewatch.adapters.torch.compiled import (
    CompiledCall,
    End,
    eager,
    hear,
    hear_tracing,
    is_wrapper,
    own_hooks_unseen,
    run_eagerly,
)
from shapewatch.adapters.torch.interventions import Interventions
from shapewatch.adapters.torch.layers import layers_of
from shapewatch.adapters.torch.leaf import LEAVES, RunningLeaf
from shapewatch.adapters.torch.modes import LiftedForSteps, isolated, lift, put_back, remove_mode, runs_as_one
from shapewatch.adapters.torch.naming import Names
from shapewatch.adapters.torch.opened import CALL, OpenLayers, caller_of_layer
from shapewatch.adapters.torch.operations import NAMED, Operations, named_function
from shapewatch.adapters.torch.passes import Aside
from shapewatch.adapters.torch.tensors import Values, describe_raw, tensors_among, with_what_a_model_keeps
from shapewatch.adapters.torch.threads import Elsewhere
from shapewatch.adapters.torch.warned import name_the_programs_line
from shapewatch.firewall import attempt, own_fault
from shapewatch.recorder import Recorder
from shapewatch.recording import Recording
from shapewatch.source import calling_line, raising_line


class Instrument(TorchFunctionMode):
    """Records one thread between `__enter__` and `__exit__`."""

    def __init__(
        self, target: nn.Module | None = None, interventions: Interventions | None = None, isolated: bool = False
    ) -> None:
        super().__init__()
        self.recorder = Recorder("torch", describe_raw)
        self.elsewhere = Elsewhere()
        self._names = Names(target)
        self._values = Values(self.recorder)
        self._operations = Operations(self.recorder, self._values)
        self._open = OpenLayers(self, self.recorder)
        self._leaf = RunningLeaf(self.recorder, self._values, self._names, self._open)
        self._aside = Aside(self.recorder, self._values, self._open)
        self._steps = LiftedForSteps(self)
        self._interventions = interventions if interventions else None
        self._isolate = isolated
        self._looks_once = not isolated and not self._interventions
        """Whether passes may run unrecorded. An edit acts where operations are heard, in every pass."""
        self._thread = 0
        self._handles: list[Any] = []
        self._hooking = threading.Lock()
        self._off = 0
        """How many compiled calls run, in any thread, for which the hooks are off."""
        self._ended = False
        self._stack = ExitStack()
        self._root: nn.Module | None = None
        self._last: Pass | None = None
        """The last pass of the outermost layer."""
        self.failed_compiled: Exception | None = None
        """What compiled code raised, or what exports or traces a model."""
        self.failed_function: tuple[Any, Blueprint] | None = None
        """The compiled function that was called outside of every layer and failed, with its arguments."""
        self._busy = False
        self._of_keras = 0
        """How many layers of Keras's are open: what goes on in them is recorded by its own adapter."""

    # The scope

    def __enter__(self) -> Instrument:
        self._thread = threading.get_ident()
        self._outer = isolated.by
        if self._isolate:
            isolated.by = self
        try:
            self._hook()
            if self._isolate:
                run_eagerly(lambda: isolated.by is self, self._stack)
            else:
                hear(self._before_compiled, self._step_aside, self._stack)
                hear_tracing(self._before_traced, self._stack)
                own_hooks_unseen(lambda hook: isinstance(getattr(hook, "__self__", None), Instrument), self._stack)
                name_the_programs_line(self._stack)
            self._open.below = torch._C._len_torch_function_stack()
            super().__enter__()
        except Exception:
            self._end()
            raise
        return self

    def _hook(self) -> None:
        self._handles.append(register_module_forward_pre_hook(self._before))
        self._handles.append(register_module_forward_hook(self._after, with_kwargs=True, always_call=True))
        self._handles.append(register_optimizer_step_pre_hook(self._before_step))
        self._handles.append(register_optimizer_step_post_hook(self._after_step))

    def _unhook(self) -> None:
        for handle in self._handles:
            handle.remove()
            _global_forward_hooks_with_kwargs.pop(handle.id, None)  # torch 2.13 forgets this one
        self._handles = []

    def _end(self) -> None:
        try:
            self._stack.close()
        finally:
            with self._hooking:
                self._ended = True
                self._unhook()
            if self._isolate:
                isolated.by = self._outer

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._end()
        finally:
            self._open_leaf()
            self._open.clear()
            remove_mode(self)  # it is not there where what no hook saw left the block while it was lifted

    def _open_leaf(self) -> None:
        """Have the leaf that runs among the open layers."""
        attempt(self._leaf.open, sys._getframe(2))

    @property
    def _asleep(self) -> bool:
        by = isolated.by
        return (
            self._busy or self._aside.standing is not None or self._of_keras > 0 or (by is not None and by is not self)
        )

    # Layers

    def _before(self, module: nn.Module, args: tuple[Any, ...], compiled: CompiledCall | None = None) -> None:
        aside = self._aside
        if id(module) in aside.inner or is_compiling() or threading.get_ident() != self._thread:
            return
        if aside.standing is not None and attempt(aside.goes_on, module):
            return
        cls: type = type(module)
        if cls in LEAVES and self._open and compiled is None and not self._asleep:
            try:
                if self._leaf.begins(module, args):
                    return
            except Exception as fault:
                own_fault(fault)
        self._of_keras += _is_of_keras(cls)
        if self._asleep:
            return
        try:
            self._busy = True
            if self._leaf.module is not None or (self._open and self._open[-1][1].whole):
                # a hook of the program's in a leaf calls another layer, or the leaf was interrupted
                caller = _caller(sys._getframe(1), compiled)
                self._leaf.open(caller)
                self._open.close_left(caller)
            if self._steps.now:
                self._steps.end()
                if self._steps.now:
                    return
            if self._open:
                self._enter_layer(module, args, {}, compiled)
            else:
                self._enter_layer(
                    module, args, compiled.kwargs if compiled else _callers_kwargs(sys._getframe(1)), compiled
                )
        except Exception as fault:
            own_fault(fault)
        finally:
            self._busy = False

    def _enter_layer(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], compiled: CompiledCall | None
    ) -> None:
        opened = self._open
        cls: type = type(module)
        kind = kinds.kind_of_layer(cls)
        if kind is None and is_wrapper(module):
            return  # the module that it wraps is told of when its compiled code begins
        path = self._names.inner.get(id(module))
        if opened and path is None:
            opened.close_left(_caller(sys._getframe(2), compiled))
        begins = False
        if not opened:
            if _in_backward():
                return  # a checkpoint that runs its part again
            begins = kind != "loss" or self._root is None  # a loss goes on with what a model gave
            if begins:
                self._begin_root(module)
                if self._looks_once and self._aside.begins(module, args, kwargs):
                    return
        parent = opened[-1][1] if opened else None
        if path is None:
            path = self._names.path(module, parent.layer if parent else None)
        found = tensors_among(args)
        if kwargs:
            found += tensors_among(tuple(kwargs.values()))
        operands = self._values.numbers(found, None if opened else "input")
        call = self.recorder.open_call(cls.__name__, kind or "module", path, True, operands)
        if compiled is None and parent is not None:
            call.line = calling_line(caller_of_layer(sys._getframe(2)), CALL, parent.line)
        else:
            call.line = calling_line(sys._getframe(3))
        call.whole = kinds.is_whole(cls)
        if call.whole and cls is not nn.SyncBatchNorm:  # this one waits for other ranks, which are told of it meanwhile
            LEAVES[cls] = (cls.__name__, kind or "module")
        if begins:
            self.recorder.begin_pass(operands)
        lifted = (call.whole or runs_as_one(module)) and lift(self)
        opened.append((module, call, sys.exception(), lifted))

    def _begin_root(self, module: nn.Module) -> None:
        if self.recorder.forget_earlier():
            self._aside.forget()
        if module is not self._root:
            self._names.learn(module)
            self._values.learn(module)
        self._root = module

    def _after(self, module: nn.Module, args: tuple[Any, ...], *rest: Any) -> None:
        """`rest` is (kwargs, result) or, on the way of an exception, where torch 2.13 leaves kwargs out, (result,)."""
        leaf = self._leaf
        if leaf.module is module and len(rest) == 2 and threading.get_ident() == self._thread:
            try:
                leaf.ended(module, *rest)
            except Exception as fault:
                own_fault(fault)
            return
        if is_compiling():
            return
        if threading.get_ident() != self._thread:
            if rest[-1] is None and not self._isolate:
                attempt(self._after_elsewhere, module, args, rest, sys._getframe(1))
            return
        if id(module) in self._aside.inner:
            return
        aside = self._aside.standing is not None
        if aside and module is not self._open[-1][0]:
            return
        cls: type = type(module)
        if _is_of_keras(cls):
            self._of_keras -= 1
            return
        if self._asleep and not aside:
            return
        try:
            self._busy = True
            kwargs, result = rest if len(rest) == 2 else (_callers_kwargs(sys._getframe(1)), rest[-1])
            if leaf.module is not None:
                leaf.open(sys._getframe(1))
            if aside:
                self._last = self._aside.ends(module, args, kwargs, result) or self._last
            else:
                self._leave_layer(module, args, kwargs, result)
        except Exception as fault:
            own_fault(fault)
        finally:
            self._busy = False

    def _after_elsewhere(
        self, module: nn.Module, args: tuple[Any, ...], rest: tuple[Any, ...], frame: FrameType
    ) -> None:
        if isolated.by is None:
            self.elsewhere.left(module, args, rest[0] if len(rest) == 2 else _callers_kwargs(frame))

    def _leave_layer(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        left = self._open.leave(module)
        if left is None:
            return
        call, error_before = left
        error = sys.exception()
        failed = result is None and error is not None and error is not error_before
        recorder = self.recorder
        if kwargs and self._open:
            call.operands += self._values.numbers(tensors_among(tuple(kwargs.values())), None)
        results: tuple[int, ...] = ()
        if failed and error is not None:
            recorder.fail(error, call)
        else:
            made = [result] if isinstance(result, torch.Tensor) else tensors_among((result,))
            if call.whole:
                results = self._values.of_whole(made, module.__dict__.get("inplace", False))
            else:
                results = self._values.numbers(made, "call")
        recorder.close_layer(call, results, not failed)
        if not self._open and (call.kind != "loss" or module is self._root):
            self._last = Pass(Blueprint.of(args, kwargs), None if failed else spec_tree(result))
            if not failed:
                recorder.end_pass(results)
                if self._looks_once:
                    self._aside.keep(call.operands, results, self._last, made)

    def _before_step(self, *_: object) -> None:
        if not self._open and threading.get_ident() == self._thread:
            attempt(self._steps.begin)

    def _after_step(self, *_: object) -> None:
        if threading.get_ident() == self._thread:
            attempt(self._steps.end)

    # Compiled code

    def _before_compiled(self, call: CompiledCall) -> End | None:
        """Let compiled code run as if nobody watched."""
        if threading.get_ident() != self._thread:
            return None if self._isolate else self._before_compiled_elsewhere(call)
        self._open_leaf()
        if call.module is not None:
            self._before(call.module, call.args, call)
        heard, aside, come_back = not self._asleep, self._aside.standing is not None, self._go()

        def ended(result: Any) -> None:
            error = come_back()
            if (heard or aside) and error is not None:
                self.failed_compiled = error
                self.failed_function = None
                if call.module is None and not self._open:
                    self.failed_function = (call.function, Blueprint.of(call.args, dict(call.kwargs)))
            if call.module is not None:
                self._after(call.module, call.args, dict(call.kwargs), result)
            elif heard and (self._open or not _in_backward()):
                name = getattr(call.function, "__name__", "compiled")
                if error is None:
                    self._operations.ended(name, "other", False, call.args, call.kwargs, result)
                else:
                    self._operations.failed(name, "other", False, call.args, call.kwargs, error)

        return ended

    def _step_aside(self) -> None:
        """Hear nothing any more: hooks or mode that stayed on would be compiled with the rest."""
        attempt(self._unhook)
        attempt(remove_mode, self)

    def _before_compiled_elsewhere(self, call: CompiledCall) -> End:
        """In another thread too hooks would be compiled with the rest. What this thread runs meanwhile goes unheard."""
        before = sys.exception()
        self._take_hooks_off()

        def ended(_: Any) -> None:
            self._put_hooks_on()
            error = sys.exception()
            if isinstance(error, Exception) and error is not before:
                self.elsewhere.left_compiled(call, error)

        return ended

    def _take_hooks_off(self) -> None:
        with self._hooking:
            self._off += 1
            if self._off == 1:
                self._unhook()

    def _put_hooks_on(self) -> None:
        with self._hooking:
            self._off -= 1
            if self._off == 0 and not self._ended:  # a thread may outlive the watch
                self._hook()

    def _before_traced(self, call: CompiledCall) -> End | None:
        """Let a model be exported or traced as if nobody watched; what it is given is kept where it fails."""
        if threading.get_ident() != self._thread:
            return None
        heard, come_back = not self._asleep and not self._open, self._go()

        def ended(_: Any) -> None:
            error = come_back()
            if error is None or not heard or call.module is None:
                return
            self.failed_function = None
            self._begin_root(eager(call.module))
            self._last = Pass(Blueprint.of(call.args, dict(call.kwargs)), None)
            self.recorder.begin_pass(())
            self.recorder.fail(error, None)
            self.failed_compiled = error

        return ended

    def _go(self) -> Callable[[], Exception | None]:
        """Take hooks and mode off. What is given puts them back, and gives the exception that has been raised since."""
        before = sys.exception()
        self._take_hooks_off()
        depth = remove_mode(self)

        def come_back() -> Exception | None:
            self._put_hooks_on()
            if depth is not None:
                put_back(self, depth)
            error = sys.exception()
            return error if isinstance(error, Exception) and error is not before else None

        return come_back

    # Operations

    def __torch_function__(
        self, function: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if is_compiling():
            return function(*args, **(kwargs or {}))
        named = NAMED.get(function)
        if named is None:
            named = named_function(function)
        name, kind, changes = named
        opened = self._open
        if (
            name is None
            or self._asleep
            or (opened[-1][1].whole or self._leaf.module is not None if opened else _in_backward())
        ):
            return function(*args, **(kwargs or {}))
        kwargs = kwargs or {}
        place = None
        if self._interventions is not None and not self._busy:
            place = self.recorder.place(name)
            args, kwargs = self._interventions.act(place, name, args, kwargs)
        try:
            result = function(*args, **kwargs)
            if self._interventions is not None and place is not None:
                result = self._interventions.made(place, name, result)
        except Exception as error:
            try:
                self._operations.failed(name, kind, changes, args, kwargs, error)
            except Exception as fault:
                own_fault(fault)
            raise
        try:
            self._operations.ended(name, kind, changes, args, kwargs, result)
        except Exception as fault:
            own_fault(fault)
        return result

    # The end

    def finish(self, error: BaseException | None) -> Recording:
        where = raising_line(error.__traceback__) if error is not None else None
        if where is None and self.recorder.error is not None:
            where = raising_line(self.recorder.error.__traceback__)
        recording = self.recorder.finish(layers_of(self._names), root=self._root_name(), error=error, where=where)
        if self._root is not None:
            recording = with_what_a_model_keeps(recording, self._root, self._numbers_of)
        return recording if error is None else self._in_the_programs_words(recording, error)

    def _in_the_programs_words(self, recording: Recording, error: BaseException) -> Recording:
        try:
            return with_names(recording, error.__traceback__, self._numbers_of)
        except Exception as fault:
            own_fault(fault)
            return recording

    def _numbers_of(self, held: Any) -> list[int]:
        number = self.recorder.number_of(held) if isinstance(held, torch.Tensor) else None
        return [] if number is None else [number]

    def _root_name(self) -> str:
        return type(self._root).__name__ if self._root is not None else ""

    @property
    def root(self) -> nn.Module | None:
        return self._root

    @property
    def root_path(self) -> str:
        return self._names.known(self._root) if self._root is not None else ""

    @property
    def blueprint(self) -> Blueprint | None:
        return self._last.blueprint if self._last is not None else None

    @property
    def missed(self) -> BaseException | None:
        """What was raised where nothing was recorded: in a pass that ran unrecorded, or in compiled code."""
        failed = self.recorder.error
        return failed if failed is self._aside.missed or failed is self.failed_compiled else None

    def output(self) -> Any:
        return self._last.output if self._last is not None else None


_in_graph_task = torch._C._current_graph_task_id


def _in_backward() -> bool:
    """Whether gradients are on their way back. What runs meanwhile runs for a second time, or is no part of a pass."""
    return _in_graph_task() != -1


def _callers_kwargs(frame: FrameType) -> dict[str, Any]:
    """The keyword arguments of a module's call, from the frame of `Module._call_impl` that runs the hook.

    Global pre-hooks are not given them, nor are global hooks when an exception passes.
    """
    kwargs = frame.f_locals.get("kwargs")
    return kwargs if isinstance(kwargs, dict) else {}


def _caller(frame: FrameType, compiled: CompiledCall | None) -> FrameType | None:
    """What calls a layer that begins: the frame is that of its own call, or where its compiled code begins."""
    return frame if compiled is not None else caller_of_layer(frame)


@cache
def _is_of_keras(cls: type) -> bool:
    return any(base.__name__ == "Layer" and base.__module__.startswith("keras.") for base in cls.__mro__)
