"""Sizes that an interpolation is given as numbers, where its line runs several times, each time for another size.

What is right in one turn of a loop is wrong in the next, though a trial that changes the one turn passes. The size of
the map that is met is right in each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shapewatch.adapters.operand import runs_of_its_line
from shapewatch.adapters.sized_as import met_by
from shapewatch.edits import Edit, SetCall
from shapewatch.recording import Recording
from shapewatch.repair.candidate import Candidate
from shapewatch.repair.evidence import Evidence

AS_LARGE = 0.6
"""How much more speaks for the size of the map that is met than for a number, or for another input."""


def as_what_is_met(evidence: Evidence, edits: tuple[Edit, ...], hops: int) -> Iterator[Candidate]:
    """For an interpolation that is to make a size by no factor: the size of the map that its own one meets, where the
    line has a name for it."""
    recording = evidence.case.recording
    only = edits[0] if len(edits) == 1 else None
    if not isinstance(only, SetCall) or only.argument != "size" or recording.framework != "torch":
        return
    here = recording.at(only.place)
    factor = here.facts.get("scale_factor") if here is not None and here.kind == "resize" else None
    other = met_by(here, only.value, recording) if here is not None and factor is not None else None
    if other is not None:
        number = evidence.weighed(edits, hops)
        whole = (SetCall(only.place, "as_large_as", other, factor),)
        yield replace(number, edits=whole, score=number.score + AS_LARGE * bool(number.evidence))


def right_in_one_turn(edits: Sequence[Edit], before: Recording, trial: Recording) -> bool:
    """Whether an interpolation is given a number that its line, with the edits in place, needs in one turn alone."""
    return any(isinstance(edit, SetCall) and _needs_several(edit, before, trial) for edit in edits)


def _needs_several(edit: SetCall, before: Recording, trial: Recording) -> bool:
    here, again = before.at(edit.place), trial.at(edit.place)
    if edit.argument != "size" or here is None or again is None or here.kind != "resize":
        return False
    made = {trial.shape(run.results[0])[-len(edit.value) :] for run in runs_of_its_line(again, trial) if run.results}
    return len(made) > 1
