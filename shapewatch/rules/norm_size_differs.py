"""A normalization layer is given another size than it was made for.

## What it means
`BatchNorm2d(num_features)` and `GroupNorm(groups, num_channels)` need axis 1 to be that long; `LayerNorm` needs the
last axes to be its `normalized_shape`.

## Why
It keeps a weight, and perhaps a running mean, for each channel. It follows the layer before it, so one of the two was
made for another width.

## Bad
    nn.BatchNorm2d(8)(torch.ones(2, 6, 4, 4))

## Good
    nn.BatchNorm2d(6)(torch.ones(2, 6, 4, 4))

## What it can be confused with
`norm-one-value`: the channels are right, and there is one value for each.
"""

from __future__ import annotations

from typing import Any

from shapewatch.axes import Range
from shapewatch.demand import Want, norm_axes
from shapewatch.recording import text
from shapewatch.rules.built import how_built
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW502", "norm-size-differs", frozenset({"norm"}))
def check(case: Case) -> Finding | None:
    if not case.shapes or not case.shapes[0]:
        return None
    shape, facts = case.shapes[0], case.facts
    if case.layer is None:
        return _functional(case)
    style = facts.get("style")
    axes = norm_axes(shape, facts)
    given = tuple(shape[axis] for axis in axes if 0 <= axis < len(shape))
    if style == "layer":
        name, wanted = "normalized_shape", tuple(facts.get("normalized_shape") or ())
        new: Any = given
    elif style in ("batch", "group", "instance"):
        name = "num_features" if "num_features" in facts else "num_channels"
        wanted, new = (facts.get(name),), given[0] if given else None
    else:
        return None
    if given == wanted or not wanted or None in (*given, *wanted):
        return None
    fits = len(given) == len(wanted) and (style == "layer" or (new or 0) % facts.get("num_groups", 1) == 0)
    verb = "was built to normalize" if facts.get("lazy") else "normalizes"
    wrong = [axis for axis, size in zip(axes, wanted, strict=False) if 0 <= axis < len(shape) and shape[axis] != size]
    return Finding(
        headline=f"{case.name} {verb} {_size(wanted)} and is given {_size(given)}",
        explanation=f"Its input is {text(shape)}; axis {', '.join(map(str, axes))} should be {_size(wanted)}."
        f"{how_built(case, wrong[0]) if wrong else ''}",
        own=case.sets(**{name: new}) if fits else (),
        wants=(
            Want(
                case.call.operands[0],
                {axis: Range.only(size) for axis, size in zip(axes, wanted, strict=False) if axis in wrong},
            ),
        ),
    )


def _functional(case: Case) -> Finding | None:
    """`F.batch_norm` and its like with weights that somebody's own layer keeps."""
    shape = case.shapes[0]
    weights = [s for s in case.shapes[1:] if len(s) == 1]
    axis = len(shape) - 1 if case.call.name == "layer_norm" else min(1, len(shape) - 1)
    if "axis" in case.facts:
        axis = next(iter(norm_axes(shape, case.facts)), axis)
    if not weights or weights[0][0] in (None, shape[axis]):
        return None
    return Finding(
        headline=f"{case.name} normalizes {weights[0][0]} and is given {shape[axis]}",
        explanation=f"Its input is {text(shape)} and its weight {text(weights[0])}.",
        wants=(Want(case.call.operands[0], {axis: Range.only(weights[0][0] or 1)}),),
    )


def _size(sizes: tuple[int | None, ...]) -> str:
    return str(sizes[0]) if len(sizes) == 1 else text(sizes)
