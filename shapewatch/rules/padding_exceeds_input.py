"""A tensor is to be padded with more of itself than there is.

## What it means
Padding by reflection takes its numbers from the tensor, without the edge: at most one less than the axis is long.
Circular padding takes at most all of it. Padding with a constant has no such limit.

## Why
The map has become smaller than the padding was written for: deeper in the network, or with a smaller input.

## Bad
    nn.Sequential(nn.AvgPool2d(2), nn.ReflectionPad2d(4))(torch.ones(1, 3, 8, 8))

## Good
    nn.Sequential(nn.AvgPool2d(2), nn.ReflectionPad2d(3))(torch.ones(1, 3, 8, 8))

## What it can be confused with
`window-exceeds-input`: a window, not a padding, is larger than the map.
"""

from __future__ import annotations

from shapewatch.axes import UNBOUNDED, Range
from shapewatch.demand import Want
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, listed, rule

_AT_MOST = {"reflect": 1, "circular": 0, "symmetric": 0}
"""By how much a padding stays below the size, by its mode."""


@rule("SW508", "padding-exceeds-input", frozenset({"pad"}))
def check(case: Case) -> Finding | None:
    pad, mode = case.facts.get("pad"), case.facts.get("mode", "constant")
    shape = case.shapes[0] if case.shapes else ()
    less = _AT_MOST.get(mode) if isinstance(mode, str) else None
    if less is None or not isinstance(pad, tuple) or len(pad) % 2 or len(pad) > 2 * len(shape):
        return None
    demand, said = {}, []
    for at in range(0, len(pad), 2):
        axis = len(shape) - 1 - at // 2
        size, most = shape[axis], max(pad[at], pad[at + 1])
        if size is not None and most > size - less:
            demand[axis] = Range(most + less, UNBOUNDED)
            said.append(f"by {most} on axis {axis}, which is {size} long")
    if not demand:
        return None
    return Finding(
        headline=f"{case.name} pads {listed(said)}",
        explanation=f"Its input is {text(shape)}; in the mode `{mode}` the numbers come from the input itself.",
        wants=(Want(case.call.operands[0], demand),),
    )
