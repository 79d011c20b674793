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
"""

from __future__ import annotations

from shapewatch.axes import Range
from shapewatch.demand import Want, norm_axes
from shapewatch.edits import Edit
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW502", "norm-size-differs", frozenset({"norm"}))
def check(case: Case) -> Finding | None:
    if not case.shapes or not case.shapes[0]:
        return None
    shape, facts = case.shapes[0], case.facts
    if case.layer is None:
        return _functional(case)
    style = facts.get("style")
    if style == "layer":
        wanted = tuple(facts.get("normalized_shape", ()))
        own: tuple[tuple[Edit, ...], ...] = ()
        axes = norm_axes(shape, facts)
        given = tuple(shape[axis] for axis in axes if 0 <= axis < len(shape))
        if given == wanted or None in given:
            return None
        if len(given) == len(wanted):
            own = ((case.set("normalized_shape", given),),)
    elif style in ("batch", "group", "instance"):
        wanted = (facts.get("num_features", facts.get("num_channels")),)
        axes = (1,) if len(shape) > 1 else (0,)
        given = (shape[axes[0]],)
        groups = facts.get("num_groups", 1)
        if given == wanted or None in (*given, *wanted):
            return None
        name = "num_features" if "num_features" in facts else "num_channels"
        own = ((case.set(name, given[0]),),) if (given[0] or 0) % groups == 0 else ()
    else:
        return None
    return Finding(
        headline=f"{case.name} normalizes {_size(wanted)} and is given {_size(given)}",
        explanation=f"Its input is {text(shape)}; axis {', '.join(map(str, axes))} should be {_size(wanted)}.",
        own=own,
        wants=(
            Want(
                case.call.operands[0],
                {axis: Range.only(size) for axis, size in zip(axes, wanted, strict=False) if shape[axis] != size},
            ),
        ),
    )


def _functional(case: Case) -> Finding | None:
    """`F.batch_norm` and its like with weights that somebody's own layer keeps."""
    shape = case.shapes[0]
    weights = [s for s in case.shapes[1:] if len(s) == 1]
    axis = len(shape) - 1 if case.call.name == "layer_norm" else min(1, len(shape) - 1)
    if not weights or weights[0][0] in (None, shape[axis]):
        return None
    return Finding(
        headline=f"{case.name} normalizes {weights[0][0]} and is given {shape[axis]}",
        explanation=f"Its input is {text(shape)} and its weight {text(weights[0])}.",
        wants=(Want(case.call.operands[0], {axis: Range.only(weights[0][0] or 1)}),),
    )


def _size(sizes: tuple[int | None, ...]) -> str:
    return str(sizes[0]) if len(sizes) == 1 else text(sizes)
