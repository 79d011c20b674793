"""Masks that cover one of the parts that were joined, extended for the others, which have no padding."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.edits import Insert, Module
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.rules.mask_of_a_part import partly_masked

_CERTAIN = 1.3


def for_all_parts(evidence: Evidence) -> Iterator[Candidate]:
    found = partly_masked(evidence.case)
    if found is None:
        return
    before, after = sum(found.lengths[: found.covered]), sum(found.lengths[found.covered + 1 :])
    arguments = {
        "before": before,
        "after": after,
        "fill": found.fill,
        "joined": found.joined.place,
        "covered": found.covered,
        "axis": found.axis,
    }
    edit = Insert(found.site.place, found.operand, Module("cover", arguments))
    yield Candidate((edit,), _CERTAIN, 1, (found.said(),))
