"""One upsampling too many or too few: what a decoder gives is larger or smaller by the factor of one of its layers.

To make it smaller again behind the last upsampling would undo that one, which nobody means; to take one of them back is
what was meant, the last one rather than those before it. Where one is missing, a transposed convolution that keeps all
sizes lacks its stride; a window five times as large, which would make up for it as well, nobody means either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shapewatch.edits import Edit, Set, SetCall
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Call, spoken
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import LESS_FURTHER_BACK, ONE_LESS, Evidence
from shapewatch.repair.roads import enlarging, multiplied_by, ratio, road_back
from shapewatch.rules.rule import counted, listed

_ONE_MORE = 0.3
"""How much speaks for the stride that a transposed convolution lacks: more than for any number that makes up for it."""

_THE_LAST = -0.25
"""The same of the last layer of all, which mostly keeps the sizes that those before it made."""


def one_upsampling_less(evidence: Evidence) -> Iterator[Candidate]:
    case, graph = evidence.case, evidence.case.graph
    for value, shape in zip(case.call.operands, case.shapes, strict=True):
        factors = {by for other in case.shapes if (by := ratio(shape, other, graph)) is not None and by >= 2}
        if len(factors) != 1:
            continue
        (factor,) = factors
        alike = [unit for unit in enlarging(value, graph) if multiplied_by(unit, graph) == factor]
        said = f"{counted(len(alike))} layers multiply sizes by {factor} on this way"
        for back, unit in enumerate(alike if len(alike) > 1 else ()):
            if edits := _keeping_size(unit, graph.facts(unit)):
                yield Candidate(edits, ONE_LESS - LESS_FURTHER_BACK * back, 1, (said,))


def _keeping_size(unit: Call, facts: Mapping[str, Any]) -> tuple[Edit, ...]:
    """The settings with which a transposed convolution or an upsampling keeps sizes: a stride of 1, with a window that
    fits the padding that it has."""
    if unit.kind == "resize":
        was = facts.get("scale_factor")
        one = tuple(type(each)(1) for each in was) if isinstance(was, tuple) else type(was)(1) if was else None
        if one is None:
            return ()
        of_layer = Set(unit.layer, "scale_factor", one, was)
        return (of_layer if unit.is_layer else SetCall(unit.place, "scale_factor", one, was),)
    if unit.kind != "conv_transpose" or not unit.is_layer:
        return ()
    stride, padding, kernel = (facts.get(name) for name in ("stride", "padding", "kernel_size"))
    if not isinstance(stride, tuple) or not isinstance(kernel, tuple):
        return ()
    taken_back: tuple[Edit, ...] = (Set(unit.layer, "stride", (1,) * len(stride), stride),)
    if padding == "same":
        return taken_back
    more, dilation = facts.get("output_padding"), facts.get("dilation")
    if not isinstance(padding, tuple) or dilation != (1,) * len(kernel):
        return ()
    window = tuple(2 * size + 1 for size in padding)
    if window != kernel:
        taken_back += (Set(unit.layer, "kernel_size", window, kernel),)
    if isinstance(more, tuple) and any(more):
        taken_back += (Set(unit.layer, "output_padding", (0,) * len(more), more),)
    return taken_back


def one_upsampling_more(evidence: Evidence) -> Iterator[Candidate]:
    """A stride for a transposed convolution that keeps sizes, where another one multiplies them by what is missing."""
    case, graph = evidence.case, evidence.case.graph
    for value, shape in zip(case.call.operands, case.shapes, strict=True):
        factors = {by for other in case.shapes if (by := ratio(other, shape, graph)) is not None and by >= 2}
        if len(factors) != 1 or next(iter(factors)).denominator != 1:
            continue
        factor = int(factors.pop())
        road = [unit for unit in road_back(value, graph) if unit.kind == "conv_transpose" and unit.is_layer]
        beside = [unit for unit in road if multiplied_by(unit, graph) == factor]
        found = [(unit, edits) for unit in road if (edits := _multiplying(unit, beside, factor, graph))]
        inner = [unit for unit, _ in found if unit is not road[0]]
        for back, (unit, edits) in enumerate(found if beside else ()):
            last = unit is road[0]
            worth = _THE_LAST if last else _ONE_MORE - LESS_FURTHER_BACK * back
            yield Candidate(edits, worth, back + 1, (_said(inner or [unit], beside, factor),))


def _said(keeping: Sequence[Call], beside: Sequence[Call], factor: int) -> str:
    if len(keeping) > 1:
        names = listed([spoken(unit.layer) for unit in reversed(keeping)])
        return f"{names} keep sizes, and nothing tells which of them is to multiply them by {factor}"
    names = listed([spoken(unit.layer) for unit in reversed(beside)])
    return f"{names} {'multiply' if len(beside) > 1 else 'multiplies'} sizes by {factor}"


def _multiplying(unit: Call, beside: Sequence[Call], factor: int, graph: Graph) -> tuple[Edit, ...]:
    """The settings with which a transposed convolution that keeps sizes multiplies them: its stride, with the rest of
    the window as one beside it has it where its own leaves a part over."""
    facts = graph.facts(unit)
    kernel, padding, stride = (facts.get(name) for name in ("kernel_size", "padding", "stride"))
    if multiplied_by(unit, graph) != 1 or not isinstance(kernel, tuple) or not isinstance(stride, tuple):
        return ()
    edits: tuple[Edit, ...] = (Set(unit.layer, "stride", (factor,) * len(kernel), stride),)
    if padding == "same":
        return edits
    if not isinstance(padding, tuple) or facts.get("dilation") != (1,) * len(kernel):
        return ()
    for other in beside:
        theirs = graph.facts(other)
        if theirs.get("padding") == padding and not any(theirs.get("output_padding") or ()):
            return (*edits, Set(unit.layer, "kernel_size", theirs["kernel_size"], kernel))
    over = tuple(factor - (size - 2 * pad) for size, pad in zip(kernel, padding, strict=True))
    was = facts.get("output_padding")
    if not all(0 <= more < factor for more in over):
        return ()
    return (*edits, Set(unit.layer, "output_padding", over, was)) if any(over) else edits
