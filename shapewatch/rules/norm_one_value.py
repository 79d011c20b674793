"""A normalization is given one value for each channel, and there is nothing to compute a variance of.

## What it means
In training, batch normalization takes mean and variance over the batch and all positions. A batch of one item with
1 x 1 positions (or none) is one number for each channel. In `eval()` mode the running statistics are used, and one item
is enough.

## Why
The last batch of an epoch has one item left (`drop_last=True` leaves it out), a single item is given for a test without
`model.eval()`, or everything was pooled to one position before the normalization.

## Bad
    nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8))(torch.ones(1, 4))

## Good
    nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8)).eval()(torch.ones(1, 4))

## What it can be confused with
`norm-size-differs`: the number of channels is another one.
"""

from __future__ import annotations

import math

from shapewatch.edits import Edit, Input
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW507", "norm-one-value", frozenset({"norm"}))
def check(case: Case) -> Finding | None:
    shape, facts = case.shapes[0] if case.shapes else (), case.facts
    style = facts.get("style")
    if case.call.finished or style not in ("batch", "instance") or len(shape) < 2 or None in shape:
        return None
    channels = facts.get("num_features")
    if style == "batch" and channels not in (None, shape[1]):
        return None
    counted = shape[2:] if style == "instance" else (shape[0], *shape[2:])
    if math.prod(size or 0 for size in counted) != 1:
        return None
    where = "one position" if style == "instance" else "one item, of one position"
    remedy = (
        "An instance norm takes each item by itself, so a larger batch is no help: leave it out here, or place it "
        "before what leaves one position."
        if style == "instance"
        else "Give it a batch of two or more (`drop_last=True` in the loader), or `model.eval()` where nothing is to "
        "be learned."
    )
    return Finding(
        headline=f"{case.name} normalizes over {where}: one value for each of {shape[1]} channels",
        explanation=f"Its input is {text(shape)}, and it is training: a mean of one value leaves nothing. {remedy}",
        own=tuple(_two_items(case)) if style == "batch" else (),
    )


def _two_items(case: Case) -> list[tuple[Edit, ...]]:
    """Every input that has one item, with two."""
    recording = case.recording
    shapes = [recording.shape(number) for number in recording.inputs]
    edits = [
        Input(index, "size", {"plain": True}, (2, *shape[1:]))
        for index, shape in enumerate(shapes)
        if shape[:1] == (1,)
    ]
    return [tuple(edits)] if edits else []
