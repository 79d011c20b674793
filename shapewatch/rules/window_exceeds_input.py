"""A convolution or pooling window is larger than what it slides over, or its result would be empty.

## What it means
With its padding, the input must be at least as large as the dilated kernel.

## Why
The input was too small for the network's depth, or the layers before shrank it more than was meant.

## Bad
    nn.Sequential(nn.MaxPool2d(4), nn.Conv2d(3, 8, 5))(torch.ones(2, 3, 12, 12))

## Good
    nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(3, 8, 5))(torch.ones(2, 3, 12, 12))

## What it can be confused with
`padding-exceeds-input`: a padding by reflection, not a window, is larger than the map.
"""

from __future__ import annotations

from typing import Any

from shapewatch.axes import UNBOUNDED, Range, window_least
from shapewatch.demand import Want
from shapewatch.edits import Edit
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW503", "window-exceeds-input", frozenset({"conv", "pool"}))
def check(case: Case) -> Finding | None:
    facts, layout, kernel = case.facts, case.layout, case.facts.get("kernel_size")
    if case.layer is None and case.call.kind == "conv" and kernel is None and len(case.shapes) > 1:
        kernel = case.shapes[1][:-2] if facts.get("channels_last") else case.shapes[1][2:]
    padding, dilation = facts.get("padding", 0), facts.get("dilation", 1)
    if not case.shapes or layout is None or kernel is None or not layout.fits(case.shapes[0]):
        return None
    if isinstance(padding, str) and padding not in ("same", "valid", "causal"):
        return None
    shape = case.shapes[0]
    demand, needs = {}, []
    for index, axis in enumerate(layout.spatial(shape)):
        k, d = _at(kernel, index), _at(dilation, index)
        least = window_least(k, padding if isinstance(padding, str) else _at(padding, index), d)
        size = shape[axis]
        if size is not None and size < least:
            demand[axis] = Range(least, UNBOUNDED)
            needs.append(f"{size} on axis {axis}, where {least} is the least")
    if not demand:
        return None
    return Finding(
        headline=f"{case.name} slides a window of {_short(kernel)} over {' and '.join(needs)}",
        explanation=f"Its input is {text(shape)}; with padding {_short(padding)} the window does not fit into it once.",
        own=tuple(_own(case, demand, layout.rank)),
        own_doubt=0.5,  # a window seldom shrinks to what is left of the map: the map was meant to be larger
        wants=(Want(case.call.operands[0], demand),),
    )


def _own(case: Case, demand: dict[int, Range], rank: int) -> list[tuple[Edit, ...]]:
    if case.layer is None:
        return []
    shape, facts = case.shapes[0], case.facts
    smallest = min(shape[axis] or 1 for axis in demand)
    own: list[tuple[Edit, ...]] = []
    for kernel in (3, 1) if smallest >= 3 else (smallest,):
        own.append((case.set("kernel_size", (kernel,) * rank),))
    if any(_at(facts.get("dilation", 1), index) > 1 for index in range(rank)):
        own.append((case.set("dilation", (1,) * rank),))
    padding: Any = tuple((_at(facts["kernel_size"], i) - 1) // 2 for i in range(rank))
    own.append((case.set("padding", "same" if isinstance(facts.get("padding"), str) else padding),))
    return own


def _at(setting: object, index: int) -> int:
    value = setting[min(index, len(setting) - 1)] if isinstance(setting, tuple | list) else setting
    return value if isinstance(value, int) else 0


def _short(setting: object) -> str:
    if isinstance(setting, tuple | list):
        return "x".join(str(size) for size in setting)
    return f'"{setting}"' if isinstance(setting, str) else str(setting)
