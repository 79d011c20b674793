"""What the axes of the inputs are called, from the layers that take them: batch, channels, height, width, length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shapewatch.flow.junctions import Graph
from shapewatch.flow.layout import IMAGE_KINDS, layout_of, numbered
from shapewatch.recording import Call, Shape
from shapewatch.sizes.accepted import Axis

_ORDERS = (IMAGE_KINDS, frozenset({"norm", "recurrent", "attention", "embedding"}), frozenset({"linear"}))
"""Kinds of calls that tell what the axes of their first operand are; a kernel knows best."""


def axes_of(graph: Graph, shapes: Sequence[Shape], inputs: Sequence[str]) -> tuple[Axis, ...]:
    """Every axis of every input with a name: in the order of the recording's inputs; `axis 2` where no layer tells."""
    known = _known(graph)
    values = dict(enumerate(graph.recording.inputs))
    first = known.get((values[0], 0)) if values else None
    found: list[Axis] = []
    for index, shape in enumerate(shapes):
        for axis, unknown in enumerate(numbered(shape)):
            name = known.get((values[index], axis), unknown) if index in values else unknown
            if name == "axis 0" and first == "batch" and shape[0] == shapes[0][0]:
                name = first  # one batch of all inputs is one source, under the first one's number
            found.append(Axis(index, inputs[index], axis, name))
    return tuple(found)


def _known(graph: Graph) -> dict[tuple[int, int], str]:
    """By value and axis, what the first layer that can tell calls it."""
    known: dict[tuple[int, int], str] = {}
    for kinds in _ORDERS:
        for unit in graph.units:
            if unit.kind in kinds and unit.operands:
                for source, name in _told_by(graph, unit):
                    known.setdefault(source, name)
    return known


def _told_by(graph: Graph, unit: Call) -> Iterator[tuple[tuple[int, int], str]]:
    value = unit.operands[0]
    roles = _roles(graph, unit, graph.recording.shape(value))
    for role, source in zip(roles, graph.lineage.sources(value), strict=False):
        if role and source is not None and source.value in graph.recording.inputs:
            yield (source.value, source.axis), role


def _roles(graph: Graph, unit: Call, shape: Shape) -> tuple[str, ...]:
    facts, rank = graph.facts(unit), len(shape)
    if unit.kind in IMAGE_KINDS or facts.get("style") == "batch":
        layout = layout_of(facts, unit.name)
        unbatched = unit.kind in IMAGE_KINDS
        return layout.names(shape) if layout is not None and len(shape) - layout.rank in (2, 2 - unbatched) else ()
    if unit.kind == "embedding":
        return {1: ("length",), 2: ("batch", "length")}.get(rank, ())
    if unit.kind == "recurrent" and rank == 2:
        return "batch", "features"
    if unit.kind in ("recurrent", "attention") and rank == 3:
        front = ("batch", "length") if facts.get("batch_first", unit.kind != "recurrent") else ("length", "batch")
        return (*front, "features")
    if unit.kind == "linear":
        return {2: ("batch", "features"), 3: ("batch", "length", "features")}.get(
            rank, ("",) * (rank - 1) + ("features",)
        )
    return ()
