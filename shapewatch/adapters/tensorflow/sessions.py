"""Sessions of TensorFlow 1: what is fed for a placeholder, and the sizes that a graph has with it.

A graph is built with sizes that are unknown, and fails when it runs. Which node failed, the error says; the sizes come
from the graph itself, read once more with placeholders of the shapes that were fed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.client.session import BaseSession

from shapewatch.adapters.located import FailedRun
from shapewatch.adapters.taps import Tap
from shapewatch.firewall import attempt
from shapewatch.recording import Shape

_RUN = Tap(BaseSession, "run")

Fed = tuple[tf.Tensor, np.ndarray]
"""What a placeholder stands for in a run."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A value that is fed for a placeholder, seen as an operation: what it takes, and what it is given."""

    placeholder: tf.Tensor
    given: np.ndarray

    named = ("feed", "feed")

    def operands(self) -> list[Any]:
        return [self.given, self.placeholder]

    def facts(self) -> dict[str, Any]:
        return {"placeholder": self.placeholder.op.name}

    def with_operand(self, _position: int, _change: Callable[[Any], Any]) -> Feed:
        return self

    def with_arguments(self, _arguments: Mapping[str, Any]) -> Feed:
        return self


def listen(
    asleep: Callable[[], bool],
    seen: Callable[[Any, Callable[[Any], Any]], Any],
    run_failed: Callable[[FailedRun], None],
    stack: ExitStack,
) -> None:
    """Until the stack is closed: a feed that is refused goes through `seen` as an operation that raises; when a run
    fails in the graph, `run_failed` is told what is known of it."""

    def run(original: Any, session: Any, fetches: Any, feed_dict: Any = None, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(session, fetches, feed_dict, *args, **kwargs)
        except tf.errors.OpError as failure:
            failed = failure.op
            if not asleep() and isinstance(failed, tf.Operation):
                attempt(lambda: run_failed(_failed_run(session, _of_program(failed), feed_dict)))
            raise
        except ValueError as error:
            refused = None if asleep() else attempt(_refused, session, feed_dict)
            if refused is not None:
                seen(refused, _raising(error))
            raise

    _RUN.listen(run, stack)


def _raising(error: Exception) -> Callable[[Any], Any]:
    def run(_: Any) -> Any:
        raise error

    return run


def _fed(session: Any, feed_dict: Any) -> Iterator[Fed]:
    for key, value in (feed_dict or {}).items():
        tensor = session.graph.as_graph_element(key, allow_tensor=True, allow_operation=False)
        yield tensor, value if isinstance(value, np.ndarray) else np.asarray(value)


def _refused(session: Any, feed_dict: Any) -> Feed | None:
    """The first feed of a shape that its placeholder does not take."""
    for tensor, value in _fed(session, feed_dict):
        if not tensor.shape.is_compatible_with(value.shape):
            return Feed(tensor, value)
    return None


def _of_program(operation: tf.Operation) -> tf.Operation:
    """The operation of which one that computes a gradient is the gradient: it runs beside it, and may fail first."""
    for _ in range(10):
        original = operation._original_op
        if original is None:
            break
        operation = original
    return operation


def _failed_run(session: Any, failed: tf.Operation, feed_dict: Any) -> FailedRun:
    fed = list(_fed(session, feed_dict))
    return FailedRun(failed.name, list(_shapes(session.graph, failed, fed)))


def _shapes(graph: tf.Graph, failed: tf.Operation, fed: list[Fed]) -> Iterator[tuple[tf.Tensor, Shape]]:
    """The shapes of what leads to an operation, with what was fed."""
    leading = sorted({tensor.op.name for tensor in failed.inputs})
    extract = inspect.unwrap(tf.compat.v1.graph_util.extract_sub_graph)  # by its name it warns that it is deprecated
    part = extract(graph.as_graph_def(), leading)
    given = {tensor.op.name: value.shape for tensor, value in fed}
    for node in part.node:
        if node.name in given and node.op.startswith("Placeholder"):
            node.attr["shape"].shape.CopyFrom(tf.TensorShape(given[node.name]).as_proto())
    again = tf.Graph()
    with again.as_default():
        tf.graph_util.import_graph_def(part, name="")
    for operation in again.get_operations():
        for known, tensor in zip(graph.get_operation_by_name(operation.name).outputs, operation.outputs, strict=True):
            if tensor.shape.rank is not None:
                yield known, tuple(tensor.shape.as_list())
