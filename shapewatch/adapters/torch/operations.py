"""Operations: what PyTorch's functions are called here, and what is recorded of one that ran."""

from __future__ import annotations

from collections.abc import Mapping
from sys import _getframe
from typing import Any

import torch

from shapewatch.adapters.torch import kinds
from shapewatch.adapters.torch.opened import CALL
from shapewatch.adapters.torch.tensors import Values, tensors_among
from shapewatch.recorder import Recorder
from shapewatch.source import calling_line

NAMED: dict[Any, tuple[str | None, str, bool]] = {}
"""What `named_function` gave, by function."""


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
    NAMED[function] = named
    return named


_VIEWS = frozenset({"T", "mT", "H", "mH", "real", "imag", "data"})

OF_SEVERAL = {"max": "maximum", "min": "minimum"}
"""`torch.max` reduces one tensor, and takes the larger of two."""

_COLLATE = "torch.utils.data._utils.collate"
"""The module in which a loader stacks the samples of a batch."""

_Tensor = torch.Tensor


class Operations:
    """Records the operations that a function mode hears. To be called by what the program's own line called."""

    def __init__(self, recorder: Recorder, values: Values) -> None:
        self._recorder = recorder
        self._values = values

    def ended(
        self, name: str, kind: str, changes: bool, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any
    ) -> None:
        """Record an operation that has given a result, if there is a tensor in it."""
        given = args[0] if name == "setitem" else result
        made = [given] if isinstance(given, _Tensor) else tensors_among((given,))
        if not made:
            return
        recorder, values = self._recorder, self._values
        if changes and recorder.innermost is None and isinstance(given, torch.nn.Parameter):
            return  # a weight that is filled: it stays what it is
        taken, operands, kind = self._taken(name, kind, args, kwargs)
        facts = kinds.call_facts(kind, name, args, kwargs)
        if changes:
            facts["in_place"] = True
        results = values.of_operation(made, taken, changes or kwargs.get("inplace", False))
        inner = recorder.innermost
        line = calling_line(_getframe(2)) if inner is None else calling_line(_getframe(2), CALL, inner.line)
        layer = "" if inner is None else inner.layer
        recorder.add_call(name, kind, layer, False, operands, results, facts, line, inner)

    def failed(
        self, name: str, kind: str, changes: bool, args: tuple[Any, ...], kwargs: Mapping[str, Any], error: Exception
    ) -> None:
        """Record an operation that has raised."""
        recorder = self._recorder
        _, operands, kind = self._taken(name, kind, args, kwargs)
        inner = recorder.innermost
        call = recorder.open_call(name, kind, "" if inner is None else inner.layer, False, operands)
        frame = _getframe(2)
        call.line = calling_line(frame) if inner is None else calling_line(frame, CALL, inner.line)
        call.facts = kinds.call_facts(kind, name, args, kwargs)
        if changes:
            call.facts = {**call.facts, "in_place": True}
        if frame.f_globals.get("__name__") == _COLLATE:
            call.facts = {**call.facts, "collects": True}
        recorder.fail(error, call)

    def _taken(
        self, name: str, kind: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[list[torch.Tensor], tuple[int, ...], str]:
        """The tensors among the arguments, their numbers, and of which kind the operation is of so many."""
        taken = tensors_among(args)
        if kwargs:
            taken += tensors_among(tuple(kwargs.values()))
        if len(taken) > 1 and name in OF_SEVERAL:
            kind = OF_SEVERAL[name]
        return taken, self._values.numbers(taken, None), kind
