"""Axes that have changed places, told by two sizes of one axis that count different things."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, counts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, Evidence
from shapewatch.messages.faults.meeting.nouns import Meeting
from shapewatch.messages.faults.relations import TURNED

PLACES = frozenset({49, 196, 257, 577, 729, 784, 1369})
"""Places of a network's last map, and patches of image encoders, which are no usual widths."""
SIDES = frozenset({28, 84, 224, 227, 299, 416, 448, 640})
"""Sides of the images that networks and games come with."""
LATENT_SIDES = (
    (60, 104), (90, 160), (60, 80), (60, 90), (68, 120), (96, 144), (104, 152), (112, 144), (96, 168), (80, 192),
    (45, 80), (30, 52),
)  # fmt: skip
"""Height and width of usual images and clips, divided by 8 or 16."""
USERS_AND_ITEMS = ({943, 1682}, {6040, 3706}, {6040, 3952}, {6040, 3883}, {610, 9724})
"""Of the tables of ratings that examples use."""


def of_turned(met: Meeting, axis: int | None, a: int, b: int, seen: str) -> Iterator[Evidence]:
    if met.rank is not None or axis is None or met.framework != "torch":
        return
    low, high = sorted((a, b))
    if {a, b} in USERS_AND_ITEMS:
        yield causes.SWAPPED.since(f"{seen}: the users and the items of one table of ratings", FITS + 0.06)
    if axis in (2, 3) and (low, high) in LATENT_SIDES:
        yield TURNED.since(f"{seen}: the sides of one usual image, divided by 8 or 16", COMMON + 0.055)
    if axis not in (1, 2):
        return
    widths = [size for size in (a, b) if sizes.is_width(size) or size in sizes.ENCODERS]
    if len(widths) == 1 and {a, b} & PLACES:
        places = f"{seen}: {widths[0]} is a usual width, and the other a number of patches or places"
        yield causes.SWAPPED.since(places, COMMON + 0.065)
    elif low in (2, 3) and high in counts.KEY_POINTS:
        points = f"{seen}: {low} coordinates, and {high} are a usual number of key points"
        yield causes.SWAPPED.since(points, COMMON + 0.015)
    elif high in counts.SERIES and high > 100 and (sizes.is_power_of_two(low) or low == 12):
        series = f"{seen}: {high} series against {low} samples or steps"
        yield causes.SWAPPED.since(series, COMMON + 0.065)
    if high in SIDES and low in (1, 3, 4, 12) and axis == 1:
        image = f"{seen}: {low} channels of an image, or frames, and {high} is a usual side"
        yield causes.CHANNELS_LAST.since(image, COMMON + 0.065)
