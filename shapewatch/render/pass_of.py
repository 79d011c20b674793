"""Which of the recorded calls belong to the pass that is drawn.

A recording holds more than a model: what made its weights and its inputs and, of a training step in a graph, gradients
and the optimizer. Drawn are the calls in layers, what a diagnosis is about, what leads to them, and what comes of them
up to the first gradient. Where no layer was called, all is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call

GRADIENTS = ("Grad", "Backprop")
"""What the names of TensorFlow's own gradients have in them. Other frameworks' gradients are not recorded."""


def calls_of_the_pass(graph: Graph, told: Iterable[int]) -> list[Call]:
    """The units to draw, in order; `told` are the numbers of those that a diagnosis is about."""
    units = graph.units
    kept = {unit.number for unit in units if unit.is_layer or unit.parent is not None} | set(told)
    if not any(unit.is_layer for unit in units):
        return units
    kept |= _after(units, kept)
    kept |= _before(units, kept, graph.recording.inputs)
    return [unit for unit in units if unit.number in kept]


def _after(units: Sequence[Call], kept: set[int]) -> set[int]:
    """The calls that take what the kept ones give, until a gradient, and again from the next layer on."""
    found: set[int] = set()
    values: set[int] = set()
    forward = True
    for unit in units:
        forward = not any(word in unit.name for word in GRADIENTS) and (forward or unit.is_layer)
        if unit.number in kept or (forward and values.intersection(unit.operands)):
            found.add(unit.number)
            values.update(unit.results)
    return found


def _before(units: Sequence[Call], kept: set[int], inputs: Sequence[int]) -> set[int]:
    """The calls that give what the kept ones take, other than the inputs."""
    found: set[int] = set()
    taken: set[int] = set()
    for unit in reversed(units):
        if unit.number in kept or taken.intersection(unit.results):
            found.add(unit.number)
            taken.update(operand for operand in unit.operands if operand not in inputs)
    return found
