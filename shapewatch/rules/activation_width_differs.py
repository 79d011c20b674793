"""A PReLU keeps a slope for each channel, and is given another number of channels.

## What it means
`PReLU(num_parameters)` needs axis 1 of its input to be that long, unless it keeps one slope for all.

## Why
It follows the layer before it, so one of the two was made for another width.

## Bad
    nn.PReLU(8)(torch.ones(2, 6, 4, 4))

## Good
    nn.PReLU(6)(torch.ones(2, 6, 4, 4))
"""

from __future__ import annotations

from shapewatch.axes import Range
from shapewatch.demand import Want, prelu_axis
from shapewatch.recording import text
from shapewatch.rules.built import how_built
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW504", "activation-width-differs", frozenset({"prelu"}))
def check(case: Case) -> Finding | None:
    slopes = case.facts.get("num_parameters")
    if case.layer is None or not case.shapes or len(case.shapes[0]) < 2 or not isinstance(slopes, int):
        return None
    shape = case.shapes[0]
    axis = prelu_axis(shape, case.facts)
    if slopes == 1 or shape[axis] in (None, slopes):
        return None
    return Finding(
        headline=f"{case.name} keeps a slope for {slopes} channels and is given {shape[axis]}",
        explanation=f"Its input is {text(shape)}; axis {axis} should be {slopes} long.{how_built(case, axis)}",
        own=(*case.sets(num_parameters=shape[axis]), *case.sets(num_parameters=1)),
        wants=(Want(case.call.operands[0], {axis: Range.only(slopes)}),),
    )
