"""What two whole shapes tell: their order, their ranks, a value for each channel."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, roles, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence
from shapewatch.messages.faults.meeting.nouns import Meeting
from shapewatch.messages.faults.wording import of_rank, shaped
from shapewatch.recording import Shape

NO_KEEPDIM = Cause(
    "a reduced value (norm, mean, maximum, sum) lost its axis, so that it is aligned with the wrong axis",
    "Keep the axis where it is reduced: `keepdim=True` (`keepdims=True`).",
    "Print its shape.",
    {"torch": "norm = x.norm(dim=1, keepdim=True)", "numpy": "norm = np.linalg.norm(x, axis=1, keepdims=True)"},
)


ONE_PER_SAMPLE = Cause(
    "one number for each sample (the factor of an interpolation or gradient penalty, a noise level, a time step, a "
    "weight) lacks axes of 1 behind it, so that it is aligned with the last axes; with a batch of one it went through",
    "Give it an axis of 1 for each axis of the samples: `alpha.view(-1, 1, 1, 1)`.",
    "Print its shape beside that of the samples.",
    {
        "torch": "alpha = torch.rand(len(x), 1, 1, 1, device=x.device)    # or alpha.view(-1, 1, 1, 1)",
        "tensorflow": "alpha = tf.reshape(alpha, [-1, 1, 1, 1])",
        "keras": "alpha = ops.reshape(alpha, (-1, 1, 1, 1))",
        "numpy": "alpha = alpha.reshape(-1, 1, 1, 1)",
    },
)


MOST_CLASSES = 1000


def of_shapes(met: Meeting) -> Iterator[Evidence]:
    left, right = met.left, met.right
    if left is None or right is None:
        return
    if sizes.is_reordered(left, right):
        seen = f"{shaped(left)} and {shaped(right)} hold the same sizes in another order"
        images = len(left) in (4, 5) or (len(left) == 3 and any(map(roles.like_colours, left)))
        yield (causes.CHANNELS_LAST if images else causes.SWAPPED).since(seen, NUMBERS + 0.02)
        yield causes.SWAPPED.since(seen, FITS)
    yield from _of_default_layout(met)
    yield from _of_equal_gaps(met)
    yield from _of_one_side_shrunk(met)
    if not met.is_aligned or (len(left) != len(right) and not met.apart):
        yield from _of_ranks(met, left, right)
    elif len(met.apart) == 1 and met.is_per_channel and met.apart[0][0]:
        yield from _of_bias(met)
    elif len(met.apart) == 1 and met.rank in (4, 5):
        axis, a, b = met.apart[0]
        whole = [shape for shape in (left, right) if len(shape) == met.rank]
        elsewhere = [other for shape in whole for other in sizes.axes_of(max(a, b), shape) if other != axis]
        if axis and elsewhere and max(a, b) > 4:
            where = f"{max(a, b)} stands on axis {elsewhere[0]} as well as on axis {axis}"
            yield causes.CHANNELS_LAST.since(f"{where}, as when the channels were put on another axis", FITS + 0.04)


def _of_one_side_shrunk(met: Meeting) -> Iterator[Evidence]:
    """A map of height 1 beside a square one of its width, as where colours were taken for the height."""
    if met.framework not in roles.CHANNELS_LAST_FRAMEWORKS or met.left is None or met.right is None:
        return
    shapes = [shape[-3:] for shape in (met.left, met.right)]
    if len(met.left) != len(met.right) or len(met.left) != (3 if met.batch_left_out else 4):
        return
    (flat, square) = sorted(shapes, key=lambda shape: shape[0] or 0)
    if flat[0] == 1 < (flat[1] or 0) and square[0] == square[1] == flat[1]:
        side = f"{shaped(flat)} is 1 high and {flat[1]} wide, where {shaped(square)} is square"
        yield causes.CHANNELS_LAST.since(f"{side}: channels that are taken for the height shrink to one", FITS + 0.12)


def _of_equal_gaps(met: Meeting) -> Iterator[Evidence]:
    """Both sides of two maps differ by the same number, and by no factor."""
    sides = [(a, b) for axis, a, b in met.apart if met.role(axis) == "space"]
    gaps = {a - b for a, b in sides}
    if len(sides) == len(met.apart) == 2 and len(gaps) == 1 and not sizes.ratio(*sides[0]):
        gap = abs(gaps.pop())
        if gap >= LEAST_BORDER and gap % 2 == 0:
            border = f"both sides differ by {gap}: a border that unpadded convolutions or a crop take off"
            yield causes.CROPPED.since(f"{border}, once too often or not at all", FITS - 0.06)
            yield causes.NO_PADDING.since(border, FITS - 0.07)


LEAST_BORDER = 6
"""Rounding on several levels makes smaller differences as well."""


def _of_default_layout(met: Meeting) -> Iterator[Evidence]:
    """Maps that look channels-first in a framework whose layers take the channels last unless told otherwise."""
    front = (None,) if met.batch_left_out else ()
    shapes = [(*front, *shape) for shape in (met.left, met.right) if shape is not None]
    if met.framework not in roles.CHANNELS_LAST_FRAMEWORKS or [len(shape) for shape in shapes] != [4, 4]:
        return
    if met.are_other_filters or (not met.batch_left_out and {at for at, _, _ in met.apart} == {0}):
        return
    default = "layers take channels last by default"
    looking = [shape for shape in shapes if roles.first_channels(shape, met.framework) is not None]
    if len(looking) == 2:
        yield causes.CHANNELS_LAST.since(
            f"{shaped(looking[0])} and {shaped(looking[1])} look channels-first: {default}", FITS
        )
    elif looking:
        mixed = f"{shaped(looking[0])} looks channels-first and the other does not: {default}"
        few = sizes.is_less(looking[0][1], looking[0][2])
        yield causes.CHANNELS_LAST.since(mixed, NUMBERS + 0.04 if few else FITS + 0.1)
    elif all(sizes.is_less(shape[1], 17) and sizes.is_less(4 * (shape[1] or 0) - 1, shape[2]) for shape in shapes):
        short = f"{shapes[0][1]} and {shapes[1][1]} on axis {1 - len(front)} are few for rows of {shapes[0][2]}"
        yield causes.CHANNELS_LAST.since(f"{short}: channels that stand first; {default}", FITS + 0.12)


def _of_bias(met: Meeting) -> Iterator[Evidence]:
    """One of the two holds a value for each entry of one axis, and may lie along the wrong one."""
    axis, a, b = met.apart[0]
    shapes = [shape for shape in (met.left, met.right) if shape]
    vectors = [shape for shape in shapes if sizes.squeezed(shape) in ((a,), (b,))]
    for vector in vectors:
        (length,) = sizes.squeezed(vector)
        other = met.right if vector is met.left else met.left
        if [at for at in sizes.axes_of(length, other) if at != axis]:
            along = (
                f"{length} is the size of another axis of {shaped(other)}: {shaped(vector)} lies along the wrong one"
            )
            if len(other or ()) <= 2:
                yield NO_KEEPDIM.since(f"{along}: one value for each row", FITS + 0.1)
                yield causes.SWAPPED.since(along, FITS - 0.02)
                continue
            yield causes.CHANNELS_LAST.since(along, FITS + 0.1)
            yield causes.OTHER_RELEASE.since(f"{along}, as releases shape a bias differently", FITS)
            yield causes.SWAPPED.since(along, FITS - 0.02)


def _of_ranks(met: Meeting, left: Shape, right: Shape) -> Iterator[Evidence]:
    short, long = sorted((left, right), key=len)
    seen = f"{shaped(short)} has {of_rank(len(short))} and {shaped(long)} has {len(long)}"
    bare = sizes.squeezed(long)
    if sizes.squeezed(short) == bare:
        yield causes.LOST_AXIS.since(f"{seen}; without the axes of 1 they are the same", NUMBERS)
        yield causes.EXTRA_AXIS.since(f"{seen}; without the axes of 1 they are the same", FITS)
        return
    if sizes.is_reordered(sizes.squeezed(short), bare):
        turned = f"{seen}; without the axes of 1 they hold the same sizes in another order"
        yield causes.SWAPPED.since(turned, NUMBERS + 0.02)
    if is_one_per_sample(short, long):
        numbers = f"{shaped(short)} holds a number for each of {short[0]} samples of {shaped(long[1:])}"
        yield ONE_PER_SAMPLE.since(numbers, NUMBERS + 0.02 if len(long) > 3 else FITS + 0.1)
    if short and None not in short and short == long[: len(short)]:
        begins = f"{shaped(short)} is how {shaped(long)} begins, and shapes are aligned at their end"
        yield NO_KEEPDIM.since(begins, NUMBERS)
    if (
        len(short) == 1
        and len(long) == 2
        and short[0] == long[0]
        and 1 < (long[1] or 0) <= MOST_CLASSES
        and not sizes.is_width(long[1])
    ):
        scores = f"{shaped(short)} holds one number for each row of {shaped(long)}: class numbers beside scores"
        yield causes.ONE_HOT.since(scores, FITS + 0.08)
    graph = met.framework in roles.CHANNELS_LAST_FRAMEWORKS
    if short == long[:-1] and len(short) > 1 and graph and long[-1] not in (None, 1):
        classes = f"{seen}: {shaped(short)} lacks the last axis of {shaped(long)}, as class numbers lack the scores'"
        yield causes.ONE_HOT.since(classes, FITS + 0.05)
    inner = [at for at in range(1, len(long) - 1) if short == (*long[:at], *long[at + 1 :])]
    if inner and None not in short:
        reduced = f"{shaped(short)} is {shaped(long)} without its axis {inner[0]}, and shapes are aligned at their end"
        yield NO_KEEPDIM.since(reduced, NUMBERS)
        if graph and len(short) == 2:
            steps = f"{reduced}: one row for each sample against one for each of {long[1]} steps"
            yield causes.NOT_POOLED.since(steps, FITS + 0.04)
            yield causes.LAST_STEP_ONLY.since(steps, FITS + 0.03)
    trimmed = long[: len(short)]
    rest = sizes.apart(short, trimmed)
    if set(long[len(short) :]) == {1} and len(rest) == 1 and rest[0][0] == len(short) - 1:
        _, a, b = rest[0]
        last = f"{seen}; without its last axis of 1 they differ in the last size alone, {a} against {b}"
        yield causes.EXTRA_AXIS.since(last, FITS + 0.04)
        if max(a, b) == 4 and min(a, b) in (1, 3):
            yield causes.ALPHA.since(f"{last}: RGB and alpha", NUMBERS)
        if {a, b} == {1, 3}:
            yield causes.GREY.since(f"{last}: grey and RGB", NUMBERS)
    vector = len(short) == 1
    elsewhere = [axis for axis in sizes.axes_of(short[0], long) if 0 < axis < len(long) - 1] if vector else []
    if elsewhere and short[0] != 1 and long[-1] != short[0]:
        other = f"{short[0]} is the size of axis {elsewhere[0]}, and a vector is aligned with the last axis"
        yield causes.CHANNELS_LAST.since(other, NUMBERS)
        if met.framework in roles.CHANNELS_LAST_FRAMEWORKS:
            asked = f"{other}: how a layer asks for the axis of the channels (`image_data_format`) differs by release"
            yield causes.OTHER_RELEASE.since(asked, FITS + 0.1)
    if vector and len(long) >= 4 and None in long[1:-1] and long[-1] != short[0] != 1:
        hidden = f"a value for each channel is aligned with the last axis of {shaped(long)}, whose sides are not known"
        yield causes.CHANNELS_LAST.since(hidden, FITS)
        if met.framework in roles.CHANNELS_LAST_FRAMEWORKS:
            asked = f"{hidden}; how a layer asks for the axis of the channels differs by release"
            yield causes.OTHER_RELEASE.since(asked, COMMON + 0.07)
    if vector and short[0] in (3, 4) and len(long) == 2 and min(size or 0 for size in long) >= 16:
        grey = f"{shaped(long)} reads as an image without colours, and {shaped(short)} holds a value for each"
        yield causes.GREY.since(grey, NUMBERS)
    if not vector:
        product = "a product or reduction before may give another rank than in the release it was written for"
        yield causes.OTHER_RELEASE.since(product, COMMON + 0.02)
    yield causes.LOST_AXIS.since(seen, RARE if vector else FITS)
    yield causes.EXTRA_AXIS.since(seen, RARE - 0.02 if vector else FITS - 0.02)


def is_one_per_sample(short: Shape, long: Shape) -> bool:
    """(N,) or (N, 1) beside (N, ...) of three axes and more."""
    if len(long) < 3 or not short or len(short) >= len(long) or None in short:
        return False
    return set(short[1:]) <= {1} and short[0] == long[0] != 1 and short[0] not in long[1:]


def usual(met: Meeting) -> Iterator[Evidence]:
    """What makes two maps differ where nothing else is known: said last, for whom the numbers do not convince."""
    parted = [(a, b) for axis, a, b in met.apart if met.role(axis) in ("space", "unknown")]
    if parted:
        a, b = parted[0]
        usual = "no number speaks for it; it is a usual cause where branches meet"
        yield causes.OTHER_STRIDE.since(usual, RARE - 0.02)
        yield causes.OTHER_SETTING.since(usual, RARE - 0.03, expected=a, got=b)
        yield causes.NO_PADDING.since(usual, RARE - 0.04)
        yield causes.OTHER_RESOLUTION.since(usual, RARE - 0.05)
        if met.framework in roles.CHANNELS_LAST_FRAMEWORKS and (
            met.rank == 4 or (met.batch_left_out and met.rank == 3)
        ):
            yield causes.CHANNELS_LAST.since(f"{usual}, in frameworks that know both layouts", RARE - 0.025)
    elif any(met.role(axis) == "channels" for axis, _, _ in met.apart):
        usual = "no number speaks for it; it is a usual cause where branches meet"
        yield causes.BRANCH_LOST.since(usual, RARE)
        _, a, b = met.apart[0]
        yield causes.OTHER_SETTING.since(f"{usual}: filters are counted in two places", RARE - 0.03, expected=a, got=b)
        yield causes.CHANNELS_LAST.since(usual, RARE - 0.02)
