"""Two images, or an image and its mask, that meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from shapewatch.messages.faults import causes, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, Cause, Evidence
from shapewatch.messages.faults.meeting.nouns import Meeting
from shapewatch.messages.faults.sizes import ENCODERS
from shapewatch.messages.faults.wording import shaped
from shapewatch.recording import Shape

BORDER = Cause(
    "a slice is counted with its last entry on one side and without it on the other, or is cut off at the border of "
    "the image",
    "Give both slices the same beginning and end, clipped to the image.",
    "Print the ends of both slices.",
)
OTHER_PICTURES = Cause(
    "the two images (or maps) are of different sizes: an image and its mask, an output and what it is compared with, a "
    "foreground and a background",
    "Resize or crop one to the other's size first; a resize takes (width, height) in some libraries.",
    "Print both shapes, and the files they come from.",
)
SHORT_SIDE = Cause(
    "a resize with a single number sets the shorter side only and keeps the proportions, so what is not square does "
    "not become square",
    "Give it both sides.",
    "Print the shape after the resize for an image that is not square.",
    {"torch": "transforms.Resize((size, size))    # in place of transforms.Resize(size)"},
)

COLOURS = (1, 3, 4)
"""Numbers of channels that images have; 2 is as often something else."""
LEAST_SIDE = 16

Layout = Literal["channels first", "channels last"]


def of_pictures(met: Meeting) -> Iterator[Evidence]:
    if met.left is None or met.right is None or sizes.is_reordered(met.left, met.right) or met.are_other_filters:
        return
    short, long = sorted((met.left, met.right), key=len)
    if len(short) == 2 and len(long) == 3 and short in (long[:-1], long[1:]):
        return  # one image, with an axis of colours and without
    one, other = _layout(met.left), _layout(met.right)
    if one and other:
        yield from _of_images(met, met.left, met.right, one, other)
    elif met.framework == "numpy" and met.rank in (2, 3) and len(met.apart) > 1:
        # arrays of NumPy have no batch as a rule: two or three axes are an image's
        if all(abs(a - b) == 1 for _, a, b in met.apart):
            yield BORDER.since(f"{met.differing}: each by one", FITS + 0.1)
        yield OTHER_PICTURES.since(f"{met.differing}: both sides, if these are images", FITS + 0.06)


def _layout(shape: Shape) -> Layout | None:
    """How an image lies, if its sizes look like one's: one, three or four channels beside two sides. It may stand in a
    batch."""
    if len(shape) not in (3, 4) or None in shape[-3:]:
        return None
    first, middle, last = (size or 0 for size in shape[-3:])
    # a batch of one or of four, and tokens
    features = first in (1, 4) and len(shape) == 3 and last in ENCODERS and middle != last
    if first in COLOURS and min(middle, last) >= LEAST_SIDE and not features:
        return "channels first"
    return "channels last" if last in COLOURS and min(first, middle) >= LEAST_SIDE else None


def _of_images(met: Meeting, left: Shape, right: Shape, one: Layout, other: Layout) -> Iterator[Evidence]:
    if one != other:
        first, last = (left, right) if one == "channels first" else (right, left)
        seen = f"{shaped(first)} reads as an image with its channels first, {shaped(last)} as one with them last"
        yield causes.CHANNELS_LAST.since(seen, NUMBERS + 0.06 if first[-2:] == last[-3:-1] else FITS + 0.05)
        return
    sides = [(a, b) for a, b in zip(_sides(left, one), _sides(right, one), strict=True) if a != b]
    if not sides:
        return
    if met.framework == "numpy" and all(abs(a - b) == 1 for a, b in sides):
        yield BORDER.since(f"{met.differing}: each by one", FITS + 0.1)
    yield OTHER_PICTURES.since(f"{shaped(left)} and {shaped(right)} read as images of other sides", FITS + 0.12)
    if len(sides) == 1 and (a := _square(left, one)) != (b := _square(right, one)) and (side := a or b):
        square = f"one is {side} x {side}, and the other has {side} on one side alone"
        yield SHORT_SIDE.since(square, FITS + 0.1)
    yield causes.OTHER_RESOLUTION.since(f"{met.differing}: one of them has the size that is configured", COMMON + 0.02)


def _sides(shape: Shape, layout: Layout) -> tuple[int, int]:
    height, width = shape[-2:] if layout == "channels first" else shape[-3:-1]
    return height or 0, width or 0


def _square(shape: Shape, layout: Layout) -> int | None:
    height, width = _sides(shape, layout)
    return height if height == width else None
