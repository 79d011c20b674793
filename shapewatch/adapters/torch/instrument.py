"""Recording a PyTorch pass: global module hooks for layers, a function mode for operations.

The hooks are global, not the model's own: layers that look at their own hooks (`nn.TransformerEncoderLayer` does)
behave as if nobody watched, and nothing is pickled or copied with the model. `always_call=True` makes the exit hook run
on exceptions too, so the stack of open layers is right when it matters. No frame is kept, only code and line.

A training loop is recorded once for each signature of inputs. A later pass of the same signature runs with the function
mode lifted, and what it gives is taken for what the recorded one gave, so that a loss which does not fit still has its
road. Recording every pass takes twice the time of a small model's step. Where an unrecorded pass fails, it is looked at
again on shapes.
"""

from __future__ import annotations

import re
import sys
import threading
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from torch.overrides import (
    TorchFunctionMode,
    _get_current_function_mode,
    _get_current_function_mode_stack,
    _pop_mode,
    _push_mode,
)

from shapewatch.adapters.torch import kinds
from shapewatch.adapters.torch.blueprint import Blueprint, spec_tree
from shapewatch.adapters.torch.naming import Names
from shapewatch.recorder import ALIKE, Mark, OpenCall, Recorder, own_fault, signature
from shapewatch.recording import Layer, Recording, TensorSpec
from shapewatch.source import attribute_line, calling_line, raising_line

_PLAIN = (str, int, float)
_SEQUENCES = (tuple, list)
"""Not `tuple | list` where it is asked at each call: that makes a new object each time."""
_Tensor = torch.Tensor
_Parameter = nn.Parameter
_CALL = nn.Module._call_impl.__code__
_ABOUT_GLOBAL_HOOKS = (
    "ignore",
    re.compile(r"Using `torch.compile\(module\)` when there are global hooks"),
    UserWarning,
    None,
    0,
)
"""A warning filter: that there are global hooks is our doing, and they are gone after the block."""
_isolated = threading.local()
"""`.by` is the one `Instrument` that records while a dry run goes on: a watch around it must not see the dry run."""


def describe_raw(spec: tuple[Any, Any, Any] | None) -> TensorSpec:
    if spec is None:
        return TensorSpec((), "unknown", "unknown")
    shape, dtype, device = spec
    sizes = tuple(int(size) if isinstance(size, int) else None for size in shape)
    return TensorSpec(sizes, str(dtype).removeprefix("torch."), str(device))


def raw_spec(tensor: torch.Tensor) -> tuple[Any, Any, Any] | None:
    try:
        return tensor.shape, tensor.dtype, tensor.device
    except Exception:  # nested tensors have no shape
        return None


def tensors_in(value: Any, found: list[torch.Tensor], depth: int = 0) -> None:
    """The tensors in a result or an argument: in tuples, lists, dicts and dataclass-like outputs, in order."""
    if isinstance(value, _Tensor):
        found.append(value)
    elif value is None or isinstance(value, _PLAIN) or depth > 4:
        return
    elif isinstance(value, _SEQUENCES):
        for item in value:
            tensors_in(item, found, depth + 1)
    elif isinstance(value, Mapping):
        for item in value.values():
            tensors_in(item, found, depth + 1)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            tensors_in(getattr(value, name, None), found, depth + 1)


@contextmanager
def unseen() -> Iterator[None]:
    """No watch of this thread sees what goes on inside: a dry run, or getting ready for one."""
    outer = getattr(_isolated, "by", None)
    _isolated.by = unseen
    try:
        yield
    finally:
        _isolated.by = outer


class Interventions:
    """Edits that act on operations while the pass runs: layers put on operands, arguments replaced; by `Call.place`."""

    def __init__(self) -> None:
        self.modules: dict[str, list[tuple[int, nn.Module]]] = {}
        self.arguments: dict[str, dict[str, Any]] = {}

    def __bool__(self) -> bool:
        return bool(self.modules or self.arguments)


@dataclass(slots=True)
class Kept:
    """A recorded pass of an outermost layer, which stands for later ones of its signature."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    blueprint: Blueprint
    output: Any
    made: list[weakref.ref[torch.Tensor]]
    """The results of the latest pass that it stands for."""

    @property
    def is_free(self) -> bool:
        """Whether those results are gone. While they are in use, results of another pass would be taken for them."""
        return all(reference() is None for reference in self.made)


class Instrument(TorchFunctionMode):
    """Records one thread between `__enter__` and `__exit__`."""

    def __init__(
        self, target: nn.Module | None = None, interventions: Interventions | None = None, isolated: bool = False
    ) -> None:
        super().__init__()
        self.recorder = Recorder("torch", describe_raw)
        self.names = Names(target)
        self._interventions = interventions or Interventions()
        self._isolate = isolated
        self._thread = 0
        self._handles: list[Any] = []
        self._buffers: dict[int, str] = {}
        self._root: nn.Module | None = None
        self._blueprint: Blueprint | None = None
        self._output: Any = None
        self._open: list[tuple[nn.Module, OpenCall, BaseException | None, bool]] = []
        self._busy = False
        self._kept: dict[Any, list[Kept]] = {}
        self._signature: Any = None
        self._aside: Kept | None = None
        """The recorded pass that stands for the one which runs now."""
        self._under: list[TorchFunctionMode] | None = None
        """The modes below this one, while it is lifted for an optimizer."""
        self._within: dict[int, frozenset[int]] = {}
        self._inner: frozenset[int] = frozenset()
        """The modules inside the outermost one that runs unrecorded, by identity."""
        self._since: Mark | None = None
        """Where the operations begin that followed an unrecorded pass: the next such pass drops them."""
        self.missed: BaseException | None = None
        """What an unrecorded pass raised."""
        self._of_keras = 0
        """How many layers of Keras's are open: what goes on in them is recorded by its own adapter."""

    # The scope

    def __enter__(self) -> Instrument:
        self._thread = threading.get_ident()
        self._outer = getattr(_isolated, "by", None)
        if self._isolate:
            _isolated.by = self
        try:
            self._handles.append(register_module_forward_pre_hook(self._before))
            self._handles.append(register_module_forward_hook(self._after, with_kwargs=True, always_call=True))
            self._handles.append(register_optimizer_step_pre_hook(self._before_step))
            self._handles.append(register_optimizer_step_post_hook(self._after_step))
            super().__enter__()
        except Exception:
            self._unhook()
            raise
        if "torch._dynamo" in sys.modules:
            warnings.filters.insert(0, _ABOUT_GLOBAL_HOOKS)  # type: ignore[attr-defined]
            warnings._filters_mutated()  # type: ignore[attr-defined]
        return self

    def _unhook(self) -> None:
        for handle in self._handles:
            handle.remove()
            _global_forward_hooks_with_kwargs.pop(handle.id, None)  # torch 2.13 forgets this one
        self._handles = []
        if self._isolate:
            _isolated.by = self._outer
        if _ABOUT_GLOBAL_HOOKS in warnings.filters:
            warnings.filters.remove(_ABOUT_GLOBAL_HOOKS)  # type: ignore[attr-defined]
            warnings._filters_mutated()  # type: ignore[attr-defined]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._unhook()
        if self._under is not None or any(lifted for *_, lifted in self._open):
            self._open.clear()  # an exception that no hook saw left the block while the mode was lifted
            return
        self._open.clear()
        remove_mode(self)

    @property
    def _asleep(self) -> bool:
        by = getattr(_isolated, "by", None)
        return self._busy or self._aside is not None or self._of_keras > 0 or (by is not None and by is not self)

    # Layers

    def _before(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if is_compiling() or threading.get_ident() != self._thread:
            return
        if self._aside is not None and (id(module) in self._inner or self._goes_on_aside(module)):
            return
        cls: type = type(module)
        self._of_keras += _is_of_keras(cls)
        if self._asleep:
            return
        try:
            self._busy = True
            if self._under is not None:
                self._after_step()
                if self._under is not None:
                    return
            self._enter_layer(module, args, {} if self._open else _callers_kwargs(sys._getframe(1)))
        except Exception as fault:
            own_fault(fault)
        finally:
            self._busy = False

    def _enter_layer(self, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        recorder = self.recorder
        if self._open and not self.names.inside(module):
            self._close_left(sys._getframe(2))
        outermost = not self._open
        kind = kinds.kind_of_layer(type(module))
        begins = outermost and not (kind == "loss" and self._root is not None)  # a loss goes on with what a model gave
        if outermost and _in_backward():
            return  # a checkpoint that runs its part again
        if begins:
            self._begin_root(module)
            if not self._isolate and self._steps_aside(module, args, kwargs):
                return
        parent = self._open[-1][1] if self._open else None
        path = self.names.path(module, parent.layer if parent else None)
        found: list[torch.Tensor] = []
        tensors_in(args, found)
        tensors_in(kwargs, found)
        operands = tuple(self._number(tensor, "input" if outermost else None) for tensor in found)
        call = recorder.open_call(type(module).__name__, kind or "module", path, True, operands)
        call.line = calling_line(sys._getframe(3))
        if begins:
            recorder.begin_pass(operands)
        lifted = _runs_as_one(module) and _get_current_function_mode() is self
        if lifted:
            _pop_mode()
        self._open.append((module, call, sys.exception(), lifted))

    def _close_left(self, frame: FrameType | None) -> None:
        """Close the layers that a KeyboardInterrupt left open: torch runs no hook for it, and their frames are gone.

        Asked only when a module begins that is not known to be inside another, such as an outermost one that begins
        again; a walk over frames costs too much for every layer.
        """
        while frame is not None and frame.f_code is not _CALL:
            frame = frame.f_back
        frame = frame.f_back if frame is not None else None  # past the call that begins now
        while frame is not None:
            if frame.f_code is _CALL:
                module = frame.f_locals.get("self")
                position = next((i for i in range(len(self._open) - 1, -1, -1) if self._open[i][0] is module), None)
                if position is not None:
                    self._close_from(position + 1)
                    return
            frame = frame.f_back
        self._close_from(0)

    def _close_from(self, position: int) -> None:
        for _, call, _, lifted in self._open[position:]:
            self.recorder.close_layer(call, (), False)
            if lifted:
                _push_mode(self)
        del self._open[position:]
        if not self._open:
            self._aside = None

    # Passes that are not recorded

    def _steps_aside(self, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Let a pass run unrecorded whose like is recorded."""
        self.missed = None
        if self._interventions:
            return False  # an edit acts where operations are heard, in every pass
        with torch._C.DisableTorchFunction():
            told = signature((args, kwargs))
        modes = (torch.is_grad_enabled(), torch.is_autocast_enabled(), torch.is_inference_mode_enabled())
        self._signature = (id(module), module.training, modes, told)
        alike = self._kept.get(self._signature, [])
        kept = next((each for each in alike if each.is_free), alike[0] if len(alike) >= ALIKE else None)
        if kept is None:
            self._since = None
            return False
        if self._since is not None and self.recorder.size > self._since.calls:
            self.recorder.rewind(self._since)
        if id(module) not in self._within:
            self._within[id(module)] = frozenset(map(id, module.modules())) - {id(module)}
        self._inner = self._within[id(module)]
        self.recorder.begin_pass(kept.inputs)
        self._aside = kept
        lifted = _get_current_function_mode() is self
        if lifted:
            _pop_mode()
        self._open.append((module, _UNRECORDED, sys.exception(), lifted))
        return True

    def _goes_on_aside(self, module: nn.Module) -> bool:
        """Whether the unrecorded pass still runs when a module begins that it is not known to hold."""
        self._close_left(sys._getframe(2))
        if self._open and module is self._open[0][0]:  # it calls itself
            self._open.append((module, _UNRECORDED, None, False))
        return self._aside is not None

    def _ends_aside(self, kept: Kept, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        _, _, error_before, lifted = self._open.pop()
        if self._open:
            return
        self._aside = None
        if lifted:
            _push_mode(self)
        error = sys.exception()
        if result is None and error is not None and error is not error_before:
            self.missed = error
            self.recorder.fail(error, None)
            self._blueprint, self._output = Blueprint.of(args, kwargs), None
            return
        made: list[torch.Tensor] = []
        tensors_in(result, made)
        with torch._C.DisableTorchFunction():
            specs = [raw_spec(tensor) for tensor in made]
        if specs == [self.recorder.raw_spec(number) for number in kept.outputs]:
            for tensor, number in zip(made, kept.outputs, strict=True):
                self.recorder.alias(tensor, number)
            kept.made = [weakref.ref(tensor) for tensor in made]
            self._blueprint, self._output = kept.blueprint, kept.output
            self.recorder.end_pass(kept.outputs)
        else:  # what it gives hangs on more than the signature
            self._kept.pop(self._signature, None)
            self._blueprint, self._output = Blueprint.of(args, kwargs), spec_tree(result)
            self.recorder.end_pass(tuple(self._number(tensor, "call") for tensor in made))
        self._since = self.recorder.mark()

    def _before_step(self, *_: object) -> None:
        """What an optimizer computes is no part of a pass, and is much: several operations a parameter."""
        if not self._open and threading.get_ident() == self._thread and _get_current_function_mode() is self:
            _pop_mode()
            self._under = list(_get_current_function_mode_stack())

    def _after_step(self, *_: object) -> None:
        """Also where a pass begins: that of a closure, or the next one after a step that failed.

        Not on top of a mode that the program has entered since: when it leaves, it would take this one off.
        """
        if threading.get_ident() == self._thread and self._under == _get_current_function_mode_stack():
            self._under = None
            _push_mode(self)

    def _begin_root(self, module: nn.Module) -> None:
        if self.recorder.forget_earlier():
            self._kept.clear()
            self._since = None
        if module is not self._root:
            self.names.learn(module)
            self._buffers.update((id(buffer), name) for name, buffer in module.named_buffers())
            self._buffers.update((id(parameter), name) for name, parameter in module.named_parameters())
        self._root = module

    def _after(self, module: nn.Module, args: tuple[Any, ...], *rest: Any) -> None:
        """`rest` is (kwargs, result) or, on the way of an exception, where torch 2.13 leaves kwargs out, (result,)."""
        if is_compiling() or threading.get_ident() != self._thread:
            return
        if self._aside is not None and module is not self._open[-1][0]:
            return
        cls: type = type(module)
        if _is_of_keras(cls):
            self._of_keras -= 1
            return
        if self._asleep and self._aside is None:
            return
        kwargs, result = rest if len(rest) == 2 else (_callers_kwargs(sys._getframe(1)), rest[-1])
        try:
            self._busy = True
            if self._aside is not None:
                self._ends_aside(self._aside, args, kwargs, result)
            else:
                self._leave_layer(module, args, kwargs, result)
        except Exception as fault:
            own_fault(fault)
        finally:
            self._busy = False

    def _leave_layer(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        position = next((i for i in range(len(self._open) - 1, -1, -1) if self._open[i][0] is module), None)
        if position is None:
            return
        _, call, error_before, lifted = self._open[position]
        del self._open[position:]
        if lifted:
            _push_mode(self)
        error = sys.exception()
        failed = result is None and error is not None and error is not error_before
        recorder = self.recorder
        if kwargs and self._open:
            found: list[torch.Tensor] = []
            tensors_in(kwargs, found)
            call.operands += tuple(self._number(tensor, None) for tensor in found)
        results: tuple[int, ...] = ()
        if failed and error is not None:
            recorder.fail(error, call)
        else:
            made: list[torch.Tensor] = []
            tensors_in(result, made)
            results = tuple(self._number(tensor, "call") for tensor in made)
        recorder.close_layer(call, results, not failed)
        if not self._open and (call.kind != "loss" or module is self._root):
            self._blueprint = Blueprint.of(args, kwargs)
            self._output = None if failed else spec_tree(result)
            if not failed:
                recorder.end_pass(results)
            if not failed and not self._interventions:
                made_now = [weakref.ref(tensor) for tensor in made]
                kept = Kept(call.operands, results, self._blueprint, self._output, made_now)
                self._kept.setdefault(self._signature, []).append(kept)

    # Operations

    def __torch_function__(
        self, function: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if is_compiling():
            return function(*args, **(kwargs or {}))
        named = _named.get(function)
        if named is None:
            named = named_function(function)
        name, kind, changes = named
        if name is None or self._asleep or (not self._open and _in_backward()):
            return function(*args, **(kwargs or {}))
        kwargs = kwargs or {}
        if self._interventions and not self._busy:
            args, kwargs = self._intervene(name, args, kwargs)
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            try:
                self._record(name, kind, changes, args, kwargs, None, error)
            except Exception as fault:
                own_fault(fault)
            raise
        try:
            self._record(name, kind, changes, args, kwargs, result, None)
        except Exception as fault:
            own_fault(fault)
        return result

    def _record(
        self,
        name: str,
        kind: str,
        changes: bool,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        result: Any,
        error: Exception | None,
    ) -> None:
        made: list[torch.Tensor] = []
        if error is None:
            tensors_in(args[0] if name == "setitem" else result, made)
            if not made:
                return
        taken: list[torch.Tensor] = []
        tensors_in(args, taken)
        if kwargs:
            tensors_in(tuple(kwargs.values()), taken)
        if len(taken) > 1:
            kind = OF_SEVERAL.get(name, kind)
        recorder = self.recorder
        operands = tuple([self._number(tensor, None) for tensor in taken])
        inner = recorder.innermost
        call = recorder.open_call(name, kind, inner.layer if inner is not None else "", False, operands)
        call.line = calling_line(sys._getframe(2))
        facts = kinds.call_facts(kind, name, args, kwargs)
        if changes:
            facts["in_place"] = True
        if facts:
            call.facts = facts
        if error is not None:
            if sys._getframe(2).f_globals.get("__name__") == _COLLATE:
                call.facts = {**call.facts, "collects": True}
            recorder.fail(error, call)
            return
        call.finished = True
        fresh = changes or kwargs.get("inplace", False)
        call.results = tuple([self._result(tensor, taken, fresh) for tensor in made])

    def _result(self, tensor: torch.Tensor, taken: list[torch.Tensor], fresh: bool) -> int:
        if not fresh and any(tensor is operand for operand in taken):
            number = self.recorder.number_of(tensor)
            if number is not None:
                return number
        return self.recorder.add_value(tensor, raw_spec(tensor), "call")

    def _number(self, tensor: torch.Tensor, origin: Any) -> int:
        number = self.recorder.number_of(tensor)
        if number is not None:
            return number
        name = self._buffers.get(id(tensor))
        if isinstance(tensor, _Parameter):
            origin = "parameter"
        elif name is not None:
            origin = "buffer"
        elif origin is None:
            origin = "constant" if self._open else "input"
        with torch._C.DisableTorchFunction():
            spec = raw_spec(tensor)
        return self.recorder.add_value(tensor, spec, origin, name)

    def _intervene(
        self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        place = self.recorder.place(name)
        for operand, module in self._interventions.modules.get(place, ()):
            args = on_operand(args, operand, module)
        replaced = self._interventions.arguments.get(place)
        if replaced:
            args, kwargs = kinds.with_arguments(name, args, kwargs, replaced)
        return args, kwargs

    # The end

    def finish(self, error: BaseException | None) -> Recording:
        where = raising_line(error.__traceback__) if error is not None else None
        if where is None and self.recorder.error is not None:
            where = raising_line(self.recorder.error.__traceback__)
        return self.recorder.finish(self._layers(), root=self._root_name(), error=error, where=where)

    def _root_name(self) -> str:
        return type(self._root).__name__ if self._root is not None else ""

    def _layers(self) -> list[Layer]:
        """Every layer of the outermost model, run or not: what ran is judged by its siblings that did not."""
        counted: dict[int, int] = {}
        layers = []
        for path, module in self.names.items():
            kind = kinds.kind_of_layer(type(module))
            layers.append(
                Layer(
                    path=path,
                    type=type(module).__name__,
                    kind=kind or ("container" if isinstance(module, kinds.CONTAINERS) else "module"),
                    facts=kinds.layer_facts(module, kind or "module"),
                    parameters=counted.setdefault(id(module), sum(p.numel() for p in module.parameters())),
                    leaf=kind is not None,
                    defined=self._definition(path),
                )
            )
        return layers

    def _definition(self, path: str) -> Any:
        """The line that makes a layer: `self.name = …` in the class of the nearest parent that names it."""
        parts = path.split(".")
        for cut in range(len(parts) - 1, -1, -1):
            parent = self.names.get(".".join(parts[:cut]))
            if parent is not None:
                owner: type = type(parent)
                span = attribute_line(owner, parts[cut], type(self.names.get(path)).__name__)
                if span is not None:
                    return span
        return None

    @property
    def root(self) -> nn.Module | None:
        return self._root

    @property
    def blueprint(self) -> Blueprint | None:
        return self._blueprint

    def output(self) -> Any:
        return self._output


_UNRECORDED = OpenCall(-1, "", "", "", True, None)
"""Stands for the call of an outermost layer that is not recorded."""

_in_graph_task = torch._C._current_graph_task_id


def _in_backward() -> bool:
    """Whether gradients are on their way back. What runs meanwhile runs for a second time, or is no part of a pass."""
    return _in_graph_task() != -1


def remove_mode(mode: TorchFunctionMode) -> None:
    """Take a mode off the stack of this thread, also from under others that end later than it."""
    above = []
    while torch._C._len_torch_function_stack():
        top = _pop_mode()
        if top is mode:
            break
        above.append(top)
    for other in reversed(above):
        _push_mode(other)


def _callers_kwargs(frame: FrameType) -> dict[str, Any]:
    """The keyword arguments of a module's call, from the frame of `Module._call_impl` that runs the hook.

    Global pre-hooks are not given them, nor are global hooks when an exception passes.
    """
    kwargs = frame.f_locals.get("kwargs")
    return kwargs if isinstance(kwargs, dict) else {}


_named: dict[Any, tuple[str | None, str, bool]] = {}


def named_function(function: Any) -> tuple[str | None, str, bool]:
    """Neutral name, kind, whether in place; the name is None for what is not recorded. Remembered per function."""
    raw = getattr(function, "__name__", "")
    name = kinds.neutral_name(function)
    if (
        raw in kinds.UNRECORDED
        or name in kinds.UNRECORDED
        or (raw == "__get__" and name not in _VIEWS)
        or raw == "__set__"
    ):
        named: tuple[str | None, str, bool] = (None, "", False)
    else:
        named = (name, kinds.KIND.get(name, "other"), kinds.in_place(function))
    _named[function] = named
    return named


OF_SEVERAL = {"max": "maximum", "min": "minimum"}
"""`torch.max` reduces one tensor, and takes the larger of two."""

_COLLATE = "torch.utils.data._utils.collate"
"""The module in which a loader stacks the samples of a batch."""

_VIEWS = frozenset({"T", "mT", "H", "mH", "real", "imag", "data"})


@cache
def _is_of_keras(cls: type) -> bool:
    return any(base.__name__ == "Layer" and base.__module__.startswith("keras.") for base in cls.__mro__)


def _runs_as_one(module: nn.Module) -> bool:
    """Whether watching the inside of a module would change what it does.

    A compiled module would be compiled again for an active function mode. The encoder's and attention's fused paths
    are taken only when no function mode is active, and differ in the last bits from the ordinary ones.
    """
    if type(module).__name__ == "OptimizedModule" or isinstance(module, torch.jit.ScriptModule):
        return True
    if module.training or not isinstance(
        module, nn.TransformerEncoder | nn.TransformerEncoderLayer | nn.MultiheadAttention
    ):
        return False
    if isinstance(getattr(_isolated, "by", None), Instrument):
        return False  # a dry run computes nothing, and wants to see the inside
    return not (torch.is_grad_enabled() and any(parameter.requires_grad for parameter in module.parameters()))


def on_operand(args: tuple[Any, ...], operand: int, module: nn.Module) -> tuple[Any, ...]:
    """The arguments with the n-th tensor among them sent through a module."""
    seen = -1

    def through(value: Any) -> Any:
        nonlocal seen
        if isinstance(value, _Tensor):
            seen += 1
            return module(value) if seen == operand else value
        if isinstance(value, tuple | list):
            return type(value)([through(item) for item in value])
        return value

    return tuple(through(value) for value in args)
