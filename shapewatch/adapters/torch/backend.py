"""PyTorch's tensors and operations, as `Listening` needs them: for Keras, whose layers are not those of `torch.nn`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.compiler import is_compiling
from torch.overrides import TorchFunctionMode, _push_mode

from shapewatch.adapters.backend import PlainBackend
from shapewatch.adapters.taps import Once, guarded
from shapewatch.adapters.torch import kinds
from shapewatch.adapters.torch.interventions import on_operand
from shapewatch.adapters.torch.modes import remove_mode
from shapewatch.adapters.torch.operations import OF_SEVERAL, named_function
from shapewatch.adapters.torch.tensors import describe_raw, raw_spec
from shapewatch.firewall import own_fault
from shapewatch.recording import Origin, TensorSpec

_SPELLED = {
    "radd": "add",
    "iadd": "add",
    "subtract": "sub",
    "rsub": "sub",
    "isub": "sub",
    "multiply": "mul",
    "rmul": "mul",
    "imul": "mul",
    "divide": "div",
    "true_divide": "div",
    "truediv": "div",
    "rtruediv": "div",
    "itruediv": "div",
    "cat": "concat",
    "concatenate": "concat",
    "bmm": "matmul",
    "mm": "matmul",
    "rmatmul": "matmul",
    "amax": "max",
    "amin": "min",
    "permute": "transpose",
    "unsqueeze": "expand_dims",
}
"""What Keras calls an operation, which is the same on each of its backends."""

_KEYWORDS = {"axis": "dim", "keepdims": "keepdim"}
"""What PyTorch takes from NumPy's users and Keras uses, and what PyTorch itself calls it."""

Run = Callable[["Operation"], Any]
Seen = Callable[["Operation", Run], Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """A function of PyTorch's about to run: `name` is PyTorch's, in `named` are Keras's and the kind."""

    name: str
    named: tuple[str, str]
    changes: bool
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def operands(self) -> list[Any]:
        return _operands(self.args, self.kwargs)

    def facts(self) -> dict[str, Any]:
        facts = kinds.call_facts(self.named[1], self.name, self.args, _in_torch(self.kwargs))
        return {**facts, "in_place": True} if self.changes else facts

    def with_operand(self, position: int, change: Callable[[Any], Any]) -> Operation:
        return replace(self, args=on_operand(self.args, position, change))

    def with_arguments(self, arguments: Mapping[str, Any]) -> Operation:
        args, kwargs = kinds.with_arguments(self.name, self.args, _in_torch(self.kwargs), arguments)
        return replace(self, args=args, kwargs=kwargs)


class _Mode(TorchFunctionMode):
    """Sends every function of PyTorch's through `seen`. What a function runs inside does not come by again."""

    def __init__(self, asleep: Callable[[], bool], seen: Seen) -> None:
        super().__init__()
        self._asleep = asleep
        self._seen = seen

    def __torch_function__(
        self, function: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        try:
            hears = not is_compiling() and not self._asleep()
        except Exception as fault:
            own_fault(fault)
            hears = False
        if not hears:
            return function(*args, **kwargs)
        return guarded(self._heard, function, *args, **kwargs)

    def _heard(self, original: Once, *args: Any, **kwargs: Any) -> Any:
        operation = _operation(original.function, args, kwargs)
        if operation is None:
            return original(*args, **kwargs)

        def run(changed: Operation) -> Any:
            result = original(*changed.args, **changed.kwargs)
            return changed.args[0] if changed.name == "setitem" else result

        return self._seen(operation, run)


def _operation(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Operation | None:
    """None for what is not recorded. What is made of no tensor is a constant."""
    name, kind, changes = named_function(function)
    taken = _operands(args, kwargs)
    if name is None or not taken:
        return None
    if function is torch.empty_like and taken[0].is_meta and str(kwargs.get("device")) == "meta":
        kind = "conversion"  # Keras makes every operand of its operations a tensor of the device that it is on
    elif len(taken) > 1:
        kind = OF_SEVERAL.get(name, kind)
    return Operation(name, (_SPELLED.get(name, name), kind), changes or bool(kwargs.get("inplace")), args, kwargs)


def _operands(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    _collect((*args, *kwargs.values()), found)
    return found


def _collect(values: Sequence[Any], found: list[Any]) -> None:
    for value in values:
        if type(value) in (list, tuple):
            _collect(value, found)
        elif _is_tensor(value):
            found.append(value)


def _is_tensor(value: Any) -> bool:
    """Whether a value is a tensor or, as a variable of Keras's, one that PyTorch's functions take for a tensor."""
    return isinstance(value, torch.Tensor) or (
        hasattr(type(value), "__torch_function__") and hasattr(value, "shape") and hasattr(value, "dtype")
    )


def _in_torch(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {_KEYWORDS.get(name, name): value for name, value in kwargs.items()}


class Torch(PlainBackend):
    """See `shapewatch.adapters.backend.Backend`."""

    name = "torch"

    def is_tensor(self, value: Any) -> bool:
        return _is_tensor(value)

    def raw_spec(self, tensor: Any) -> Any:
        return raw_spec(tensor) if isinstance(tensor, torch.Tensor) else (tensor.shape, tensor.dtype, "cpu")

    def describe(self, raw: Any) -> TensorSpec:
        """The spec; `cpu` is said of a tensor that is on no device, because nothing is computed."""
        spec = describe_raw(raw)
        return TensorSpec(spec.shape, spec.dtype, "cpu") if spec.device == "meta" else spec

    def origin(self, tensor: Any) -> Origin | None:
        made = isinstance(tensor, torch.Tensor) and not isinstance(tensor, torch.nn.Parameter)
        return None if made else "parameter"

    def listen(self, asleep: Callable[[], bool], seen: Seen, stack: ExitStack) -> None:
        mode = _Mode(asleep, seen)
        _push_mode(mode)
        stack.callback(remove_mode, mode)

    def compiling(self) -> bool:
        return is_compiling()
