"""A decoder that lays a vector out as the map which its encoder laid flat.

Where `Linear(7 * 7 * 32)` stands before a reshape to `(7, 7, 64)`, either may be wrong, and each can be changed to fit
the other. What was laid flat before tells which: the way back begins with the same map.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from shapewatch.demand import walk
from shapewatch.edits import Edit, Set, SetCall
from shapewatch.recording import Shape, spoken, text
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence

_AS_BEFORE = 0.6
"""How much more is to be said for the change that leaves the map, or makes it, what was laid flat before."""


def as_laid_flat(evidence: Evidence) -> Iterator[Candidate]:
    """The change of a linear layer, or of the reshape behind it, with which the map is one laid flat before."""
    case, finding = evidence.case, evidence.finding
    target = case.facts.get("shape")
    if case.call.kind != "reshape" or not isinstance(target, tuple) or not case.shapes or len(case.shapes[0]) != 2:
        return
    asked = target if case.facts.get("keeps_batch") else target[1:]
    flat = dict(_laid_flat(evidence))
    for edits in finding.own:
        only = edits[0] if len(edits) == 1 else None
        said = _said(only.value, flat, case.facts.get("keeps_batch")) if isinstance(only, Set | SetCall) else None
        if said is not None:
            yield _borne_out(evidence.weighed(edits, 0), said)
    for want in finding.wants if asked in flat else ():
        for change in walk(case.graph, want):
            if _makes(change.edits, math.prod(size or 0 for size in asked)):
                candidate = evidence.weighed(change.edits, change.hops + 1)
                yield _borne_out(candidate, _phrase(flat[asked], asked))


def _said(value: object, flat: dict[Shape, str], keeps_batch: object) -> str | None:
    shape = value if isinstance(value, tuple) else ()
    shape = shape if keeps_batch else shape[1:]
    return _phrase(flat[shape], shape) if shape in flat else None


def _phrase(name: str, shape: Shape) -> str:
    return f"{name} before it lays a map of {text(shape)} flat"


def _borne_out(candidate: Candidate, said: str) -> Candidate:
    return replace(candidate, score=candidate.score + _AS_BEFORE, evidence=(said, *candidate.evidence)[:2])


def _laid_flat(evidence: Evidence) -> Iterator[tuple[Shape, str]]:
    """The maps that were laid flat before, without their batch, and by what."""
    case = evidence.case
    for unit in case.graph.units:
        if unit.kind not in ("flatten", "reshape") or unit.number >= case.call.number or not unit.finished:
            continue
        before, after = (case.recording.shape(values[0]) for values in (unit.operands, unit.results))
        if len(before) > 2 and len(after) == 2 and after[1] == math.prod(size or 0 for size in before[1:]) != 0:
            yield before[1:], spoken(unit.layer) if unit.is_layer else unit.name


def _makes(edits: tuple[Edit, ...], size: int) -> bool:
    edit = edits[0] if len(edits) == 1 else None
    return isinstance(edit, Set) and edit.argument == "out_features" and edit.value == size
