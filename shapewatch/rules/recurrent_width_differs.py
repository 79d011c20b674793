"""A recurrent layer is given vectors of another width than it was made for.

## What it means
`LSTM(input_size, hidden_size)` needs the last axis of its input to be `input_size` long.

## Why
After a concatenation the widths of the parts add up; after a bidirectional layer the width is twice its hidden size.

## Bad
    nn.LSTM(8, 16)(torch.ones(5, 2, 10))

## Good
    nn.LSTM(10, 16)(torch.ones(5, 2, 10))

## What it can be confused with
`recurrent-state-differs`: the state, not the input, has another shape. `rank-differs`: an axis is missing.
"""

from __future__ import annotations

from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.recording import text
from shapewatch.rules.built import how_built, takes
from shapewatch.rules.flattened import made_for
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW601", "recurrent-width-differs", frozenset({"recurrent"}))
def check(case: Case) -> Finding | None:
    expected = case.facts.get("input_size")
    if case.layer is None or not case.shapes or not case.shapes[0] or not isinstance(expected, int):
        return None
    shape = case.shapes[0]
    last = len(shape) - 1
    if shape[last] not in (None, expected):
        return Finding(
            headline=f"{case.name} {takes(case)} vectors of {expected} and is given {shape[last]}",
            explanation=f"Its input is {text(shape)}; the last axis should be {expected} long.{how_built(case, last)}",
            own=case.sets(input_size=shape[last]),
            own_doubt=0.5 if made_for(case, expected) else 0.0,
            wants=(Want(case.call.operands[0], {last: Range.only(expected)}),),
        )
    return None
