"""Whether what looks wrong would look wrong with inputs of another size too: sizes that are equal by chance are told
by that.

Asked only where a rule is about to warn on the strength of sizes, so that a healthy pass never pays for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from shapewatch.adapters import Probe
from shapewatch.edits import Input
from shapewatch.flow.junctions import Graph
from shapewatch.flow.lineage import Source
from shapewatch.recording import Call, Recording, Shape

_BATCHES = (5, 7, 11, 13, 3)
_FURTHER = (32, 64, 1)
"""What is added to another axis: a network that halves its maps five times takes only multiples of 32."""


Resized = tuple[tuple[int, Shape], ...]
"""Inputs by their position, with other shapes."""

Passes = Callable[[Resized], Graph | None]
"""The pass on such inputs; None where it cannot be followed on shapes alone."""


def passes(probe: Probe) -> Passes:
    """The passes of a probe, each run once however many places are judged by it."""

    @cache
    def run(inputs: Resized) -> Graph | None:
        trial = probe.run([Input(index, "size", {}, shape) for index, shape in inputs])
        return None if trial.unsupported else Graph(trial.recording)

    return run


def holds(
    call: Call, recording: Recording, run: Passes | None, varied: Source, still: Callable[[Graph, Call], bool]
) -> bool:
    """Whether `still` is true of the same place with another size of the axis `varied`, or the pass comes to grief
    there: the sizes fit by chance.

    False where it cannot be tried. What is outside every layer is no part of a pass that can be run again, and is taken
    at its word.
    """
    if call.parent is None:
        return True
    for inputs in _others(recording, varied) if run is not None else ():
        graph = run(inputs) if run is not None else None
        if graph is None:
            return False
        failing = graph.failing_unit()
        if failing is not None and failing.place != call.place:
            continue
        again = [unit for unit in graph.units if unit.place == call.place]
        return failing is not None or (bool(again) and all(still(graph, unit) for unit in again))
    return False


def _others(recording: Recording, varied: Source) -> Iterator[Resized]:
    """Inputs with another size on an axis. Of the batch, all inputs get it; else those that have the size there."""
    shapes = [recording.shape(number) for number in recording.inputs]
    size = recording.shape(varied.value)[varied.axis]
    known = {each for value in recording.values for each in value.shape}
    if size is None:
        return
    others = (
        [prime for prime in _BATCHES if prime not in known][:1] if not varied.axis else [size + n for n in _FURTHER]
    )
    for other in others:
        yield tuple(
            (index, (*shape[: varied.axis], other, *shape[varied.axis + 1 :]))
            for index, shape in enumerate(shapes)
            if len(shape) > varied.axis and shape[varied.axis] == size
        )
