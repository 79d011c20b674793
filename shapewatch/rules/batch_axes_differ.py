"""Two batches of matrices are multiplied, and there are not equally many in both.

## What it means
In `[B, n, m] @ [B, m, k]` the axes before the last two are the batch. They have to be equal, or 1; `bmm` takes no 1.

## Why
One side was reshaped with its heads in the batch and the other was not, a tensor was transposed on the wrong axes, or
one side is of another batch.

## Bad
    torch.bmm(torch.ones(2, 3, 4), torch.ones(3, 4, 5))

## Good
    torch.bmm(torch.ones(2, 3, 4), torch.ones(2, 4, 5))

## Bad in Keras
    tf.matmul(tf.ones((2, 3, 4)), tf.ones((3, 4, 5)))

## Good in Keras
    tf.matmul(tf.ones((2, 3, 4)), tf.ones((2, 4, 5)))

## What it can be confused with
`inner-dims-differ`: the last two axes, along which the product runs, do not fit.
"""

from __future__ import annotations

from shapewatch import axes
from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, listed, rule


@rule("SW105", "batch-axes-differ", frozenset({"matmul"}))
def check(case: Case) -> Finding | None:
    if len(case.shapes) < 2 or min(len(shape) for shape in case.shapes[-2:]) < 3:
        return None
    left, right = case.shapes[-2:]
    problems = axes.broadcast_problems([left[:-2], right[:-2]])
    if not problems:
        return None
    first = len(case.shapes) - 2
    sizes = [f"{problem.sizes[0]} against {problem.sizes[1]}" for problem in problems]
    wants = []
    for operand, (own, other) in enumerate(((left, right), (right, left)), start=first):
        if len(own) == len(other):
            demand = {problem.axis: Range.only(other[problem.axis] or 1) for problem in problems}
            wants.append(Want(case.call.operands[operand], demand, operand))
    return Finding(
        headline=f"{case.name}: the batch axes of the two sides differ, {listed(sizes)}",
        explanation=f"{text(left)} @ {text(right)}: all axes but the last two must be equal or 1.",
        wants=tuple(wants),
    )
