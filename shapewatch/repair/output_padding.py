"""Transposed convolutions that give a row and a column less than their stride times what they are given.

A convolution of stride 2 makes 14 of 28 and of 27, so the way back has to be told which: `output_padding`. Left out,
each layer loses its part, and what comes out at last is small by a number that no single layer explains.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shapewatch.edits import Set
from shapewatch.recording import Call
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.roads import road_back

_WORTH = 0.7


def each_in_full(evidence: Evidence) -> Iterator[Candidate]:
    """All of them on the way to an operand, with what makes each multiply sizes by its stride; for one alone arithmetic
    leads there."""
    case, graph = evidence.case, evidence.case.graph
    for value in case.call.operands:
        ways = [unit for unit in road_back(value, graph) if unit.kind == "conv_transpose" and unit.is_layer]
        edits = [edit for unit in ways if (edit := _in_full(unit, graph.facts(unit))) is not None]
        if len(edits) > 1:
            said = (f"with it each of the {len(edits)} multiplies sizes by its stride",)
            yield Candidate(tuple(reversed(edits)), _WORTH, 1, said, needs_proof=True)


def _in_full(unit: Call, facts: Any) -> Set | None:
    names = ("stride", "kernel_size", "padding", "dilation", "output_padding")
    settings = [facts.get(name) for name in names]
    if not all(isinstance(each, tuple) and all(isinstance(number, int) for number in each) for each in settings):
        return None
    stride, kernel, padding, dilation, was = settings
    lost = tuple(s - (d * (k - 1) + 1 - 2 * p) for s, k, p, d in zip(stride, kernel, padding, dilation, strict=True))
    fits = all(0 <= more < step for more, step in zip(lost, stride, strict=True))
    return Set(unit.layer, "output_padding", lost, was) if fits and lost != was else None
