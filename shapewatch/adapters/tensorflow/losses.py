"""TensorFlow's own losses, as one operation each where they fail: they compare shapes in Python, before any operation.

Output and target are called as the function calls them; which is which decides what may be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from shapewatch.adapters.taps import Tap
from shapewatch.adapters.tensorflow.kinds import Facts
from shapewatch.adapters.tensorflow.taps import is_tensor
from shapewatch.firewall import own_fault

_SAME: Facts = {"labels": "same", "exact": True}
_ONE_HOT: Facts = {"labels": "one-hot", "class_axis": -1}
_CLASSES: Facts = {"labels": "classes", "class_axis": -1}

_OF_LOSSES: Mapping[str, tuple[str, str, Facts]] = {
    "softmax_cross_entropy": ("onehot_labels", "logits", _ONE_HOT),
    "sparse_softmax_cross_entropy": ("labels", "logits", _CLASSES | {"squeezes": True}),
    "sigmoid_cross_entropy": ("multi_class_labels", "logits", _SAME),
    "hinge_loss": ("labels", "logits", _SAME),
    **dict.fromkeys(
        ("mean_squared_error", "absolute_difference", "huber_loss", "log_loss"), ("labels", "predictions", _SAME)
    ),
}
_OF_NN: Mapping[str, tuple[str, str, Facts]] = {
    "softmax_cross_entropy_with_logits": ("labels", "logits", _ONE_HOT),
    "softmax_cross_entropy_with_logits_v2": ("labels", "logits", _ONE_HOT),
    "sparse_softmax_cross_entropy_with_logits": ("labels", "logits", _CLASSES),
    "sigmoid_cross_entropy_with_logits": ("labels", "logits", _SAME),
}
_TAPS = [
    (Tap(module, name), name, *asks)
    for module, known in ((tf.compat.v1.losses, _OF_LOSSES), (tf.compat.v1.nn, _OF_NN), (tf.nn, _OF_NN))
    for name, asks in known.items()
    if hasattr(module, name)
]


@dataclass(frozen=True, slots=True)
class LossCall:
    """A loss that was called, seen as an operation on output and target."""

    name: str
    output: Any
    target: Any
    asks: Facts

    @property
    def named(self) -> tuple[str, str]:
        return self.name, "loss"

    def operands(self) -> list[Any]:
        return [self.output, self.target]

    def facts(self) -> dict[str, Any]:
        return dict(self.asks) | {"output": 0, "target": 1}

    def with_operand(self, _position: int, _change: Callable[[Any], Any]) -> LossCall:
        return self

    def with_arguments(self, _arguments: Mapping[str, Any]) -> LossCall:
        return self


def listen(asleep: Callable[[], bool], seen: Callable[[Any, Callable[[Any], Any]], Any], stack: ExitStack) -> None:
    """Send losses that raise through `seen` until the stack is closed."""
    for tap, *known in _TAPS:
        tap.listen(partial(_called, asleep, seen, known), stack)


def _called(asleep: Any, seen: Any, known: Any, original: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return original(*args, **kwargs)
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        call = None if asleep() else _loss_call(known, args, kwargs)
        if call is not None:
            seen(call, partial(_raise, error))
        raise


def _raise(error: Exception, _: Any) -> Any:
    raise error


def _loss_call(known: Any, args: Any, kwargs: Any) -> LossCall | None:
    name, target_name, output_name, asks = known
    try:
        target = kwargs.get(target_name, args[0] if args else None)
        output = kwargs.get(output_name, args[1] if len(args) > 1 else None)
        if target is None or output is None:
            return None
        return LossCall(name, _array(output), _array(target), asks)
    except Exception as fault:
        own_fault(fault)
        return None


def _array(value: Any) -> Any:
    """A tensor, or what is no tensor yet without adding it to a graph."""
    return value if is_tensor(value) else np.asarray(value)
