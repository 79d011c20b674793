"""The inner sizes of a matrix product differ.

## What it means
`left @ right` needs left's last axis to be as long as right's last but one; of a side that the product transposes, the
other of its last two axes counts.

## Why
Each number of the product is a row of `left` times a column of `right`, element by element.

## Bad
    torch.ones(2, 3) @ torch.ones(2, 3)

## Good
    torch.ones(2, 3) @ torch.ones(2, 3).T

## What it can be confused with
`input-width-differs`: the product is a linear layer's, which knows the width it was made for. `batch-axes-differ`: the
last two axes fit, and those before them do not.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch import axes
from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.edits import Edit, SetCall
from shapewatch.recording import Shape, text
from shapewatch.rules.rule import Case, Finding, rule

_OF_GATES = frozenset({"sigmoid", "tanh", "hardsigmoid", "hardtanh"})
"""Squashed one by one: weights of an attention are squashed over all keys together."""


@rule("SW101", "inner-dims-differ", frozenset({"matmul", "dot"}))
def check(case: Case) -> Finding | None:
    if case.call.kind == "dot":
        return _of_batches(case)
    if len(case.shapes) < 2 or min(len(shape) for shape in case.shapes[-2:]) < 1:
        return None
    left, right = case.shapes[-2:]
    transposed = bool(case.facts.get("transpose_a")), bool(case.facts.get("transpose_b"))
    row, column = axes.matmul_axes(left, right, *transposed)
    inner, outer = left[row], right[column]
    first, second = case.call.operands[-2:]
    if axes.differ(inner, outer):
        assert inner is not None and outer is not None
        return Finding(
            headline=f"{case.name}: {case.called(first, 'the left side')} ends in {inner}, "
            f"{case.called(second, 'the right side')} starts its product with {outer}",
            explanation=f"{_written(left, right, transposed)} needs {inner} and {outer} to be equal."
            f"{_if_transposed(right, column, inner, transposed[1])}{_if_attention(case, inner, outer)}",
            own=tuple(_otherwise_transposed(case, left, right, transposed)),
            wants=(Want(first, {row: Range.only(outer)}, 0), Want(second, {column: Range.only(inner)}, 1)),
        )
    return None


def _written(left: Shape, right: Shape, transposed: tuple[bool, bool]) -> str:
    """`[8, 32, 16] @ [8, 32, 8] transposed`, of a product that transposes its right side."""
    return " @ ".join(text(shape) + " transposed" * flag for shape, flag in zip((left, right), transposed, strict=True))


def _if_transposed(right: Shape, column: int, inner: int, transposed: bool) -> str:
    other = 2 * len(right) - 3 - column  # the other one of the last two axes
    if len(right) < 2 or right[other] != inner:
        return ""
    return f" {'Not transposed' if transposed else 'Transposed'}, the right one would fit."


def weighs_values(case: Case) -> bool:
    """Whether the left side of a product are the weights of an attention: squashed, and of nothing changed since."""
    value = case.call.operands[0]
    for _ in range(4):
        unit = case.graph.producer.get(value)
        if case.call.kind != "matmul" or unit is None or not unit.operands:
            return False
        if unit.kind == "squash":
            return len(case.recording.shape(value)) > 2 and unit.name not in _OF_GATES
        if unit.kind not in ("dropout", "same", "identity"):
            return False
        value = unit.operands[0]
    return False


def _if_attention(case: Case, inner: int, outer: int) -> str:
    if not weighs_values(case):
        return ""
    return f" These are weights over {inner} keys for {outer} values: both are to come from one sequence."


def _otherwise_transposed(
    case: Case, left: Shape, right: Shape, transposed: tuple[bool, bool]
) -> Iterator[tuple[Edit, ...]]:
    """A side not transposed that now is, where that fits. The other way round is proposed to nobody: most frameworks'
    products have no such argument, and one that is not set leaves no trace of it."""
    for side, name in enumerate(("transpose_a", "transpose_b")):
        flags = [flag and at != side for at, flag in enumerate(transposed)]
        one, other = axes.matmul_inner(left, right, *flags)
        if transposed[side] and one is not None and one == other:
            yield (SetCall(case.call.place, name, False, True),)


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
        own=tuple(_along_others(case, left, right, (one, other))),
        wants=(
            Want(case.call.operands[0], {one: Range.only(right[other] or 1)}, 0),
            Want(case.call.operands[1], {other: Range.only(left[one] or 1)}, 1),
        ),
    )


def _along_others(case: Case, left: Shape, right: Shape, present: tuple[int, int]) -> Iterator[tuple[Edit, ...]]:
    """Other axes of equal sizes for a layer that multiplies along given ones; first those of which one is as it was."""
    pairs = [(i, j) for i in range(1, len(left)) for j in range(1, len(right)) if left[i] == right[j] is not None]
    for pair in sorted(pairs, key=lambda pair: (pair[0] != present[0]) + (pair[1] != present[1])):
        yield (case.set("axes", pair),)
