"""The inner sizes of a matrix product differ.

## What it means
`left @ right` needs left's last axis to be as long as right's last but one.

## Why
Each number of the product is a row of `left` times a column of `right`, element by element.

## Bad
    torch.ones(2, 3) @ torch.ones(2, 3)

## Good
    torch.ones(2, 3) @ torch.ones(2, 3).T
"""

from __future__ import annotations

from shapewatch import axes
from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW101", "inner-dims-differ", frozenset({"matmul", "dot"}))
def check(case: Case) -> Finding | None:
    if case.call.kind == "dot":
        return _of_batches(case)
    if len(case.shapes) < 2 or min(len(shape) for shape in case.shapes[-2:]) < 1:
        return None
    left, right = case.shapes[-2:]
    inner, outer = axes.matmul_inner(left, right)
    batch = axes.broadcast_problems([left[:-2], right[:-2]]) if min(len(left), len(right)) > 2 else ()
    first, second = case.call.operands[-2:]
    if axes.differ(inner, outer):
        assert inner is not None and outer is not None
        row = max(len(right) - 2, 0)
        hint = ""
        if len(right) > 1 and right[-1] == inner:
            hint = " Transposed, the right one would fit."
        return Finding(
            headline=f"{case.name}: the left side ends in {inner}, the right side starts its product with {outer}",
            explanation=f"{text(left)} @ {text(right)} needs {inner} and {outer} to be equal.{hint}",
            wants=(
                Want(first, {len(left) - 1: Range.only(outer)}, 0),
                Want(second, {row: Range.only(inner)}, 1),
            ),
        )
    if batch:
        problem = batch[0]
        return Finding(
            headline=f"{case.name}: the batch axes of the two sides differ, {problem.sizes[0]} and {problem.sizes[1]}",
            explanation=f"{text(left)} @ {text(right)}: all axes but the last two must be equal or 1.",
        )
    return None


def _of_batches(case: Case) -> Finding | None:
    """A layer that multiplies the items of two batches along one axis of each."""
    contracted = axes.contracted(case.facts.get("axes"), case.shapes)
    if contracted is None:
        return None
    (left, right), (one, other) = case.shapes, contracted
    if not axes.differ(left[one], right[other]):
        return None
    return Finding(
        headline=f"{case.name}: the products run along {left[one]} of the first input and {right[other]} of the second",
        explanation=f"{text(left)} along axis {one} and {text(right)} along axis {other} need equal sizes there.",
        wants=(
            Want(case.call.operands[0], {one: Range.only(right[other] or 1)}, 0),
            Want(case.call.operands[1], {other: Range.only(left[one] or 1)}, 1),
        ),
    )
