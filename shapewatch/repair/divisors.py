"""The number that the sizes of an input have to be a multiple of.

300 made 288 passes, and 288 is a multiple of 16 as of 32; but 304 is one of 16 too, and fails. Of two multiples of a
number that follow each other one is no multiple of its double: where both pass, the number is enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from shapewatch.edits import Edit, Input
from shapewatch.flow.layout import Layout
from shapewatch.recording import Shape, Size
from shapewatch.repair.candidate import Candidate
from shapewatch.rules.rule import Case

_MOST = 64
"""No network halves its maps more often."""

_SAID = re.compile(r"\b(no multiples? of )\d+")


def with_what_is_needed(candidate: Candidate, case: Case, passes: Callable[[Sequence[Edit]], bool]) -> Candidate:
    """A candidate that passes, with the number that is needed where its evidence speaks of one: the first of its
    doubles with which the next multiple passes too. Where none does, nothing is said of it."""
    edit = candidate.edits[0] if len(candidate.edits) == 1 else None
    step = edit.arguments.get("multiple") if isinstance(edit, Input) else None
    if not isinstance(edit, Input) or not isinstance(step, int) or not any(map(_SAID.search, candidate.evidence)):
        return candidate
    needed = step
    while needed <= _MOST:
        other = _next(edit, needed, case)
        if other is not None and passes((other,)):
            said = tuple(_SAID.sub(rf"\g<1>{needed}", each) for each in candidate.evidence)
            whole = replace(edit, arguments={**edit.arguments, "multiple": needed})
            return candidate if needed == step else replace(candidate, edits=(whole,), evidence=said)
        needed *= 2
    return replace(candidate, evidence=tuple(each for each in candidate.evidence if not _SAID.search(each)))


def _next(edit: Input, step: int, case: Case) -> Input | None:
    """The input with the multiples of a number on the other side of the sizes that it has; None where the edit's own
    sizes are none."""
    given = case.recording.shape(case.recording.inputs[edit.index])
    axes = (case.graph.layout or Layout()).of_batch(given).spatial(given)
    changed = [axis for axis in axes if edit.shape[axis] != given[axis]]
    if any((edit.shape[axis] or 1) % step for axis in changed):
        return None
    shape: Shape = tuple(
        _beyond(size, now, step) if axis in changed else now
        for axis, (size, now) in enumerate(zip(given, edit.shape, strict=True))
    )
    return replace(edit, shape=shape, arguments={**edit.arguments, "size": tuple(shape[axis] for axis in axes)})


def _beyond(size: Size, now: Size, step: int) -> Size:
    """The multiple on the other side of a size."""
    if size is None or now is None:
        return now
    return (size // step + 1) * step if now < size else max(step, size // step * step)
