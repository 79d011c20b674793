"""Calls in which branches meet: sums, products element by element, concatenations, stacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shapewatch import axes
from shapewatch.axes import Range
from shapewatch.demand.nouns import NOTHING, Demand, Handler, Place, Pull
from shapewatch.edits import Edit


def _elementwise(place: Place, demand: Demand) -> Pull:
    """One operand alone carries the axis: on to it. Several do: all of them would have to change, so on to their fork,
    by the shortest road, with nothing on the way to be edited."""
    carriers: list[tuple[int, Demand]] = []
    rank, batched = len(place.out), place.unit.is_layer
    for operand in place.unit.operands:
        shape, own = place.shape(operand), {}
        for axis, wanted in demand.items():
            at = axes.own_axis(shape, rank, axis, batched)
            if at is not None and shape[at] == place.out[axis]:
                own[at] = wanted
        if len(own) == len(demand) and place.graph.is_activation(operand):
            carriers.append((operand, own))
    if len({operand for operand, _ in carriers}) == 1:
        return Pull(onward=((*carriers[0], ()),))
    return _to_fork(place, carriers)


def _to_fork(place: Place, carriers: Sequence[tuple[int, Demand]]) -> Pull:
    if not carriers:
        return NOTHING
    graph = place.graph
    fork = graph.fork([operand for operand, _ in carriers])
    if fork is None:
        return NOTHING
    value, demand = min(carriers, key=lambda carrier: graph.depth[carrier[0]])
    for _ in range(40):
        if value == fork:
            return Pull(onward=((value, demand, ()),))
        unit = graph.producer.get(value)
        if unit is None:
            return NOTHING
        roads = [step for step in place.pull(graph, unit, value, demand).onward if graph.descends(step[0], fork)]
        if not roads:
            return NOTHING
        value, demand, _ = roads[0]
    return NOTHING


def _concat(place: Place, demand: Demand) -> Pull:
    along = _along(place)
    if along is None:
        return NOTHING
    operands = [operand for operand in place.unit.operands if place.graph.is_activation(operand)]
    own = tuple(_other_axes(place, along, demand))
    if along not in demand:
        return replace(_to_fork(place, [(operand, demand) for operand in operands]), own=own)
    total = place.out[along]
    if len(demand) > 1 or total is None:
        return Pull(own=own)
    onward = []
    for operand in dict.fromkeys(operands):
        size = place.shape(operand)[along]
        others = total - (size or 0)
        if size is not None and demand[along].low > others:
            onward.append((operand, {along: Range(demand[along].low - others, demand[along].high - others)}, ()))
    return Pull(own=own, onward=tuple(onward))


def _other_axes(place: Place, along: int, demand: Demand) -> Iterator[tuple[Edit, ...]]:
    """Other axes to join along, the batch's apart, where the operands are equal and the result as asked for. Maps that
    are joined along their channels belong so."""
    shapes = {place.shape(operand) for operand in place.unit.operands}
    (shape,) = shapes if len(shapes) == 1 else ((),)
    layout = place.graph.layout
    if layout is not None and layout.fits(shape) and layout.of_batch(shape).channels(shape) == along:
        return
    for axis in range(1, len(shape)):
        size = shape[axis]
        joined = [s if at != axis or s is None else s * len(place.unit.operands) for at, s in enumerate(shape)]
        if axis != along and size is not None and all(joined[at] in wanted for at, wanted in demand.items()):
            yield (place.set("dim", -1 if axis == len(shape) - 1 else axis),)


def _stack(place: Place, demand: Demand) -> Pull:
    along = _along(place)
    if along is None or along in demand:
        return NOTHING
    inner = {axis if axis < along else axis - 1: wanted for axis, wanted in demand.items()}
    return _to_fork(place, [(operand, inner) for operand in place.unit.operands])


def _along(place: Place) -> int | None:
    dim = place.facts.get("dim", 0)
    return dim % len(place.out) if isinstance(dim, int) and place.out else None


HANDLERS: dict[str, Handler] = {
    "add": _elementwise,
    "sub": _elementwise,
    "mul": _elementwise,
    "div": _elementwise,
    "average": _elementwise,
    "maximum": _elementwise,
    "minimum": _elementwise,
    "where": _elementwise,
    "lerp": _elementwise,
    "concat": _concat,
    "stack": _stack,
}
