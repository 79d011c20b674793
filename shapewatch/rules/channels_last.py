"""An image is given with its channels on the last axis to a layer that wants them on axis 1.

## What it means
PyTorch's convolutions read [batch, channels, height, width]; images from files, PIL, OpenCV and Keras are
[batch, height, width, channels].

## Why
Nothing says which axis is which but the order; the layer sees an image of 224 channels.

## Bad
    nn.Conv2d(3, 8, 3)(torch.ones(2, 32, 32, 3))

## Good
    nn.Conv2d(3, 8, 3)(torch.ones(2, 32, 32, 3).permute(0, 3, 1, 2))
"""

from __future__ import annotations

from shapewatch import axes
from shapewatch.edits import Input
from shapewatch.recording import text
from shapewatch.rules.conv_channels_differ import conv_expects
from shapewatch.rules.rule import Case, Finding, rule

_POSITIONS = {1: "length", 2: "height, width", 3: "depth, height, width"}


@rule("SW702", "channels-last", frozenset({"conv", "conv_transpose"}))
def check(case: Case) -> Finding | None:
    if not case.shapes:
        return None
    shape, expected, rank = case.shapes[0], *conv_expects(case)
    if expected is None or rank is None or len(shape) != rank + 2:
        return None
    order = axes.moved_channels(shape, expected)
    if order is None:
        return None
    value, recording = case.call.operands[0], case.recording
    if value not in recording.inputs:
        return None  # further in, a map whose last axis has that size is a coincidence
    moved = tuple(shape[axis] for axis in order)
    return Finding(
        headline=f"{case.name} takes {expected} channels on axis 1, and they are on the last axis",
        explanation=f"Its input {text(shape)} looks like [batch, {_POSITIONS[rank]}, channels]; as {text(moved)} it "
        "would fit.",
        own=((Input(recording.inputs.index(value), "permute", {"dims": order}, moved),),),
    )
