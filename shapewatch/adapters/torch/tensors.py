"""Tensors among the arguments and results of a pass: where they are, what is noted of them, which number each has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import nn

from shapewatch.recorder import Recorder
from shapewatch.recording import Recording, TensorSpec

_PLAIN = (str, int, float, type(None))
_SEQUENCES = (tuple, list)
"""Not `tuple | list` where it is asked at each call: that makes a new object each time."""
_Tensor = torch.Tensor
_Parameter = nn.Parameter
_NoFunctions = torch._C.DisableTorchFunction


def describe_raw(spec: tuple[Any, Any, Any] | None) -> TensorSpec:
    if spec is None:
        return TensorSpec((), "unknown", "unknown")
    shape, dtype, device = spec
    sizes = tuple(int(size) if isinstance(size, int) else None for size in shape)
    return TensorSpec(sizes, _in_words(dtype).removeprefix("torch."), _in_words(device))


_in_words = cache(str)
"""Of a dtype or a device: few, and each is asked for at every value."""


def raw_spec(tensor: torch.Tensor) -> tuple[Any, Any, Any] | None:
    try:
        return tensor.shape, tensor.dtype, tensor.device
    except Exception:  # nested tensors have no shape
        return None


def tensors_in(value: Any, found: list[torch.Tensor], depth: int = 0) -> None:
    """The tensors in a result or an argument: in tuples, lists, dicts and dataclass-like outputs, in order."""
    if isinstance(value, _Tensor):
        found.append(value)
    elif isinstance(value, _PLAIN) or depth > 4:
        return
    elif isinstance(value, _SEQUENCES):
        for item in value:
            if isinstance(item, _Tensor):
                found.append(item)
            elif not isinstance(item, _PLAIN):
                tensors_in(item, found, depth + 1)
    elif isinstance(value, Mapping):
        for item in value.values():
            tensors_in(item, found, depth + 1)
    elif hasattr(type(value), "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            tensors_in(getattr(value, name, None), found, depth + 1)


def tensors_among(values: tuple[Any, ...]) -> list[torch.Tensor]:
    """The tensors in the arguments of a call: `tensors_in` of each, without a call for what is one or holds none."""
    found: list[torch.Tensor] = []
    for value in values:
        if isinstance(value, _Tensor):
            found.append(value)
        elif not isinstance(value, _PLAIN):
            tensors_in(value, found, 1)
    return found


def with_what_a_model_keeps(
    recording: Recording, model: nn.Module, numbers_of: Callable[[torch.Tensor], list[int]]
) -> Recording:
    """The recording, with the tensors that the program made and a model keeps told from the data that it made."""
    outside = {
        number for call in recording.calls if call.parent is None and not call.is_layer for number in call.results
    }
    kept: dict[int, tuple[Any, str]] = {}
    for path, module in model.named_modules() if outside else ():
        plain = ((name, value) for name, value in vars(module).items() if isinstance(value, _Tensor))
        weights = module._parameters.items()  # which the program may have filled, where nothing knew their names
        for origin, held in (("parameter", weights), ("buffer", module._buffers.items()), ("constant", plain)):
            for name, tensor in held:
                for number in numbers_of(tensor) if tensor is not None else ():
                    if number in outside or (origin == "parameter" and recording.values[number].name is None):
                        kept.setdefault(number, (origin, f"{path}.{name}" if path else name))
    if not kept:
        return recording
    values = [
        value if (told := kept.get(value.number)) is None else replace(value, origin=told[0], name=told[1])
        for value in recording.values
    ]
    return replace(recording, values=tuple(values))


class Values:
    """The numbers of tensors in a recording."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._names: dict[int, str] = {}
        """Of the outermost layers' buffers and parameters, by identity."""
        self._unread: list[nn.Module] = []
        """Outermost layers whose names are not among them: a pass in which only layers take weights asks for none."""

    def learn(self, module: nn.Module) -> None:
        """Name what the outermost layer holds."""
        self._unread.append(module)

    def _name(self, tensor: torch.Tensor) -> str | None:
        for root in self._unread:
            named: dict[int, str] = {}
            for path, module in root.named_modules():
                for name, held in (*module._parameters.items(), *module._buffers.items()):
                    if held is not None:
                        named.setdefault(id(held), f"{path}.{name}" if path else name)
            self._names.update(named)
        self._unread.clear()
        return self._names.get(id(tensor))

    def numbers(self, tensors: list[torch.Tensor], origin: Any) -> tuple[int, ...]:
        """The numbers that tensors have, or get now as of this origin; None is for what came from somewhere."""
        known, numbers = self._recorder.known, []
        for tensor in tensors:
            entry = known.get(id(tensor))
            seen = entry is not None and entry[0]() is tensor
            numbers.append(entry[1] if seen else self._new(tensor, origin))  # type: ignore[index]
        return tuple(numbers)

    def _new(self, tensor: torch.Tensor, origin: Any) -> int:
        recorder = self._recorder
        is_parameter = type(tensor) is not _Tensor and isinstance(tensor, _Parameter)
        name = None if origin == "input" and not is_parameter else self._name(tensor)
        if is_parameter:
            origin = "parameter"
        elif name is not None:
            origin = "buffer"
        elif origin is None:
            origin = "constant" if recorder.depth else "input"
        with _NoFunctions():
            return recorder.add_value(tensor, raw_spec(tensor), origin, name)

    def of_whole(self, made: list[torch.Tensor], fresh: bool) -> tuple[int, ...]:
        """The numbers of what a layer gave that was recorded by its call alone: what it handed through keeps its own,
        unless it changed it in place."""
        known, numbers = self._recorder.known, []
        for tensor in made:
            entry = known.get(id(tensor))
            if entry is not None and not fresh and entry[0]() is tensor:
                numbers.append(entry[1])
                continue
            with _NoFunctions():
                spec = raw_spec(tensor)
            numbers.append(self._recorder.add_value(tensor, spec, "call"))
        return tuple(numbers)

    def of_operation(self, made: list[torch.Tensor], taken: list[torch.Tensor], fresh: bool) -> tuple[int, ...]:
        """The numbers of what an operation gave: what it only handed through keeps its own."""
        recorder, numbers = self._recorder, []
        for tensor in made:
            number = None
            for operand in () if fresh else taken:
                if tensor is operand:
                    number = recorder.number_of(tensor)
            numbers.append(recorder.add_value(tensor, raw_spec(tensor), "call") if number is None else number)
        return tuple(numbers)
