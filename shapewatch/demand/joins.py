"""Calls in which branches meet: sums, products element by element, concatenations, stacks."""

from __future__ import annotations

from collections.abc import Sequence

from shapewatch.axes import Range
from shapewatch.demand.nouns import NOTHING, Demand, Handler, Place, Pull


def _elementwise(place: Place, demand: Demand) -> Pull:
    """One operand alone carries the axis: on to it. Several do: all of them would have to change, so on to their fork,
    by the shortest road, with nothing on the way to be edited."""
    carriers = []
    for operand in place.unit.operands:
        shape = place.shape(operand)
        shift = len(place.out) - len(shape)
        carries = all(axis - shift >= 0 and shape[axis - shift] == place.out[axis] for axis in demand)
        if carries and place.graph.is_activation(operand):
            carriers.append((operand, {axis - shift: wanted for axis, wanted in demand.items()}))
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
    along = place.unit.facts.get("dim", 0) % len(place.out)
    operands = [operand for operand in place.unit.operands if place.graph.is_activation(operand)]
    if along not in demand:
        return _to_fork(place, [(operand, demand) for operand in operands])
    if len(demand) > 1:
        return NOTHING
    total = place.out[along] or 0
    onward = []
    for operand in dict.fromkeys(operands):
        others = total - (place.shape(operand)[along] or 0)
        if demand[along].low > others:
            onward.append((operand, {along: Range(demand[along].low - others, demand[along].high - others)}, ()))
    return Pull(onward=tuple(onward))


def _stack(place: Place, demand: Demand) -> Pull:
    along = place.unit.facts.get("dim", 0) % len(place.out)
    if along in demand:
        return NOTHING
    inner = {axis if axis < along else axis - 1: wanted for axis, wanted in demand.items()}
    return _to_fork(place, [(operand, inner) for operand in place.unit.operands])


HANDLERS: dict[str, Handler] = {
    "add": _elementwise,
    "sub": _elementwise,
    "mul": _elementwise,
    "div": _elementwise,
    "maximum": _elementwise,
    "minimum": _elementwise,
    "where": _elementwise,
    "lerp": _elementwise,
    "concat": _concat,
    "stack": _stack,
}
