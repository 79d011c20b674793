"""TensorFlow's tensors and operations, as `Listening` needs them."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.ops import SymbolicTensor
from tensorflow.python.ops.resource_variable_ops import BaseResourceVariable
from tensorflow.python.util import tf_stack

from shapewatch.adapters.located import FailedRun, Node
from shapewatch.adapters.taps import Tap
from shapewatch.adapters.tensorflow import losses, replicas, sessions, taps
from shapewatch.recording import Origin, TensorSpec
from shapewatch.source import translate

autograph = tf.__internal__.autograph

_READ = Tap(BaseResourceVariable, "_read_variable_op")

_FUNCTION = re.compile(r"\{\{function_node [^}]*\}\}\s*")
_NODE = re.compile(r" for '\{\{node ([^}]*)\}\} = (\w+)[^']*'(?= with)")
_NODE_AS_BEFORE = r" for '\1' (op: '\2')"
"""As TensorFlow 1 wrote it: which operation it is, and no more."""
_IN_GRAPH = re.compile(r"^Graph execution error:.*\n\n(?=[^\s].*\n\s*\[\[\{\{node)|\s*\[\[\{\{node .*", re.DOTALL)
_OP = re.compile(r"\s*\[Op:\w+\](?: name: ?\S*)?\s*$")


_OF_NOTHING = frozenset(
    "Fill RandomUniform RandomStandardNormal TruncatedNormal StatelessRandomUniformV2 StatelessRandomNormalV2".split()
)
"""Operations of a graph that make a tensor of nothing but its shape. A `Const` may be one that the program made, and
that the function takes from around it."""


class TensorFlow:
    """See `shapewatch.adapters.backend.Backend`."""

    name = "tensorflow"

    def __init__(self) -> None:
        self._read: dict[int, tuple[weakref.ref[Any], weakref.ref[Any]]] = {}
        """By identity, tensors that the value of a variable was read into, and the variable."""
        self._failed_run = FailedRun()

    def is_tensor(self, value: Any) -> bool:
        return taps.is_tensor(value)

    def raw_spec(self, tensor: Any) -> Any:
        if isinstance(tensor, np.ndarray):  # fed to a session
            return tensor.shape, tensor.dtype.name, "cpu"
        shape = tensor.shape  # of `Dimension`s, not numbers, in a program that asks for TensorFlow 1's behaviour
        return None if shape.rank is None else tuple(shape.as_list()), tensor.dtype.base_dtype.name, _device(tensor)

    def describe(self, raw: Any) -> TensorSpec:
        shape, dtype, device = raw
        return TensorSpec(() if shape is None else shape, dtype, device)

    def origin(self, tensor: Any) -> Origin | None:
        if isinstance(tensor, tf.Variable) or self.read_from(tensor) is not None:
            return "parameter"
        operation = getattr(tensor, "op", None) if isinstance(tensor, SymbolicTensor) else None
        if operation is None:
            return None
        if operation.type.startswith("Placeholder"):
            return "input"
        if operation.type in _OF_NOTHING:
            return "constant"
        return "parameter" if taps.reads_variable(operation.type, operation.inputs) else None

    def stand_ins(self, tensor: Any) -> list[Any]:
        """Of a variable of TensorFlow 1 what it is read into; it stands for itself in no operation."""
        held = (getattr(tensor, name, None) for name in ("_variable", "_snapshot"))
        return [each for each in held if isinstance(each, tf.Tensor)] if isinstance(tensor, tf.Variable) else []

    def read_from(self, tensor: Any) -> Any:
        """The variable whose value a tensor is; None where it is none's."""
        tensors, variable = self._read.get(id(tensor), (None, None))
        return variable() if tensors is not None and variable is not None and tensors() is tensor else None

    def listen(
        self, asleep: Callable[[], bool], seen: Callable[[Any, Callable[[Any], Any]], Any], stack: ExitStack
    ) -> None:
        def read(original: Any, variable: Any, *args: Any, **kwargs: Any) -> Any:
            tensor = original(variable, *args, **kwargs)
            key, known = id(tensor), self._read
            known[key] = (weakref.ref(tensor, partial(known.pop, key)), weakref.ref(variable))
            return tensor

        _READ.listen(read, stack, asleep)
        sessions.listen(asleep, seen, self._run_failed, stack)
        losses.listen(asleep, seen, stack)
        taps.listen(asleep, seen, stack)

    def follow(
        self, asleep: Callable[[], bool], goes_on_here: Callable[[bool], AbstractContextManager[None]], stack: ExitStack
    ) -> None:
        replicas.listen(asleep, goes_on_here, stack)

    def _run_failed(self, run: FailedRun) -> None:
        self._failed_run = run

    def failed_run(self) -> FailedRun:
        """The run of a session that failed last."""
        return self._failed_run

    def is_refusal(self, error: BaseException) -> bool:
        return taps.is_refusal(error)

    def words(self, text: str) -> str:
        return _OP.sub("", _NODE.sub(_NODE_AS_BEFORE, _FUNCTION.sub("", _IN_GRAPH.sub("", text))).strip())

    def converted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        context = autograph.control_status_ctx()
        if context.status.name != "ENABLED":
            return function
        rewritten: Callable[..., Any] = autograph.tf_convert(function, context)
        return rewritten

    def compiling(self) -> bool:
        return False

    def building_graph(self) -> bool:
        return not tf.executing_eagerly()

    def added_from_now_on(self) -> Callable[[], Sequence[Node]]:
        if tf.executing_eagerly():
            return tuple
        graph = tf.compat.v1.get_default_graph()
        first = graph.version  # counts its operations

        def added() -> list[Node]:
            return [Node(getattr(graph, "name", ""), each.name) for each in graph.get_operations()[first:]]

        return added

    def settle(self) -> None:
        """AutoGraph runs code that it wrote itself; its map back to the program is there only while it runs."""
        mappers = tf_stack._source_mapper_stacks.get(tf_stack._get_thread_key())
        source_map = mappers[-1].get_effective_source_map() if mappers else None
        if source_map:
            translate(source_map)


def _device(tensor: Any) -> str:
    """`cpu`, `gpu:0`; `cpu` too where a graph leaves it open."""
    device = getattr(tensor, "device", "") or ""
    last = device.rsplit("device:", 1)[-1].lower()
    return "cpu" if not last or last.startswith("cpu") else last
