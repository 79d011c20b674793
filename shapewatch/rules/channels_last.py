"""An image is given with its channels on the last axis to a layer that wants them on axis 1, or the other way round.

## What it means
PyTorch's convolutions read [batch, channels, height, width]; images from files, PIL, OpenCV and Keras are
[batch, height, width, channels], and so Keras's layers read them unless told otherwise.

## Why
Nothing says which axis is which but the order; the layer sees an image of 224 channels.

## Bad
    nn.Conv2d(3, 8, 3)(torch.ones(2, 32, 32, 3))

## Good
    nn.Conv2d(3, 8, 3)(torch.ones(2, 32, 32, 3).permute(0, 3, 1, 2))

## What it can be confused with
`conv-channels-differ`: no axis of the input has as many channels as the layer takes.
"""

from __future__ import annotations

from shapewatch.edits import Input
from shapewatch.flow.layout import Layout, misplaced_channels
from shapewatch.recording import text
from shapewatch.rules.conv_channels_differ import conv_expects
from shapewatch.rules.rule import Case, Finding, rule


@rule("SW702", "channels-last", frozenset({"conv", "conv_transpose"}))
def check(case: Case) -> Finding | None:
    if not case.shapes:
        return None
    shape, expected, layout = case.shapes[0], *conv_expects(case)
    order = None if expected is None or layout is None else misplaced_channels(shape, expected, layout)
    if order is None or layout is None:
        return None
    value, recording = case.call.operands[0], case.recording
    if value not in recording.inputs:
        return None  # further in, a map whose axis at the other end has that size is a coincidence
    moved = tuple(shape[axis] for axis in order)
    here, there = ("the last axis", "axis 1") if layout.channels_last else ("axis 1", "the last axis")
    looks = ", ".join(Layout(layout.rank, not layout.channels_last).names(shape))
    return Finding(
        headline=f"{case.name} takes {expected} channels on {here}, and they are on {there}",
        explanation=f"Its input {text(shape)} looks like [{looks}]; as {text(moved)} it would fit.",
        own=((Input(recording.inputs.index(value), "permute", {"dims": order}, moved),),),
    )
