"""What is a tensor to Keras: a tensor of its backend, a symbolic one, an array of NumPy's."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np
from keras import KerasTensor

from shapewatch.adapters.backend import Backend
from shapewatch.recording import Origin, TensorSpec

_WRAPPED = re.compile(
    r"Exception encountered when calling .*?\n\n\x1b\[1m(.*)\x1b\[0m\n\nArguments received by", re.DOTALL
)
_INFERRED = re.compile(r"Could not automatically infer the output shape.*?Error encountered:\s*(.*)", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class KerasTensors:
    """A backend's tensors, with Keras's symbolic tensors and NumPy's arrays among them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.name = backend.name
        self.listen = backend.listen
        self.follow = backend.follow
        self.is_refusal = backend.is_refusal
        self.converted = backend.converted
        self.settle = backend.settle
        self.compiling = backend.compiling
        self.building_graph = backend.building_graph
        self.added_from_now_on = backend.added_from_now_on
        self.read_from = backend.read_from
        self.failed_run = backend.failed_run

    def words(self, text: str) -> str:
        """Without the layer and the arguments that Keras adds, the colours, and the advice to write another method."""
        for _ in range(6):
            inner = _WRAPPED.search(text) or _INFERRED.search(text)
            if inner is None:
                break
            text = inner.group(1)
        return self._backend.words(_COLOUR.sub("", text).strip())

    def is_tensor(self, value: Any) -> bool:
        if isinstance(value, KerasTensor):
            return True
        if isinstance(value, np.ndarray):
            return value.ndim > 0 and value.dtype != object
        return self._backend.is_tensor(value)

    def stand_ins(self, tensor: Any) -> list[Any]:
        """Of one of Keras's variables also the backend's, which is what operations see."""
        held = getattr(tensor, "_value", None) if isinstance(tensor, keras.Variable) else None
        return self._backend.stand_ins(tensor) if held is None else [held, *self._backend.stand_ins(held)]

    def raw_spec(self, tensor: Any) -> Any:
        if isinstance(tensor, KerasTensor | np.ndarray):
            return TensorSpec(tuple(tensor.shape), str(tensor.dtype))
        return self._backend.raw_spec(tensor)

    def describe(self, raw: Any) -> TensorSpec:
        return raw if isinstance(raw, TensorSpec) else self._backend.describe(raw)

    def origin(self, tensor: Any) -> Origin | None:
        if isinstance(tensor, KerasTensor):
            return "input"  # of `keras.Input`, or made before the block began
        return None if isinstance(tensor, np.ndarray) else self._backend.origin(tensor)
