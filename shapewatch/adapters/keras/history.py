"""Symbolic tensors, which carry their history: what gave them is known even where it ran before the block began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from keras import KerasTensor
from keras.layers import InputLayer, Layer

from shapewatch.adapters.keras import kinds
from shapewatch.adapters.keras.naming import Names
from shapewatch.adapters.listening import Listening


@dataclass(frozen=True)
class LastCall:
    """What a layer was called with on symbolic tensors that have no model around them yet."""

    layer: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class History:
    """What symbolic tensors were made from, and the call on them that failed, if one did."""

    def __init__(self, listening: Listening, names: Names) -> None:
        self._listening = listening
        self._recorder = listening.recorder
        self._names = names
        self.inputs: list[int] = []
        """Of the functional model that is being built: what `keras.Input` gave."""
        self.unfinished: LastCall | None = None
        self.had_weights: WeakSet[Layer] = WeakSet()
        """Layers that had their weights when they were first put into a model: made for inputs of another."""

    def first_seen(self, layer: Any) -> None:
        """A layer is called on symbolic tensors, or is about to be."""
        if isinstance(layer, Layer) and layer.built and not layer._inbound_nodes and layer.weights:
            self.had_weights.add(layer)

    def recall(self, tensors: Iterable[Any]) -> None:
        """Record what was done to symbolic tensors before the block began."""
        waiting = [tensor for tensor in tensors if isinstance(tensor, KerasTensor)]
        while waiting:
            tensor = waiting[-1]
            history = getattr(tensor, "_keras_history", None)
            if history is None or self._recorder.number_of(tensor) is not None:
                waiting.pop()
                continue
            node = history.operation._inbound_nodes[history.node_index]
            unknown = [] if node.is_input else [t for t in node.input_tensors if self._recorder.number_of(t) is None]
            if unknown:
                waiting += unknown
                continue
            if node.is_input:
                self._listening.number(tensor)
                self.note_inputs([tensor])
            else:
                self._recall_call(node)

    def _recall_call(self, node: Any) -> None:
        operation = node.operation
        operands = tuple(self._listening.number(tensor) for tensor in node.input_tensors)
        if isinstance(operation, Layer):
            kind = kinds.kind_of_layer(operation) or "module"
            path = self._names.path(operation, None)
            call = self._recorder.open_call(type(operation).__name__, kind, path, True, operands)
        else:
            name, kind = kinds.named_operation(type(operation))
            call = self._recorder.open_call(name, kind, "", False, operands)
            call.facts = kinds.operation_facts(operation, kind)
        results = tuple(self._listening.result(tensor) for tensor in node.output_tensors)
        if call.is_layer:
            self._recorder.close_layer(call, results, True)
        else:
            call.results, call.finished = results, True

    def note_inputs(self, tensors: Iterable[Any]) -> None:
        """A call takes these tensors: the inputs of the model being built are those of `keras.Input` among them too."""
        self.inputs = [number for number in self.inputs if self._recorder.is_input(number)]
        for tensor in tensors:
            number = self._recorder.number_of(tensor)
            history = getattr(tensor, "_keras_history", None)
            made = history.operation if history is not None else None
            if number is not None and number not in self.inputs and isinstance(made, InputLayer):
                self.inputs.append(number)
        self._recorder.begin_pass(tuple(self.inputs))
