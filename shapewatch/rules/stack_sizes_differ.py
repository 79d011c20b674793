"""Tensors are stacked along a new axis, or joined with other ranks, and are not equal in shape.

## What it means
`stack` needs tensors of one shape; `cat` needs tensors of one rank.

## Why
One of the branches changed a size or lost an axis that the others kept.

## Bad
    torch.stack([torch.ones(2, 3), torch.ones(2, 4)])

## Good
    torch.stack([torch.ones(2, 3), torch.ones(2, 3)])

## What it can be confused with
`samples-differ`: a loader stacks the samples of a batch.
"""

from __future__ import annotations

from shapewatch import axes
from shapewatch.recording import text
from shapewatch.rules.meeting import concat_wants
from shapewatch.rules.rule import Case, Finding, listed, rule


@rule("SW402", "stack-sizes-differ", frozenset({"stack", "concat"}))
def check(case: Case) -> Finding | None:
    shapes = case.shapes
    if len(shapes) < 2 or len(set(shapes)) == 1:
        return None
    if len({len(shape) for shape in shapes}) > 1:
        ranks = listed([str(len(shape)) for shape in shapes])
        return Finding(
            headline=f"{case.name} joins tensors of {ranks} axes",
            explanation=f"{listed([text(shape) for shape in shapes])} need the same number of axes.",
        )
    if case.call.kind == "concat":
        return None
    problems = axes.concat_problems(shapes, -1)
    return Finding(
        headline=f"{case.name} needs equal shapes and is given {listed([text(shape) for shape in shapes])}",
        explanation="A stack puts tensors of one shape side by side along a new axis.",
        wants=concat_wants(case, problems),
    )
