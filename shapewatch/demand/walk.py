"""The walk from a value that should have another size up to what could give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shapewatch.axes import Range
from shapewatch.demand import joins, moves, products, windows
from shapewatch.demand.moves import keeping_shape
from shapewatch.demand.nouns import Change, Demand, Handler, Place, Pull, Want
from shapewatch.edits import Edit, Input
from shapewatch.flow.junctions import Graph
from shapewatch.flow.layout import USUAL_SIZES, Layout
from shapewatch.recording import Call

HANDLERS: Mapping[str, Handler] = moves.HANDLERS | joins.HANDLERS | products.HANDLERS | windows.HANDLERS
"""Kinds of calls to how they answer a demand; any other kind keeps its operand's shape, or stops the walk."""

MOST_TOLD = 64
"""How many sizes of an input may do for one of them to be chosen by how usual it is."""

MAX_STEPS = 600
"""Values that one walk looks at; deeper causes are found by comparing siblings instead."""


def walk(graph: Graph, want: Want) -> Iterator[Change]:
    """Candidate changes on the road to a value, nearest first."""
    queue: list[tuple[int, Demand, tuple[Edit, ...], int]] = [(want.value, want.demand, (), 0)]
    seen: set[tuple[int, frozenset[tuple[int, Range]]]] = set()
    for _ in range(MAX_STEPS):
        if not queue:
            return
        value, demand, companions, hops = queue.pop(0)
        key = (value, frozenset(demand.items()))
        if key in seen or not demand:
            continue
        seen.add(key)
        unit = graph.producer.get(value)
        if unit is None or value in graph.recording.inputs:
            change = _input_change(graph, value, demand)
            if change is not None:
                yield Change((*change, *companions), -1, hops)
            continue
        answer = pull(graph, unit, value, demand)
        for edits in answer.own:
            yield Change((*edits, *companions), unit.number, hops)
        queue.extend((v, d, (*companions, *more), hops + 1) for v, d, more in answer.onward)


def pull(graph: Graph, unit: Call, value: int, demand: Demand) -> Pull:
    """What a unit answers to a demand on one of its results."""
    handler = HANDLERS.get(unit.kind)
    place = Place(graph, unit, value, pull)
    if handler is None:
        return keeping_shape(place, demand)
    return handler(place, demand)


def _input_change(graph: Graph, value: int, demand: Demand) -> tuple[Edit, ...] | None:
    recording = graph.recording
    if value not in recording.inputs:
        return None
    shape = recording.shape(value)
    if any(shape[axis] is None for axis in demand) or (0 in demand and not _may_be(demand[0], graph, value)):
        return None
    wanted = tuple(_nearest(demand[axis], size) if axis in demand else size for axis, size in enumerate(shape))
    if wanted == shape or any(size is not None and size < 1 for size in wanted):
        return None
    if any(_agrees(graph, value, axis) for axis in demand if axis and wanted[axis] != shape[axis]):
        return None
    layout = (graph.layout or Layout()).of_batch(shape)
    channels = layout.channels(shape)
    if any(wanted[axis] == 1 and _any_size(graph, value, axis, channels) for axis in demand):
        return None
    arguments: dict[str, Any] = {"size": tuple(wanted[axis] for axis in layout.spatial(shape))}
    change = "size"
    sequence = graph.layout is None or (len(shape) == graph.layout.rank + 1 and not graph.lacks_batch(shape))
    pictures = graph.layout is not None and len(shape) > (3 if sequence else 2)
    if pictures and set(demand) == {channels}:
        change, arguments = "channels", {"channels": wanted[channels], "was": shape[channels]}
    elif not pictures or any(axis not in layout.spatial(shape) for axis in demand):
        arguments = {"plain": True}
    return (Input(recording.inputs.index(value), change, arguments, wanted),)


def _any_size(graph: Graph, value: int, axis: int, channels: int) -> bool:
    """Whether an axis counts something of which there may be any number: no channels and no features. A size of 1
    there fits nearly everything, so that a pass runs with it says nothing."""
    rank = len(graph.recording.shape(value))
    looked_up = any(call.kind == "embedding" for call in graph.consumers.get(value, ()))
    return rank > 1 and (looked_up or (axis != rank - 1 and (axis != channels or rank < 4)))


def _agrees(graph: Graph, value: int, axis: int) -> bool:
    """Whether an input has a size that an input of another rank has too, as a mask has the length of its sequence: it
    follows that one, and is not to be given another size alone. Nor is a square that is no image, a graph's say."""
    recording = graph.recording
    shape = recording.shape(value)
    if axis >= len(shape) - 2 > -1 and shape[-2:].count(shape[axis]) == 2 and len(shape) < 4:
        return True
    if shape[axis] in (1, None):
        return False
    others = [recording.shape(other) for other in recording.inputs if other != value]
    return any(len(other) != len(shape) and shape[axis] in other[1:] for other in others)


def _may_be(wanted: Range, graph: Graph, value: int) -> bool:
    """Whether the first axis of an input may be asked for in this size. It mostly is the batch: another input may have
    another one, but a model that works for one size of it alone does not work."""
    recording = graph.recording
    shape = recording.shape(value)
    others = [recording.shape(other) for other in recording.inputs if other != value]
    return len(shape) < 2 or graph.lacks_batch(shape) or any(other and other[0] in wanted for other in others)


def _nearest(wanted: Range, size: int | None) -> int:
    """The size itself where it would do; of a few that would, one at which images are mostly given, or the one that
    can be halved most often."""
    if size is not None and size in wanted:
        return size
    fitting = range(wanted.low, min(wanted.high, wanted.low + MOST_TOLD) + 1)
    if wanted.high > fitting[-1]:
        return min(max(wanted.low, size or wanted.low), wanted.high)
    usual = [one for one in fitting if one in USUAL_SIZES] or fitting
    return max(usual, key=lambda one: (one & -one, -abs(one - (size or one))))
