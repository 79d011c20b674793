"""Two tensors that are no branches of one flow are combined element by element, and do not fit.

## What it means
An addition (or product, comparison, …) of an activation with a weight, a constant or a target needs equal sizes, or 1.

## Why
Often a learned table (a positional embedding, a mask) was made for another length than the input now has.

## Bad
    nn.Linear(4, 4)(torch.ones(2, 6, 4)) + nn.Parameter(torch.ones(5, 4))

## Good
    nn.Linear(4, 4)(torch.ones(2, 5, 4)) + nn.Parameter(torch.ones(5, 4))

## What it can be confused with
`branches-differ`: both come from one value. `target-shape-differs`: the other one is the target of a loss.
"""

from __future__ import annotations

from shapewatch.recording import text
from shapewatch.rules.branches_differ import ELEMENTWISE
from shapewatch.rules.losses import batch_lost, of_lost_batch
from shapewatch.rules.meeting import against, elementwise_problems, elementwise_wants
from shapewatch.rules.rule import Case, Finding, listed, rule


@rule("SW202", "operands-differ", ELEMENTWISE | {"assign"})
def check(case: Case) -> Finding | None:
    problems = elementwise_problems(case)
    if not problems or case.junction is not None:
        return None
    sizes = [f"{against(problem)} on axis {problem.axis}" for problem in problems]
    shapes = [_named(case, value) for value in case.call.operands]
    return Finding(
        headline=f"{case.name}{_of(case)}: {listed(sizes)}",
        explanation=f"{listed(shapes)} meet element by element; each axis has to be equal or 1.{_of_lost_batch(case)}",
        wants=elementwise_wants(case, problems),
    )


def _of_lost_batch(case: Case) -> str:
    """Where one of two sides lost its batch, if both are of samples and as many were to come."""
    if len(case.shapes) != 2 or not all(case.shapes):
        return ""
    for value, other in zip(case.call.operands, case.shapes[::-1], strict=True):
        made = batch_lost(case, value, other[0])
        if made is not None:
            return of_lost_batch(made, case)
    return ""


def _of(case: Case) -> str:
    """` with b`: the operands that have a name."""
    names = [value.name for value in map(case.recording.values.__getitem__, case.call.operands) if value.name]
    return f" with {listed(names)}" if names else ""


def _named(case: Case, number: int) -> str:
    value = case.recording.values[number]
    what = {"parameter": "the weight ", "buffer": "the buffer ", "constant": "a constant "}.get(value.origin, "")
    return f"{what}{value.name + ' ' if value.name and what else ''}{text(value.shape)}"
