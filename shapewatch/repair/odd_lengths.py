"""Lengths that a network divides and multiplies again, and that do not divide: what comes out is not as long as what
went in, and a loss compares the two."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from shapewatch.edits import RESULT, Edit, Insert, Module
from shapewatch.flow.layout import Layout
from shapewatch.recording import Call, Shape
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence

_CERTAIN = 1.2


def odd_lengths(evidence: Evidence) -> Iterator[Candidate]:
    """The output cropped to the lengths of the target, which are those of the input.

    Where it is too short, the input is first padded to lengths that divide: what was cut off on the way is nowhere to
    be had at the end.
    """
    case = evidence.case
    recording, layout = case.recording, case.graph.layout
    if case.call.kind != "loss" or layout is None or not recording.inputs or "output" not in case.facts:
        return
    value, target = (case.call.operands[case.facts[which]] for which in ("output", "target"))
    road, unit = _road(evidence, value), case.graph.producer.get(value)
    first = next((step for step in road if recording.inputs[0] in step.operands), None)
    shapes = [recording.shape(number) for number in (recording.inputs[0], value, target)]
    if unit is None or first is None or not unit.is_layer or len({len(shape) for shape in shapes}) > 1:
        return
    if not layout.fits(shapes[0]) or any(None in _lengths(layout, shape) for shape in shapes):
        return
    given, made, wanted = (_lengths(layout, shape) for shape in shapes)
    pace = _pace(evidence, road)
    up, down = ([-(-size // pace) * pace for size in given], [size // pace * pace for size in given])
    if given != wanted or made == wanted or made not in (up, down):
        return
    edits: tuple[Edit, ...] = (Insert(unit.place, RESULT, _longer(layout, up, wanted)),)
    if made == down:
        edits = (Insert(first.place, 0, _longer(layout, given, up)), *edits)
    odd = " x ".join(str(size) for size in dict.fromkeys(given) if size % pace)
    said = f"the network divides lengths by {pace} and multiplies them again, and {odd} is no multiple of {pace}"
    yield Candidate(edits, _CERTAIN, 1, (said,))


def _lengths(layout: Layout, shape: Shape) -> list[int]:
    return [shape[axis] for axis in layout.spatial(shape)]  # type: ignore[misc]


def _road(evidence: Evidence, value: int) -> list[Call]:
    """What had a part in a value, which other passes of the model have not."""
    graph = evidence.case.graph
    made = graph.ancestors[value] | 1 << value
    return [unit for unit in graph.units if any(made >> result & 1 for result in unit.results)]


def _pace(evidence: Evidence, road: Sequence[Call]) -> int:
    """By how much all windows together divide a length."""
    facts = evidence.case.graph.facts
    strides = [facts(unit).get("stride") for unit in road if unit.kind in ("conv", "pool")]
    sizes = [stride[0] if isinstance(stride, tuple) else stride for stride in strides]
    return math.prod(size for size in sizes if isinstance(size, int) and size > 0)


def _longer(layout: Layout, before: Sequence[int], after: Sequence[int]) -> Module:
    """Zeros at the ends, or the ends cut off."""
    amounts = [amount for a, b in zip(reversed(before), reversed(after), strict=True) for amount in (0, b - a)]
    return Module("pad", {"pad": (*((0, 0) if layout.channels_last else ()), *amounts), **layout.facts})
