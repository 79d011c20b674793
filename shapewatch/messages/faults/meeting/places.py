"""Large counts on one axis: the places of an image, the frames of a clip, the boxes of a detector's levels."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, Evidence

PRIORS = frozenset({1917, 3234, 8732, 16800, 24564})
"""Boxes of single-shot detectors: SSD with MobileNet, at 300 and 512, RetinaFace."""


def _of_levels(a: int, b: int) -> str | None:
    """Of detectors: all places of the levels with strides 8, 16 and 32 are multiples of 16 + 4 + 1."""
    if {a, b} & PRIORS:
        return f"{min({a, b} & PRIORS)} are the boxes of a single-shot detector"
    if min(a, b) >= 341 * 9 and a % 341 == b % 341 == 0:
        return "multiples of 341 = 256 + 64 + 16 + 4 + 1, the places of a detector's five levels"
    if min(a, b) >= 21 * 16 and a % 21 == b % 21 == 0 and not a % 11025 == b % 11025 == 0:
        return "multiples of 21 = 16 + 4 + 1, the places of a detector's three levels"
    return None


def of_rows_of_places(a: int, b: int, seen: str, steps: bool) -> Iterator[Evidence]:
    """Tokens of images and clips: rows (or frames) of one length, one more on one side."""
    if (levels := _of_levels(a, b)) is not None:
        yield causes.OTHER_RESOLUTION.since(f"{seen}: {levels}, as many as the image size makes", NUMBERS)
        yield causes.OTHER_SETTING.since(f"{seen}: {levels}, and of its levels and anchors", FITS, expected=b, got=a)
        return
    if max(a, b) <= 1000 or not (rows := sizes.rows_apart(a, b)) or (sizes.is_width(a) and sizes.is_width(b)):
        return
    row, fewer = rows
    counted = f"{seen}: {fewer} and {fewer + 1} times {row}"
    sides = f"{counted}, as rows of a side that is rounded up on one way"
    yield causes.ODD_SIZE.since(sides, COMMON + 0.1 if steps else NUMBERS if fewer >= 16 else FITS)
    if fewer <= 64:
        frames = f"{counted}, as frames of a clip (models of video mostly take a multiple of four and one)"
        yield causes.OTHER_LENGTH.since(frames, NUMBERS - 0.03 if fewer <= 32 else FITS + 0.06)
