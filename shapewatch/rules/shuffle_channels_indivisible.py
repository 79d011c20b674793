"""A pixel shuffle is given channels that its factor does not divide.

## What it means
`PixelShuffle(r)` makes r x r positions out of r x r channels, so the channels have to be a multiple of r x r.

## Why
The convolution before it was made for another factor, or for another number of channels after the shuffle.

## Bad
    nn.PixelShuffle(3)(torch.ones(2, 8, 4, 4))

## Good
    nn.PixelShuffle(2)(torch.ones(2, 8, 4, 4))
"""

from __future__ import annotations

from shapewatch.axes import Range
from shapewatch.demand import Want
from shapewatch.edits import Edit, SetCall
from shapewatch.flow.layout import Layout
from shapewatch.recording import text
from shapewatch.rules.rule import Case, Finding, rule


def _set(case: Case, factor: int) -> Edit:
    if case.layer is not None:
        return case.set("upscale_factor", factor)
    return SetCall(case.call.place, "upscale_factor", factor, case.facts.get("upscale_factor"))


@rule("SW505", "shuffle-channels-indivisible", frozenset({"pixel_shuffle"}))
def check(case: Case) -> Finding | None:
    factor = case.facts.get("upscale_factor")
    shape = case.shapes[0] if case.shapes else ()
    axis = Layout(2, bool(case.facts.get("channels_last"))).channels(shape)
    if not isinstance(factor, int) or len(shape) < 3 or shape[axis] is None:
        return None
    channels, square = shape[axis] or 0, factor * factor
    if channels % square == 0:
        return None
    # a multiple of the factor alone has one factor too few: `channels * scale` for `channels * scale**2`
    wanted = channels * factor if channels % factor == 0 else max(square, round(channels / square) * square)
    others = [r for r in (2, 3, 4) if r != factor and channels % (r * r) == 0]
    return Finding(
        headline=f"{case.name} needs a multiple of {square} channels and is given {channels}",
        explanation=f"Its input is {text(shape)}; {square} channels of a pixel become {factor} x {factor} pixels.",
        own=tuple((_set(case, r),) for r in others),
        wants=(Want(case.call.operands[0], {axis: Range.only(wanted)}),),
    )
