"""What Keras does in one step, though its backend takes several: an operation of `keras.ops`, a loss, a metric."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import keras
from keras.layers import Layer
from keras.src import backend as keras_backend
from keras.src import tree
from keras.src.metrics.reduction_metrics import MeanMetricWrapper
from keras.src.ops.operation import Operation
from keras.src.optimizers.base_optimizer import BaseOptimizer
from keras.src.optimizers.loss_scale_optimizer import LossScaleOptimizer

from shapewatch.adapters.keras import kinds
from shapewatch.adapters.keras.history import History, LastCall
from shapewatch.adapters.listening import Listening
from shapewatch.adapters.located import Node
from shapewatch.adapters.taps import Tap, unconverted
from shapewatch.recorder import Line
from shapewatch.source import calling_line

_SYMBOLIC = Tap(Operation, "symbolic_call")
_EAGER = Tap(Operation, "__call__")
_EINSUM = Tap(keras_backend.numpy, "einsum")
_LOSS = Tap(keras.losses.Loss, "__call__")
_METRIC = Tap(MeanMetricWrapper, "update_state")
_STEPS = tuple(Tap(cls, "apply") for cls in (BaseOptimizer, LossScaleOptimizer))
_CROSSENTROPIES = tuple(
    Tap(keras_backend.nn, name)
    for name in ("categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy")
)


_made_at: WeakKeyDictionary[Operation, Line | None] = WeakKeyDictionary()
"""The lines that put operations into a functional model. When it runs, the nearest line of the program is the one that
calls the model, whatever operation fails; a run on shapes alone is to say the same lines."""


class Operations:
    """Sends them to be recorded whole: the operations of the backend that they are made of are not recorded beside."""

    def __init__(self, listening: Listening, history: History) -> None:
        self._listening = listening
        self._history = history

    def listen(self, stack: ExitStack) -> None:
        _SYMBOLIC.listen(self._symbolic, stack, self._listening.asleep)
        _EAGER.listen(self._eager, stack, self._listening.asleep)
        _EINSUM.listen(self._einsum, stack, self._listening.asleep)
        _LOSS.listen(self._loss, stack, self._listening.asleep)
        _METRIC.listen(self._metric, stack, self._listening.asleep)
        for tap in _CROSSENTROPIES:
            tap.listen(self._loss_of_backend, stack, self._listening.asleep)
        for tap in _STEPS:
            tap.listen(self._step, stack, self._listening.asleep)

    # On symbolic tensors, and the same ones when the model that they are part of runs

    @unconverted
    def _symbolic(self, original: Any, operation: Operation, *args: Any, **kwargs: Any) -> Any:
        listening = self._listening
        _made_at.setdefault(operation, calling_line(sys._getframe(1)))
        outside = not listening.opened
        if outside:
            found = listening.tensors(args, kwargs)
            self._history.recall(found)
            for tensor in found:
                listening.number(tensor)
            self._history.note_inputs(found)
        try:
            return self._whole(original, operation, args, kwargs)
        except Exception:
            if outside:
                self._history.unfinished = LastCall(operation, args, dict(kwargs))
            raise

    @unconverted
    def _eager(self, original: Any, operation: Operation, *args: Any, **kwargs: Any) -> Any:
        """Only operations that are nodes of a functional model come this way; layers go by their own `__call__`."""
        if isinstance(operation, Layer):
            return original(operation, *args, **kwargs)
        return self._whole(original, operation, args, kwargs)

    @unconverted
    def _einsum(self, original: Any, subscripts: str, *operands: Any, **kwargs: Any) -> Any:
        """Some equations Keras spells out as transpositions and a product, and others it does not: either way it is the
        equation that the program has."""

        def run(operation: Einsum, *operands: Any, **kwargs: Any) -> Any:
            return original(operation.subscripts, *operands, **kwargs)

        return self._whole(run, Einsum(subscripts), operands, kwargs)

    def _whole(self, original: Any, operation: Operation, args: Any, kwargs: Any) -> Any:
        def run(node: NodeCall) -> Any:
            return self._listening.not_looked_into(original, node.operation, *node.args, **node.kwargs)

        return self._listening.operation(NodeCall(self._listening, operation, args, kwargs), run)

    # Losses and metrics

    @unconverted
    def _loss(self, original: Any, loss: Any, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        """One of Keras's own losses, as one operation on target and output."""
        return self._compared(original, loss, (loss, y_true, y_pred, *args), kwargs)

    @unconverted
    def _metric(self, original: Any, metric: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """A metric compares as a loss does. In a graph either may fail first, for the same reason: nothing orders the
        two."""
        if sample_weight is not None:
            return original(metric, y_true, y_pred, sample_weight)
        return self._compared(original, metric, (metric, y_true, y_pred), {})

    @unconverted
    def _loss_of_backend(self, original: Any, *args: Any, **kwargs: Any) -> Any:
        return self._compared(original, original.function, args, kwargs)

    @unconverted
    def _step(self, original: Any, *args: Any, **kwargs: Any) -> Any:
        """What an optimizer does is no part of a pass."""
        return self._listening.not_looked_into(original, *args, **kwargs)

    def _compared(self, original: Any, loss: Any, args: Any, kwargs: Any) -> Any:
        named = None if self._listening.opened else kinds.named_loss(loss)
        if named is None:
            return original(*args, **kwargs)

        def run(call: LossCall) -> Any:
            added = self._listening.backend.added_from_now_on()
            result = self._listening.not_looked_into(original, *call.args, **call.kwargs)
            call.nodes = added()
            return result

        return self._listening.operation(LossCall(self._listening, named, args, kwargs), run)


@dataclass
class Einsum:
    """What `NodeCall` has to know of an einsum. Keras's own class of this name would count itself among the model's."""

    subscripts: str


_SPELLED = {"dim": "axis", "shape": "newshape", "dims": "axes", "equation": "subscripts"}
"""Our names of arguments, and the attributes in which operations of `keras.ops` keep them."""


class NodeCall:
    """An operation of `keras.ops` about to run: a node of a functional model, being made or being run."""

    def __init__(self, listening: Listening, operation: Operation, args: Any, kwargs: Mapping[str, Any]) -> None:
        self._listening = listening
        self.operation = operation
        self.args = args
        self.kwargs = dict(kwargs)

    @property
    def named(self) -> tuple[str, str]:
        return kinds.named_operation(type(self.operation))

    @property
    def line(self) -> Line | None:
        return _made_at.get(self.operation) if isinstance(self.operation, Operation) else None

    def operands(self) -> list[Any]:
        return self._listening.tensors(self.args, self.kwargs)

    def facts(self) -> dict[str, Any]:
        return kinds.operation_facts(self.operation, self.named[1])

    def with_operand(self, position: int, change: Any) -> NodeCall:
        args, kwargs = on_operand(self._listening, (self.args, self.kwargs), position, change)
        return NodeCall(self._listening, self.operation, args, kwargs)

    def with_arguments(self, arguments: Mapping[str, Any]) -> NodeCall:
        if "alone" in arguments:  # both sides are the same then, and of the shape of a sum of these
            kept = self.args[arguments["alone"]]
            return NodeCall(self._listening, self.operation, (kept, kept, *self.args[2:]), self.kwargs)
        changed = copy.copy(self.operation)
        for argument, value in arguments.items():
            name = _SPELLED.get(argument, argument)
            setattr(changed, name, value)
        return NodeCall(self._listening, changed, self.args, self.kwargs)


class LossCall:
    """A loss about to compare what a model gave with what it should have given."""

    def __init__(self, listening: Listening, named: tuple[str, dict[str, Any]], args: Any, kwargs: Any) -> None:
        self._listening = listening
        self._name, self._facts = named
        self.args = args
        self.kwargs = kwargs
        self.nodes: Sequence[Node] = ()
        """What it became in a graph, once it has run."""

    @property
    def named(self) -> tuple[str, str]:
        return self._name, "loss"

    def operands(self) -> list[Any]:
        return self._listening.tensors(self.args, self.kwargs)

    def facts(self) -> dict[str, Any]:
        return dict(self._facts)

    def with_operand(self, *_: Any) -> LossCall:
        raise ValueError("no layer is put before a loss")

    def with_arguments(self, _: Mapping[str, Any]) -> LossCall:
        return self


def on_operand(listening: Listening, structure: Any, position: int, change: Any) -> Any:
    """The same arguments with the n-th tensor in them sent through something."""
    args, kwargs = structure
    seen = -1

    def through(value: Any) -> Any:
        nonlocal seen
        if not listening.backend.is_tensor(value):
            return value
        seen += 1
        return change(value) if seen == position else value

    # named ones one by one, in the order in which they are given: a tree sorts them
    return tree.map_structure(through, args), {name: tree.map_structure(through, one) for name, one in kwargs.items()}
