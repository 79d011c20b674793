"""A layer of the program's own that is called with two of its arguments in each other's place: `self.gate(deep, skip)`.

What fails is inside, and may be mended there in several places; with the line right, none of them is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from shapewatch.edits import Insert, Module
from shapewatch.recording import Call, Recording
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence
from shapewatch.repair.in_turn import text_of_operand, turns

_WORTH = 0.95


def arguments_exchanged(evidence: Evidence) -> Iterator[Candidate]:
    recording = evidence.case.recording
    for hops, site in enumerate(_around(evidence.case.call, recording)):
        names = [text_of_operand(operand, site, recording) for operand in range(len(site.operands))]
        for one, other in combinations(range(len(names)), 2):
            first, second = names[one], names[other]
            shapes = {recording.shape(site.operands[at]) for at in (one, other)}
            if first is None or second is None or first == second or len(shapes) == 1:
                continue
            if first.isidentifier() and second.isidentifier():
                edits = tuple(
                    Insert(place, operand, Module("value", {"name": name, "instead": instead, "exchanged": True}))
                    for place in _places(site, recording)
                    for operand, name, instead in ((one, second, first), (other, first, second))
                )
                yield Candidate(edits, _WORTH - 0.05 * hops, hops + 1, (), needs_proof=True)


def _places(site: Call, recording: Recording) -> Iterable[str]:
    """Wherever the line calls a layer: in each turn of a loop, and in each layer of the same class."""
    again = [call for call in recording.calls if (call.name, call.span, call.is_layer) == (site.name, site.span, True)]
    return dict.fromkeys((*turns(site, recording), *(call.place for call in again)))


def _around(call: Call, recording: Recording) -> Iterator[Call]:
    """The calls of layers that what failed is in, the innermost first, without the model itself."""
    while call.parent is not None:
        call = recording.calls[call.parent]
        if call.parent is not None and len(call.operands) > 1 and call.span is not None:
            yield call
