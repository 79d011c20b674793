"""What a reshape takes apart, by its sizes: a map into windows, a width into heads, a detector's values into boxes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import gcd

from shapewatch.messages.faults import causes, counts, sizes
from shapewatch.messages.faults.evidence import FITS, NUMBERS, Cause, Evidence
from shapewatch.messages.faults.meeting.classes import CLASS_COUNTS, OTHER_CLASSES
from shapewatch.recording import Shape

NOT_IN_BLOCKS = Cause(
    "height or width of the map is no multiple of the window (patch, block) into which it is cut: a few rows or "
    "columns are left over",
    "Pad the map to a multiple of the window, or feed sides that are multiples of the window times the total stride.",
    "Print the map's height and width and the side of the window.",
    {"torch": "x = F.pad(x, (0, -width % window, 0, -height % window))"},
)
DETECTED = (20, 80)
"""Numbers of classes that detectors' configurations come with: VOC's and COCO's."""


def of_blocks(asked: Shape, given: Shape | None, count: int) -> Iterator[Evidence]:
    """(batch, rows, window, columns, window, channels), in one order or the other: a map is cut into windows."""
    if len(asked) not in (5, 6) or None in asked[1:]:
        return
    for axes in ((1, 2, 3, 4), (2, 3, 4, 5)) if len(asked) == 6 else ((1, 2, 3, 4),):
        rows, side, columns, other = (asked[axis] or 0 for axis in axes)
        rest = [size for axis, size in enumerate(asked) if axis not in axes]
        samples = given[0] if rest[0] is None and given else rest[0]
        others = sizes.product((samples, *rest[1:]))
        if side != other or side < 2 or not rows or not columns or not others or count % others:
            continue
        places = count // others
        for height in range(rows * side, (rows + 1) * side):
            width = places // height
            if places % height == 0 and width // side == columns and (height % side or width % side):
                cut = f"a map of {height} x {width} is cut into windows of {side} x {side}, {rows} by {columns} of them"
                yield NOT_IN_BLOCKS.since(cut, NUMBERS + 0.04)
                return


def of_boxes(count: int, asked: int) -> Iterator[Evidence]:
    """A detector's map: places x anchors x (4 numbers of the box, its score, one for each class)."""
    for anchors, side in product((3, 5, 9), range(76, 6, -1)):
        places = anchors * side * side
        if count % places or asked % places:
            continue
        came, wanted = _classes_of(count // places), _classes_of(asked // places)
        usual = all(1 <= classes <= 200 or classes in CLASS_COUNTS for classes in (came, wanted))
        if usual and came != wanted and (came in DETECTED or wanted in DETECTED):
            boxes = f"{count} = {side} x {side} x {anchors} x (5 + {came}), {asked} has 5 + {wanted} there"
            seen = f"{boxes}: a detector's places, anchors, and box, score and classes of each"
            yield OTHER_CLASSES.since(seen, NUMBERS + 0.02, a=came, b=wanted)
            return


def of_rows(count: int, step: int) -> Iterator[Evidence]:
    """Rows of one width, as far as two counts tell: what both are multiples of."""
    width = gcd(count, step)
    came, wanted = count // width, step // width
    if width < 16 or wanted < 2:
        return
    seen = f"{count} = {came} x {width} and {step} = {wanted} x {width}"
    side = sizes.root(width) or (sizes.root(width // 3) if width % 3 == 0 else None)
    if side is not None and side >= 7 and came < 4 * wanted:
        places = f"{side} x {side} places" + (" and 3 anchors" if side**2 != width else "")
        maps = f"{seen}: {came} values for each of {places}, where {wanted} are expected"
        yield causes.OTHER_SETTING.since(f"{maps}, as of another head", FITS + 0.09, expected=wanted, got=came)
        yield OTHER_CLASSES.since(f"{maps}: a head for other classes", FITS + 0.02, a=came, b=wanted)
    elif wanted <= 16 < came:
        yield NOT_IN_GROUPS.since(f"{seen}: {came} rows of {width} are no multiple of {wanted}", FITS + 0.09)


def of_anchors(asked: Shape, count: int) -> Iterator[Evidence]:
    """(batch, anchors, values, height, width): a map's channels are taken apart into anchors."""
    if len(asked) != 5 or asked[3] != asked[4] or None in asked or (asked[3] or 0) < 7:
        return
    places = sizes.product((asked[0], *asked[3:])) or 0
    wanted, came = sizes.product(asked[1:3]), count // places if places and count % places == 0 else 0
    if came and came != wanted:
        channels = f"{came} channels for each of {asked[3]} x {asked[4]} places, and {asked[1]} x {asked[2]} = {wanted}"
        filters = f"{channels} are asked for: the layer before has not the filters for so many anchors and classes"
        yield causes.OTHER_SETTING.since(filters, NUMBERS - 0.01, expected=wanted, got=came)
        yield causes.OTHER_RELEASE.since(f"{channels} are asked for: weights and code of two releases", FITS - 0.02)


NOT_IN_GROUPS = Cause(
    "the rows are put together in groups (triplets, pairs, views, frames of a clip, heads) and the batch is no "
    "multiple of a group",
    "Choose a batch size that is a multiple of the group's size.",
    "Divide the batch size by the number of members of a group.",
)


def _classes_of(values: int) -> int:
    """Of a detector that gives this many values for each anchor, of one sample or of a usual batch."""
    for classes in DETECTED:
        samples = sizes.ratio(values, 5 + classes) if values > classes + 5 else None
        if sizes.is_power_of_two(samples):
            return classes
    return values - 5


def of_heads(asked: Shape, count: int, spoken: bool) -> Iterator[Evidence]:
    """(batch, tokens, heads, head size): a width is cut into heads."""
    wanted = sizes.count(asked)
    if len(asked) not in (3, 4) or asked[-1] not in counts.HEAD_SIZES or not wanted or not count:
        return
    if asked[-3] in (1, 3, 4) and asked[-2] == asked[-1]:
        return  # an image
    times, heads = wanted // count if wanted % count == 0 else 0, asked[-2]
    each = wanted // (heads or 1)
    samples = wanted // (asked[0] or 1)  # another batch explains as much
    if (
        heads
        and count % samples
        and count % each == 0
        and 2 <= count // each <= 128
        and 4 <= heads <= 128
        and not times
    ):
        others = f"the values make {count // each} heads of {asked[-1]} where {heads} are asked for: another width"
        yield causes.OTHER_SETTING.since(others, FITS + 0.12, expected=heads, got=count // each)
        yield causes.OTHER_ENCODER.since(others, FITS, expected=heads * asked[-1], got=count // each * asked[-1])
    if len(asked) != 4:
        return
    if 2 <= times <= 32 and sizes.divides(times, heads):
        fewer = f"{count} values make {(heads or 0) // times} heads of {asked[-1]} where {heads} are asked for"
        yield causes.KEY_HEADS.since(fewer, NUMBERS + 0.02 if spoken else FITS + 0.08)
        yield causes.OTHER_RELEASE.since(fewer, FITS)
