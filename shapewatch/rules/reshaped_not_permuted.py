"""A reshape writes down axes in another order, and moves no number.

## What it means
`view(n, h, w, c)` of `[n, c, h, w]` has the right sizes and the wrong numbers in them: a reshape reads them in the old
order. What is now called a pixel is a run of one channel.

## Why
Axes change their order with `permute` or `transpose`. Heads are split off with a `view` first and a `transpose`
after it, and joined again by a `transpose` first.

## Bad
    x = nn.Conv2d(3, 6, 1)(torch.ones(2, 3, 5, 7)); x.view(2, 5, 7, 6)

## Good
    x = nn.Conv2d(3, 6, 1)(torch.ones(2, 3, 5, 7)); x.permute(0, 2, 3, 1)

## Bad in Keras
    layers.Reshape((6, 5, 7))(layers.Conv2D(6, 1)(keras.Input((5, 7, 3))))

## Good in Keras
    layers.Permute((3, 1, 2))(layers.Conv2D(6, 1)(keras.Input((5, 7, 3))))
"""

from __future__ import annotations

import math
from itertools import pairwise

from shapewatch.flow.lineage import dealt
from shapewatch.recording import Shape, text
from shapewatch.rules.rule import Case, Finding, rule

Sizes = tuple[int, ...]


@rule("SW392", "reshaped-not-permuted", frozenset({"reshape"}), severity="warning")
def check(case: Case) -> Finding | None:
    if not case.call.operands or not case.call.results:
        return None
    value, result = case.call.operands[0], case.call.results[0]
    before, after = case.recording.shape(value), case.recording.shape(result)
    lineage = case.graph.lineage
    if None in before[1:] or None in after[1:] or len(before) < 3 or not after or lineage.batch_axes(value)[:1] != (0,):
        return None
    if before[0] == after[0]:  # a batch that is not known is the same on both sides
        before, after = (1, *before[1:]), (1, *after[1:])
    elif None in (before[0], after[0]):
        return None
    way = _other_order(_known(before[1:]), _known(after[1:])) if before[0] == after[0] else None
    if way is None and not refines(_known(before), _known(after)):
        way = "There is no cutting and joining of neighbouring axes that gives these sizes."
    if _cuts_features(case, value, _known(before), _known(after)):
        return None
    before, after = case.recording.shape(value), case.recording.shape(result)
    if way is None or _is_shifted(case, value) or _is_undone(case, value, before, after):
        return None
    return Finding(
        headline=f"{case.name} calls {text(before)} {text(after)}: other axes, and no number moved",
        explanation=f"{way} A reshape keeps the order in which the numbers lie, so what is now one axis holds parts "
        "of several; `permute` or `transpose` moves them.",
        severity="warning",
        by_chance=True,
    )


def refines(before: Sizes, after: Sizes) -> bool:
    """Whether a reshape only cuts axes and joins neighbours: the numbers of elements behind each cut, of both shapes
    together, divide one another."""
    cuts = sorted({math.prod(sizes[axis:]) for sizes in (before, after) for axis in range(len(sizes) + 1)})
    return all(more % less == 0 for less, more in pairwise(cuts) if less)


def _cuts_features(case: Case, value: int, before: Sizes, after: Sizes) -> bool:
    """Whether maps whose channels are last are cut along these alone, for rows of a box each: `[H, W, anchors * 4]` as
    `[H * W * anchors, 4]`. That a map is 4 high too says nothing then."""
    layout, made = case.graph.layout, case.graph.producer.get(value)
    moved = made is not None and made.kind == "permute"
    last = moved or (layout is not None and layout.channels_last)
    return last and len(before) == 4 and len(after) == 3 and before[-1] % (after[-1] or 1) == 0


def _is_shifted(case: Case, value: int) -> bool:
    """Whether the axis was made longer first: the way in which relative positions are shifted row by row."""
    for _ in range(6):
        unit = case.graph.producer.get(value)
        if unit is None or not unit.operands:
            return False
        if unit.kind == "pad":
            return True
        if unit.kind in ("concat", "stack"):
            return not all(case.graph.is_activation(operand) for operand in unit.operands)
        if unit.kind not in ("reshape", "flatten", "same", "index"):
            return False
        value = unit.operands[0]
    return False


def _known(sizes: Shape) -> Sizes:
    return tuple(size or 0 for size in sizes)


def _other_order(before: Sizes, after: Sizes) -> str | None:
    """How the second can be had of the first by moving axes, in words; None where it needs no moving, or more.

    Only where the sizes have one reading: all of them the same, or one axis cut or joined beside one that moved.
    """
    if 1 in before or 1 in after or len(set(before)) < 2:
        return None
    if len(before) == len(after):
        return f"{_all(before)} become {_all(after)}." if sorted(before) == sorted(after) and before != after else None
    if len(after) == 3 and len(before) == 2:
        first, second = before
        a, b, c = after
        if b == first and a * c == second and a != first:
            return f"{second} is cut into {a} and {c}, and {first} comes to stand between them."
        if a == second and b * c == first and second != first and b != second:
            return f"{first} is cut into {b} and {c}, and {second} comes to stand before them."
    if len(before) == 3 and len(after) == 2:
        a, b, c = before
        first, second = after
        if b == first and a * c == second and a != first:
            return f"{a} and {c} are joined across {b}, which stood between them."
        if second == a and first == b * c and a != first and c != a:
            return f"{b} and {c} are joined, and {a} comes to stand behind them."
    return None


def _all(sizes: Sizes) -> str:
    return " × ".join(str(size) for size in sizes)


def _is_undone(case: Case, value: int, before: Shape, after: Shape) -> bool:
    """Whether the order is the old one again: the operand was reshaped out of what the reshape gives back."""
    unit = case.graph.producer.get(value)
    for _ in range(6):
        if unit is None or not unit.operands:
            return False
        if unit.kind == "reshape":
            earlier = case.recording.shape(unit.operands[0])
            labels = case.graph.lineage.axes(unit.operands[0])
            return earlier == after and dealt(labels, before) is not None
        if case.recording.shape(unit.operands[0]) != before:
            return False
        unit = case.graph.producer.get(unit.operands[0])
    return False
