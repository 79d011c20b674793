"""A linear layer is given vectors of another width than it was made for.

## What it means
`Linear(in_features, out_features)` needs the last axis of its input to be `in_features` long.

## Why
Its weight has one column for each number of the input vector. After a flatten that number is channels times height
times width, so it moves with the input's size and with every stride before it.

## Bad
    nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(800, 10))(torch.ones(2, 3, 10, 10))

## Good
    nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(512, 10))(torch.ones(2, 3, 10, 10))

## What it can be confused with
`inner-dims-differ`, which is the same of a product of two tensors. `target-rank-differs`: without a flatten a linear
layer works on the last axis alone, and runs; the loss is what fails then.
"""

from __future__ import annotations

import math

from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.edits import Edit, Insert, Module
from shapewatch.recording import text
from shapewatch.rules.built import how_built, takes
from shapewatch.rules.flattened import made_for
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW102", "input-width-differs", frozenset({"linear"}))
def check(case: Case) -> Finding | None:
    shape = case.shapes[0] if case.shapes else ()
    expected = _expected(case)
    if not shape or expected is None or shape[-1] in (None, expected):
        return None
    own: list[tuple[Edit, ...]] = []
    hint = ""
    if case.layer is not None:
        own += case.sets(in_features=shape[-1])
        for axis in range(1, len(shape) - 1):
            if None not in shape and math.prod(size or 0 for size in shape[axis:]) == expected:
                own.insert(0, (Insert(case.call.place, 0, Module("flatten", {"start_dim": axis})),))
                hint = f" Axes {axis} to {len(shape) - 1} together are {expected} long: a flatten is missing before it."
                break  # axes of size 1 in front of the others are laid together with them
    fitting = made_for(case, expected)
    if fitting and not hint:
        hint = f" {expected} is {fitting}: what it was made for is the same network on another size."
    return Finding(
        headline=f"{case.name} {takes(case)} vectors of {expected} and is given {shape[-1]}",
        explanation=f"Its input is {text(shape)}; the last axis should be {expected} long.{hint}"
        f"{how_built(case, len(shape) - 1)}",
        own=tuple(own),
        own_doubt=0.5 if fitting else 0.0,
        wants=(Want(case.call.operands[0], {len(shape) - 1: Range.only(expected)}),),
    )


def _expected(case: Case) -> int | None:
    if case.layer is not None:
        width = case.facts.get("in_features")
        return width if isinstance(width, int) else None
    return case.shapes[1][-1] if len(case.shapes) > 1 and case.shapes[1] else None
