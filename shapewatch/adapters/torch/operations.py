"""Operations: what PyTorch's functions are called here, and what is recorded of one that ran."""

from __future__ import annotations

import sys
from collections.abc import Mapping
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


class Operations:
    """Records the operations that a function mode hears."""

    def __init__(self, recorder: Recorder, values: Values) -> None:
        self._recorder = recorder
        self._values = values

    def record(
        self,
        name: str,
        kind: str,
        changes: bool,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        result: Any,
        error: Exception | None,
    ) -> None:
        """Record an operation that ended; to be called by what the program's own line called."""
        made: list[torch.Tensor] = []
        if error is None:
            given = args[0] if name == "setitem" else result
            made = [given] if isinstance(given, torch.Tensor) else tensors_among((given,))
            if not made:
                return
        taken = tensors_among(args)
        if kwargs:
            taken += tensors_among(tuple(kwargs.values()))
        if len(taken) > 1:
            kind = OF_SEVERAL.get(name, kind)
        recorder, values = self._recorder, self._values
        operands = values.numbers(taken, None)
        inner = recorder.innermost
        if inner is None:
            call = recorder.open_call(name, kind, "", False, operands)
            call.line = calling_line(sys._getframe(2))
        else:
            call = recorder.open_call(name, kind, inner.layer, False, operands)
            call.line = calling_line(sys._getframe(2), CALL, inner.line)
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
        call.results = values.of_operation(made, taken, fresh)
