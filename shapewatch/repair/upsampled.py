"""One upsampling too many: what a generator or a decoder gives is larger by the factor of one of its layers.

To make it smaller again behind the last upsampling would undo that one, which nobody means; to take one of them back is
what was meant, the last one rather than those before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shapewatch.edits import Edit, Set, SetCall
from shapewatch.recording import Call
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import LESS_FURTHER_BACK, ONE_LESS, Evidence
from shapewatch.repair.roads import enlarging, multiplied_by, ratio
from shapewatch.rules.rule import counted


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
