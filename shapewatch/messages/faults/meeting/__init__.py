"""Two values meet and do not fit: what speaks for which cause. For sums, concatenations, copies and stacks alike.

The numbers speak first: a difference of one, a power of two, squares, one shape's sizes in another order. What each
of them can mean hangs on the axis, as far as it is known what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults.evidence import Evidence
from shapewatch.messages.faults.meeting.axis import (
    NORMALISED,
    ODD_WIDTH,
    of_axis,
    of_batch,
)
from shapewatch.messages.faults.meeting.lines import LOSSES, METRICS, SKIPS, of_lines
from shapewatch.messages.faults.meeting.nouns import Meeting, meeting, named_axis
from shapewatch.messages.faults.meeting.pictures import of_pictures
from shapewatch.messages.faults.meeting.shapes import NO_KEEPDIM, ONE_PER_SAMPLE, of_shapes, usual
from shapewatch.messages.nouns import Pasted

__all__ = [
    "LOSSES",
    "METRICS",
    "NORMALISED",
    "NO_KEEPDIM",
    "ODD_WIDTH",
    "ONE_PER_SAMPLE",
    "SKIPS",
    "Meeting",
    "evidence",
    "meeting",
    "named_axis",
]


def evidence(pasted: Pasted, met: Meeting) -> Iterator[Evidence]:
    """Everything that speaks for a cause in what the two have to do with each other."""
    yield from of_shapes(met)
    if met.is_aligned or 1 in map(len, (met.left or (), met.right or ())):
        for axis, a, b in met.apart:
            held = met.role(axis)
            yield from of_batch(met, a, b) if held == "batch" else of_axis(met, axis, a, b, held)
        yield from usual(met)
    yield from of_pictures(met)
    yield from of_lines(pasted, met)
