"""What to put before a layer that was built for another width than it is given now."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.edits import Insert, Module
from shapewatch.recording import Shape
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence

PRIOR = -0.4
"""Of a layer that nobody speaks of: a layer upstream that has another width now is the plainer answer."""


def before_built(evidence: Evidence) -> Iterator[Candidate]:
    """A layer that gives the width which a lazy layer was built for: what stood there, perhaps, when it was built."""
    case = evidence.case
    if case.layer is None or not case.facts.get("lazy") or not case.shapes:
        return
    for want in evidence.finding.wants:
        if want.value != case.call.operands[0] or len(want.demand) != 1:
            continue
        ((axis, wanted),) = want.demand.items()
        module = None if wanted.exact is None else _to_width(evidence, case.shapes[0], axis, wanted.exact)
        if module is not None:
            yield Candidate((Insert(case.call.place, 0, module),), PRIOR, 1)


def _to_width(evidence: Evidence, given: Shape, axis: int, wanted: int) -> Module | None:
    layout = evidence.case.layout or evidence.case.graph.layout
    if layout is not None and layout.fits(given) and axis == layout.channels(given):
        widths = {"in_channels": given[axis], "out_channels": wanted}
        return Module("conv", {**layout.facts, **widths, "kernel_size": 1, "stride": 1})
    if axis == len(given) - 1 and axis > 0:
        return Module("linear", {"in_features": given[axis], "out_features": wanted})
    return None
