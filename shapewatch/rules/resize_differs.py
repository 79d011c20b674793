"""An interpolation is given a size or factor for another number of axes than the tensor has.

## What it means
`interpolate` leaves the first two axes, batch and channels, as they are and wants one number for each of the others, or
one for all of them.

## Why
The batch axis is missing, so that the height is taken for the channels; or the size was written for volumes.

## Bad
    F.interpolate(torch.ones(1, 3, 8, 8), size=(4, 4, 4))

## Good
    F.interpolate(torch.ones(1, 3, 8, 8), size=(4, 4))

## What it can be confused with
`rank-differs`, which is the same of a layer with weights.
"""

from __future__ import annotations

from shapewatch.edits import Edit, Input
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, plural, rule


@rule("SW509", "resize-differs", frozenset({"resize"}))
def check(case: Case) -> Finding | None:
    shape = case.shapes[0] if case.shapes else ()
    if case.call.finished or not shape or case.facts.get("channels_last"):
        return None
    for name in ("size", "scale_factor"):
        given = case.facts.get(name)
        if not isinstance(given, tuple) or len(given) == len(shape) - 2:
            continue
        own: list[tuple[Edit, ...]] = []
        if len(given) == len(shape) - 1 and case.call.operands[0] in case.recording.inputs:
            index = case.recording.inputs.index(case.call.operands[0])
            own.append((Input(index, "unsqueeze", {"dim": 0}, (1, *shape)),))
        spatial = plural(max(0, len(shape) - 2), "axis").replace("axiss", "axes")
        return Finding(
            headline=f"{case.name} has {plural(len(given), 'number')} for {spatial}",
            explanation=f"Its input is {text(shape)}: {spatial} after batch and channels. The {name} is {given}.",
            own=tuple(own),
        )
    return None
