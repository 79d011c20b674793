"""Where every TensorFlow operation passes, eager or in a graph, whether it succeeds or not.

Three functions of TensorFlow's own Python layer, each looked up in its module at every call, so that replacing them for
the length of a block catches all operations and leaves nothing behind:

    pywrap_tfe.TFE_Py_FastPathExecute      an eager operation whose arguments are tensors already
    execute.execute                        an eager operation whose arguments had to be converted first
    op_def_library._apply_op_helper        an operation that is added to a graph

Op callbacks, which TensorFlow offers for this, do not see the operation that raises, which is the one that matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.autograph.pyct import error_utils
from tensorflow.python.eager import core, execute, imperative_grad
from tensorflow.python.framework import op_def_library, op_def_registry, tensor_util
from tensorflow.python.util import tf_stack, traceback_utils

from shapewatch.adapters.located import Node
from shapewatch.adapters.taps import Tap, our_files, stack_without_ours, without_ours
from shapewatch.adapters.tensorflow import kinds


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation about to run: its name, its inputs by the name in its definition, and its attributes."""

    op: str
    inputs: Mapping[str, Any]
    attrs: Mapping[str, Any]
    nodes: list[Node] = field(default_factory=list, compare=False)
    """What it became in a graph, once it has run."""

    @property
    def named(self) -> tuple[str, str] | None:
        return None if reads_variable(self.op, self.inputs.values()) else kinds.named(self.op)

    @property
    def runs_graph(self) -> bool:
        """Whether it is a whole `tf.function`, traced."""
        return self.op.startswith("__")

    @property
    def _settings(self) -> list[str]:
        return kinds.SETTINGS.get(self.op, "").split()

    def operands(self) -> list[Any]:
        """The tensors among the inputs, in order, without those that are settings; variables count as tensors."""
        found: list[Any] = []
        for name, value in self.inputs.items():
            if name not in self._settings:
                found += [item for item in (value if isinstance(value, list | tuple) else (value,)) if is_tensor(item)]
        return found

    def facts(self) -> dict[str, Any]:
        settings = {name: plain(self.inputs.get(name)) for name in self._settings}
        operands = self.operands()
        rank = len(operands[0].shape) if operands and operands[0].shape.rank is not None else None
        return kinds.facts(self.op, settings, self.attrs, rank)

    def with_operand(self, position: int, change: Callable[[Any], Any]) -> Operation:
        """The same operation with one of its operands sent through something."""
        seen = -1

        def through(value: Any) -> Any:
            nonlocal seen
            if not is_tensor(value):
                return value
            seen += 1
            return change(value) if seen == position else value

        inputs = dict(self.inputs)
        for name, value in inputs.items():
            if name not in self._settings:
                inputs[name] = [through(i) for i in value] if isinstance(value, list | tuple) else through(value)
        return replace(self, inputs=inputs)

    def with_arguments(self, arguments: Mapping[str, Any]) -> Operation:
        """The same operation with arguments, by neutral name, replaced."""
        inputs, attrs = dict(self.inputs), dict(self.attrs)
        if "alone" in arguments:  # both sides are the same then, and of the shape of a sum of these
            names = [name for name in inputs if name not in self._settings][:2]
            inputs |= dict.fromkeys(names, self.inputs[names[arguments["alone"]]])
        if "order" in arguments:
            names = [name for name in inputs if name not in self._settings][: len(arguments["order"])]
            inputs |= {name: self.inputs[names[at]] for name, at in zip(names, arguments["order"], strict=True)}
        for argument, value in arguments.items():
            setting = kinds.setting_of(self.op, argument)
            attribute = kinds.attribute_of(self.op, argument, value, attrs)
            if setting is not None:
                inputs[setting] = tf.constant(value, dtype=tf.int32)
            elif attribute is not None:
                attrs[attribute[0]] = attribute[1]
        return Operation(self.op, inputs, attrs)


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor or a variable, of numbers: handles and flags of resources are not."""
    return isinstance(value, tf.Tensor | tf.Variable) and value.dtype not in (tf.resource, tf.variant)


def reads_variable(op: str, inputs: Iterable[Any]) -> bool:
    """Whether an operation gives the value of a variable of TensorFlow 1, which is a tensor that can be referred to."""
    return op == "Identity" and any(isinstance(value, tf.Tensor) and value.dtype._is_ref_dtype for value in inputs)


def plain(value: Any) -> Any:
    """A setting as numbers and lists of them; None where it, or more than one number in it, is not known.

    One unknown number in a list is -1: in a shape, which such lists are, TensorFlow means the same by it.
    """
    if isinstance(value, tf.Tensor):
        value = value.numpy() if hasattr(value, "numpy") else _known(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, list | tuple):
        items = [-1 if known is None else known for known in map(plain, value)]
        return None if items.count(-1) > 1 else items
    return value if isinstance(value, int | float) else None


def _known(value: tf.Tensor) -> Any:
    """What a graph knows of a setting: a constant, one size that was read off a tensor's shape, or a list of such."""
    known = tensor_util.constant_value(value)
    if known is None and value.op.type == "Pack":
        return [_known(item) for item in value.op.inputs]
    if known is None and value.shape.rank == 1:
        sizes = tensor_util.constant_value_as_shape(value)
        return None if sizes.rank is None else list(sizes)
    if known is None and value.op.type == "StridedSlice" and value.shape.rank == 0:
        source, first = value.op.inputs[0], tensor_util.constant_value(value.op.inputs[1])
        sizes = source.op.inputs[0].shape if source.op.type == "Shape" else tensor_util.constant_value(source)
        return None if first is None or sizes is None else plain(sizes[int(first[0])])
    return known


class NotOurs(tf_stack.StackTraceFilter):
    """Leaves our frames out of what a graph notes of where its nodes were made: an error in a session's run says it.

    Watches may end in another order than they began, which TensorFlow's own filters may not.
    """

    def __init__(self, files: frozenset[str]) -> None:
        super().__init__()
        self._files = files

    def get_filtered_filenames(self) -> frozenset[str]:
        return self._files | frozenset(self.parent.get_filtered_filenames())

    def __exit__(self, *_: object) -> None:
        filters = self._stack_dict[self._thread_key]
        if self in filters:
            filters.remove(self)


Run = Callable[[Operation], Any]
Seen = Callable[[Operation, Run], Any]
"""Called for every operation with a way to run it, perhaps changed; gives what the operation gives."""


_FAST = Tap(pywrap_tfe, "TFE_Py_FastPathExecute")
_SLOW = Tap(execute, "execute")
_GRAPH = Tap(op_def_library, "_apply_op_helper")
_BACKWARD = Tap(imperative_grad, "imperative_grad")
_SHOWN = Tap(traceback_utils, "include_frame")
TOLD = Tap(error_utils, "_stack_trace_inside_mapped_code")
"""Which frames AutoGraph names in the words of the exceptions that it raises anew."""


def listen(asleep: Callable[[], bool], seen: Seen, stack: ExitStack) -> None:
    """Send every operation through `seen` until the stack is closed. `asleep` is asked first, and is to be quick."""
    going_back = 0

    def fast(original: Any, context: Any, op: str, name: Any, *args: Any) -> Any:
        if op in kinds.UNRECORDED:
            return original(context, op, name, *args)
        names = _inputs_of(op)
        settings = args[len(names) :]
        operation = Operation(
            op, dict(zip(names, args, strict=False)), dict(zip(settings[::2], settings[1::2], strict=False))
        )

        def run(changed: Operation) -> Any:
            if changed is operation:
                return original(context, op, name, *args)
            return original(context, op, name, *changed.inputs.values(), *_flat(changed.attrs))

        return seen(operation, run)

    def slow(original: Any, op_name: Any, num_outputs: int, inputs: Any, attrs: Any, ctx: Any, name: Any = None) -> Any:
        op = op_name.decode() if isinstance(op_name, bytes) else op_name
        if op in kinds.UNRECORDED:
            return original(op_name, num_outputs, inputs, attrs, ctx, name)
        settings = dict(zip(attrs[::2], attrs[1::2], strict=False)) if attrs else {}
        operation = Operation(op, _grouped(op, inputs, settings), settings)

        def run(changed: Operation) -> Any:
            if changed is operation:
                return original(op_name, num_outputs, inputs, attrs, ctx, name)
            items = [i for value in changed.inputs.values() for i in (value if isinstance(value, list) else [value])]
            return original(
                op_name, num_outputs, [tf.convert_to_tensor(i) for i in items], _flat(changed.attrs), ctx, name
            )

        return seen(operation, run)

    def graph(original: Any, op_type_name: str, name: Any = None, **keywords: Any) -> Any:
        if op_type_name in kinds.UNRECORDED:
            return original(op_type_name, name, **keywords)
        names = _inputs_of(op_type_name)
        operation = Operation(
            op_type_name,
            {key: keywords[key] for key in names if key in keywords},
            {key: value for key, value in keywords.items() if key not in names},
        )
        whole: list[Any] = []

        def run(changed: Operation) -> Any:
            whole[:] = original(op_type_name, name, **changed.inputs, **changed.attrs)
            changed.nodes.append(Node(getattr(whole[2].graph, "name", ""), whole[2].name))
            return whole[3]

        whole[3] = seen(operation, run)
        return tuple(whole)

    def backward(original: Any, *args: Any, **kwargs: Any) -> Any:
        """Gradients on their way back: what runs meanwhile is no part of a pass. In a graph its nodes are recorded, by
        which a run that fails is told."""
        nonlocal going_back
        if not tf.executing_eagerly():
            return original(*args, **kwargs)
        going_back += 1
        try:
            return original(*args, **kwargs)
        finally:
            going_back -= 1

    def deaf() -> bool:
        return going_back > 0 or asleep()

    stack.enter_context(NotOurs(our_files()))
    _SHOWN.listen(without_ours, stack)
    TOLD.listen(stack_without_ours, stack)
    _FAST.listen(fast, stack, deaf)
    _SLOW.listen(slow, stack, deaf)
    _GRAPH.listen(graph, stack, asleep)
    _BACKWARD.listen(backward, stack, asleep)


def _flat(attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(part for pair in attrs.items() for part in pair)


def is_refusal(error: BaseException) -> bool:
    """Whether an exception only says that the quick way of running an operation is not open: the slow one follows."""
    return isinstance(error, core._FallbackException)


@cache
def _definition(op: str) -> Any:
    return op_def_registry.get(op)


@cache
def _inputs_of(op: str) -> tuple[str, ...]:
    definition = _definition(op)
    return () if definition is None else tuple(argument.name for argument in definition.input_arg)


def _grouped(op: str, flat: Sequence[Any], attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs by name, from a flat list in which an input that is a list takes several places."""
    definition = _definition(op)
    if definition is None:
        return {"inputs": list(flat)}
    found: dict[str, Any] = {}
    rest = list(flat)
    for argument in definition.input_arg:
        if argument.number_attr:
            count = int(attrs.get(argument.number_attr, 1))
            found[argument.name], rest = rest[:count], rest[count:]
        elif argument.type_list_attr:
            found[argument.name], rest = rest, []
        elif rest:
            found[argument.name] = rest.pop(0)
    return found
