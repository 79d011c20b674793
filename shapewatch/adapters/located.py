"""Which recorded call failed, where an error names a node of a graph.

A graph that was traced earlier runs as one operation, so that what fails in it is not seen. Where it was traced under
the watch, the node is a call that was recorded then, with sizes that were unknown; the error says what they were. It
does not say whose: TensorFlow sorts the operands of what commutes (`b + a` may be told as `a + b`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

from shapewatch.recording import Call, Recording, Shape

_NODE = re.compile(r"Detected at node '?([^\s']+)'? defined at|\{\{node ([^}\s]+)\}\}(?! = )")
"""A node that failed when it ran. One that could not be added to its graph is told with what it was to be:
`{{node a}} = Add(…)`. Which call tried that is known."""
_CALLED = re.compile(r"^(?:(?:Stateful)?PartitionedCall(?:_\d+)?/)+")
"""A function of its own within the graph that ran."""

_BACKWARD = re.compile(r"^(?:.*/)?gradient_tape/(.+)/BroadcastGradientArgs(?:_\d+)?$")
"""The gradient of a sum or a product compares the shapes of both operands too, and may be the first to do so."""

_FUNCTION = re.compile(r"\{\{function_node (?:__inference_|__forward_)?(.+?)(?:_\d+)?\}\}")
_SHAPE = re.compile(r"(?<![\w\]])\[(\d+(?:,\s*\d+)*)\]")

_COMMUTE = frozenset({"add", "mul", "maximum", "minimum", "eq", "ne", "squared_difference"})
"""Names of operations whose operands may be told in any order."""

_SHAPE_KEEPING = frozenset({"activation", "squash", "same", "identity", "dropout", "norm"})


@dataclass(frozen=True)
class Node:
    """A node's name, and that of the graph in which it is."""

    graph: str
    name: str


@dataclass(frozen=True)
class FailedRun:
    """What a run of a graph that failed tells of it: the node of the program that failed, and shapes of tensors."""

    node: str = ""
    shapes: Sequence[tuple[Any, Shape]] = ()


def located(recording: Recording, nodes: Mapping[int, Sequence[Node]], text: str, node: str = "") -> Recording:
    """The recording as it would be if the call had failed when it was recorded; as it is where that is not certain.

    Args:
        nodes: the nodes that recorded calls became, by the numbers of the calls. A loss becomes many, of which any may
            have failed on what it was given by the others.
        text: what the error says, node and sizes included.
        node: the node that failed, where it is known better than by what the error says.
    """
    failure, named = recording.failure, _NODE.search(text)
    if failure is None or (named is None and not node):
        return recording
    name = node or (named.group(1) or named.group(2) if named else "")
    name = _BACKWARD.sub(r"\1", _CALLED.sub("", name))
    shapes = _shapes(text)
    graphs = {number: {each.graph for each in made if each.name == name} for number, made in nodes.items()}
    meant = [recording.calls[number] for number, found in graphs.items() if found]
    inside = {match.group(1) for match in _FUNCTION.finditer(text)}
    meant = [call for call in meant if graphs[call.number] & inside] or meant
    meant = [call for call in meant if not shapes or len(nodes[call.number]) > 1 or _agrees(call, shapes, recording)]
    if not meant:
        around = _around(name, recording)
        return recording if around is None else _failed_at(around, (), recording)
    if len(meant) != 1 and not _are_one(meant, [graphs[call.number] for call in meant]):
        return recording
    return _failed_at(meant[-1], _of_operands(meant[-1], shapes, recording), recording)


def with_shapes(recording: Recording, shapes: Mapping[int, Shape]) -> Recording:
    """The recording with shapes of values, by number, that became known after they were recorded."""
    if not shapes:
        return recording
    values = list(recording.values)
    for number, shape in shapes.items():
        values[number] = replace(values[number], spec=replace(values[number].spec, shape=shape))
    return replace(recording, values=tuple(values))


def _around(node: str, recording: Recording) -> Call | None:
    """The leaf layer, or the loss, in whose scope a node is that was not recorded itself; None where two might be it.

    A scope that is entered again is called `embedding_1`, which another layer may be called too.
    """
    scopes = node.split("/")[:-1]
    meant: dict[str, Call] = {}
    for call in recording.calls:
        layer = recording.layer_at.get(call.layer) if call.is_layer else None
        name = call.layer.rpartition(".")[2] if layer is not None and layer.leaf else ""
        name = call.name if call.kind == "loss" and not call.is_layer else name
        if name and any(re.fullmatch(rf"{re.escape(name)}(_\d+)?", scope) for scope in scopes):
            meant[call.layer or call.name] = call
    return next(iter(meant.values())) if len(meant) == 1 else None


def same_failure(recording: Recording, text: str) -> bool:
    """Whether a pass on shapes failed where an error says that a graph did: on the sizes that the error names."""
    call, shapes = recording.failing_call(), _shapes(text)
    return call is not None and _NODE.search(text) is not None and bool(shapes) and _agrees(call, shapes, recording)


def _shapes(text: str) -> list[Shape]:
    """The shapes in the line that says what is wrong."""
    lines = [line for line in text.splitlines() if _SHAPE.search(line) and "File " not in line]
    return [tuple(map(int, match.group(1).split(","))) for match in _SHAPE.finditer(lines[0])] if lines else []


def _are_one(calls: Sequence[Call], graphs: Sequence[set[str]]) -> bool:
    """Whether calls are one line of the program in one function, traced again."""
    told = [(call.name, call.layer, call.span, len(call.operands)) for call in calls]
    return all(each == told[0] for each in told) and all(each == graphs[0] for each in graphs)


def _agrees(call: Call, shapes: Sequence[Shape], recording: Recording) -> bool:
    return bool(_orders(call, shapes, recording))


def _orders(call: Call, shapes: Sequence[Shape], recording: Recording) -> list[Sequence[Shape]]:
    """The ways in which shapes may be those of a call's operands."""
    if len(shapes) != len(call.operands):
        return []
    told = call.name in _COMMUTE or call.kind == "loss"  # of a loss, one message says the output first, another not
    orders = list(dict.fromkeys(permutations(shapes))) if told and len(shapes) < 4 else [tuple(shapes)]
    given = [recording.shape(number) for number in call.operands]
    return [order for order in orders if all(map(_may_be, given, order))]


def _of_operands(call: Call, shapes: Sequence[Shape], recording: Recording) -> Sequence[Shape]:
    """Which shape each operand had: of several orders the one of the values that the operands come from. Where that
    does not tell, the sizes that all orders have in common."""
    orders = _orders(call, shapes, recording)
    if len(orders) > 1:
        sources = [_source(number, recording) for number in call.operands]
        orders = [order for order in orders if list(order) == sources] or orders
    return [_in_common(each) for each in zip(*orders, strict=True)]


def _source(number: int, recording: Recording) -> Shape:
    """The shape of the value that another one has its shape from."""
    for _ in range(20):
        made = recording.producer.get(number)
        taken = [] if made is None else [each for each in made.operands if recording.shape(each)]
        if made is None or len(taken) != 1 or not (made.kind in _SHAPE_KEEPING or len(made.operands) == 2):
            break
        if made.kind not in _SHAPE_KEEPING and made.kind not in ("add", "sub", "mul", "div"):
            break
        number = taken[0]
    return recording.shape(number)


def _in_common(shapes: Sequence[Shape]) -> Shape:
    first = shapes[0]
    return tuple(size if all(other[axis] == size for other in shapes) else None for axis, size in enumerate(first))


def _may_be(recorded: Shape, said: Shape) -> bool:
    return len(recorded) == len(said) and all(known in (None, size) for known, size in zip(recorded, said, strict=True))


def _failed_at(call: Call, shapes: Sequence[Shape], recording: Recording) -> Recording:
    values = list(recording.values)
    for number, shape in zip(call.operands, shapes, strict=False):
        values[number] = replace(values[number], spec=replace(values[number].spec, shape=tuple(shape)))
    calls = list(recording.calls[: call.number + 1])
    open_call: Call | None = call
    while open_call is not None:
        calls[open_call.number] = replace(open_call, results=(), finished=False)
        open_call = None if open_call.parent is None else recording.calls[open_call.parent]
    assert recording.failure is not None
    failure = replace(recording.failure, call=call.number, span=call.span or recording.failure.span)
    return replace(recording, values=tuple(values), calls=tuple(calls), failure=failure)
