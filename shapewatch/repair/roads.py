"""The road back from maps to what they were made of, and by how much each layer on it changed their sizes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, Shape

_FAR = 60


def road_back(value: int, graph: Graph) -> Iterator[Call]:
    """The units that made a value, the last one first: of what has several operands, what made the first that is data.
    Where branches join, the road ends."""
    for _ in range(_FAR):
        unit = graph.producer.get(value)
        if unit is None:
            return
        yield unit
        data = [operand for operand in unit.operands if graph.is_activation(operand)]
        if len(set(data)) != 1:
            return
        value = data[0]


def multiplied_by(unit: Call, graph: Graph) -> Fraction | None:
    """By how much a unit multiplies all sides of maps, rounding apart; None where it does not work on maps, or not on
    all sides alike."""
    if not unit.operands or not unit.results:
        return None
    return ratio(graph.recording.shape(unit.results[0]), graph.recording.shape(unit.operands[0]), graph)


def ratio(shape: Shape, other: Shape, graph: Graph) -> Fraction | None:
    layout = graph.layout
    if layout is None or not layout.fits(shape) or len(shape) != len(other):
        return None
    sides = [(shape[axis], other[axis]) for axis in layout.spatial(shape)]
    if any(not have or not was for have, was in sides):
        return None
    ratios = {Fraction(have or 1, was or 1) for have, was in sides}
    return ratios.pop() if len(ratios) == 1 else None


def enlarging(value: int, graph: Graph) -> list[Call]:
    """The units on the way to a value that multiply all sides by a whole number, the last one first."""
    found = ((unit, multiplied_by(unit, graph)) for unit in road_back(value, graph))
    return [unit for unit, by in found if by is not None and by >= 2]


def behind_enlarging(value: int, graph: Graph) -> list[Call]:
    """The units on the way to a value that come behind one which multiplies all sides by a whole number, as far back as
    none makes them smaller."""
    behind: list[Call] = []
    passed: list[Call] = []
    for unit in road_back(value, graph):
        by = multiplied_by(unit, graph)
        if by is not None and by <= Fraction(1, 2):
            break
        if by is not None and by >= 2:
            behind, passed = behind + passed, []
        passed.append(unit)
    return behind
