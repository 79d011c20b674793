"""A view asks for axes to be joined whose elements do not lie one after the other in memory.

## What it means
`view` gives the same memory another shape. After a `permute`, `transpose` or `expand` the elements of neighbouring axes
are no longer neighbours, and no view joins such axes.

## Why
The axes were moved before. `reshape` copies where it has to. Look at the order first: after a `permute` the elements
come in the new order, which may not be what is meant.

## Bad
    torch.ones(2, 3, 4).permute(0, 2, 1).view(2, 12)

## Good
    torch.ones(2, 3, 4).permute(0, 2, 1).reshape(2, 12)

## What it can be confused with
`reshape-count-differs`: the numbers of elements differ, and no reshape helps.
"""

from __future__ import annotations

import math

from shapewatch import axes
from shapewatch.edits import Insert, Module
from shapewatch.recording import Call, text
from shapewatch.rules.rule import Case, Finding, rule

_MOVES = frozenset({"permute", "expand", "index", "split"})


@rule("SW302", "view-not-contiguous", frozenset({"reshape"}))
def check(case: Case) -> Finding | None:
    target = case.facts.get("shape")
    if case.call.name != "view" or case.call.finished or not case.shapes or not isinstance(target, tuple):
        return None
    count = axes.elements(case.shapes[0])
    fixed = math.prod(size for size in target if size != -1)
    if count is None or not fixed or (count % fixed if -1 in target else count != fixed):
        return None
    moved = _moved(case)
    if moved is None:
        return None
    where = f" in {moved.layer}" if moved.layer else ""
    wanted = text(tuple(None if size == -1 else size for size in target))
    return Finding(
        headline=f"{case.name}: {text(case.shapes[0])} does not lie in memory as {wanted} would",
        explanation=f"The sizes fit. But `{moved.name}`{where} moved the axes, and left the elements where they were. "
        "`reshape` copies them where a view cannot be had; `.contiguous().view(...)` is the same.",
        own=((Insert(case.call.place, 0, Module("contiguous")),),),
    )


def _moved(case: Case) -> Call | None:
    """The call before that moved axes, or took a part of them, without a copy."""
    value = case.call.operands[0]
    for _ in range(8):
        unit = case.graph.producer.get(value)
        if unit is None or not unit.operands:
            return None
        if unit.kind in _MOVES:
            return unit
        value = unit.operands[0]
    return None
