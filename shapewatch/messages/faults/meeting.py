"""Two values meet and do not fit: what speaks for which cause. For sums, concatenations, copies and stacks alike.

The numbers speak first: a difference of one, a power of two, squares, one shape's sizes in another order. What each
of them can mean hangs on the axis, as far as it is known what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shapewatch.messages.faults import causes, roles, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence
from shapewatch.messages.faults.wording import listed, of_rank, shaped
from shapewatch.messages.nouns import Pasted
from shapewatch.recording import Shape

SKIPS = ("shortcut", "skip", "residual", "identity", "upsample", "decoder", "unet", "fpn", "lateral", "downsample")
POSITIONS = (
    "pos_embed",
    "position_embed",
    "positional",
    "pos_emb",
    "rel_pos",
    "rotary",
    "absolute_pos",
    ".pe[",
    "+ pe",
)
SEQUENCES = ("attention", "attn", "token", "input_ids", "labels", "past_key", "cache", "mask")
MAXIMA = frozenset({77, 128, 256, 512, 1024, 2048, 4096, 8192, 32768})
"""Maximum lengths that text models are set up for."""

LOSSES = ("loss", "criterion", "mse(", "squared_error", "absolute_error", "bce(", "entropy", "nll(")

METRICS = ("metric", "accuracy", "confusion")

ODD_WIDTH = Cause(
    "a width is odd where it is built in pairs (sines and cosines, rotary halves), so one of the two was rounded to "
    "even",
    "Use an even width, or cut the table to the width of the features.",
    "Print both last axes.",
)
NORMALISED = Cause(
    "values per channel (mean and standard deviation, scale) for another number of channels are applied: {a} "
    "against {b}",
    "Use as many values as the image has channels, e.g. `Normalize((0.5,), (0.5,))` for greyscale, or convert the "
    "image to RGB first.",
    "Print the image's shape before it is normalised.",
)
OTHER_CLASSES = Cause(
    "the number of classes is not the same on both sides (model, labels, class weights, a data set's setting): {a} "
    "against {b}",
    "Set the number of classes alike for the data, the model and all that is made for each class.",
    "Search the configuration for {a} and {b}.",
)
OPTIMISER = Cause(
    "the optimiser's state (momenta) was loaded from a run of another model, or its parameters were changed after it "
    "was made",
    "Start with a fresh optimiser, or load model and optimiser from one checkpoint.",
    "Compare the model's configuration (classes, widths) with that of the checkpoint that is resumed.",
)
STEREO = Cause(
    "one is stereo (two channels of sound) and the other mono",
    "Bring all to one: mix down when loading.",
    "Print the shape of each recording.",
    {"torch": "wave = wave.mean(dim=0, keepdim=True)    # (2, T) to (1, T)"},
)
NOTHING_LEFT = Cause(
    "one of the two is empty: a slice, a filter or a mask before it left nothing",
    "See which line makes it, and leave out (or pad) what is empty.",
    "Print its shape after each step.",
)
NO_KEEPDIM = Cause(
    "a reduced value (norm, mean, maximum, sum) lost its axis, so that it is aligned with the wrong axis",
    "Keep the axis where it is reduced: `keepdim=True` (`keepdims=True`).",
    "Print its shape.",
    {"torch": "norm = x.norm(dim=1, keepdim=True)", "numpy": "norm = np.linalg.norm(x, axis=1, keepdims=True)"},
)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two values, as far as the text tells: their shapes, and where they differ. `rank` is that of the longer one."""

    framework: str
    left: Shape | None
    right: Shape | None
    apart: tuple[sizes.Apart, ...]
    rank: int | None

    def role(self, axis: int | None) -> roles.Role:
        if self.rank is None:
            return roles.role_without_rank(axis, self.framework)
        return roles.role(axis, self.rank, self.longer, self.framework)

    @property
    def longer(self) -> Shape | None:
        known = [shape for shape in (self.left, self.right) if shape is not None]
        return max(known, key=len) if known else None

    def axis(self, axis: int | None) -> str:
        if axis is None:
            return "an axis that is not told"
        if self.rank is None:
            return f"axis {axis}"
        return roles.named(axis, self.rank, self.longer, self.framework)

    @property
    def differing(self) -> str:
        """`axis 2 (height, if these are maps of images): 20 against 19`, for each."""
        return listed(f"{self.axis(axis)}: {a} against {b}" for axis, a, b in self.apart)


def meeting(
    pasted: Pasted, left: Shape | None, right: Shape | None, told: sizes.Apart | None, stretches: bool = True
) -> Meeting:
    """`told`: the axis that the message names, with its sizes. `stretches`: an axis of 1 fits any other."""
    found: tuple[sizes.Apart, ...] = ()
    if left is not None and right is not None:
        found = tuple(each for each in sizes.apart(left, right) if not (stretches and 1 in each[1:]))
    rank = max(len(left), len(right)) if left is not None and right is not None else None
    return Meeting(pasted.reading.framework, left, right, found or ((told,) if told else ()), rank)


def evidence(pasted: Pasted, met: Meeting) -> Iterator[Evidence]:
    """Everything that speaks for a cause in what the two have to do with each other."""
    yield from _of_shapes(met)
    if (
        met.left is None
        or met.right is None
        or len(met.left) == len(met.right)
        or min(map(len, (met.left, met.right))) == 1
    ):
        for axis, a, b in met.apart:
            held = met.role(axis)
            yield from _of_batch(met, a, b) if held == "batch" else _of_axis(met, axis, a, b, held)
        yield from _usual(met)
    yield from _of_pictures(met)
    yield from _of_frames(pasted, met)


def _of_pictures(met: Meeting) -> Iterator[Evidence]:
    """Arrays of NumPy have no batch as a rule: two or three axes are an image's."""
    if met.framework != "numpy" or met.rank not in (2, 3) or len(met.apart) < 2:
        return
    if met.left is None or met.right is None or sizes.is_reordered(met.left, met.right):
        return
    if all(abs(a - b) == 1 for _, a, b in met.apart):
        yield BORDER.since(f"{met.differing}: each by one", FITS + 0.1)
    yield OTHER_PICTURES.since(f"{met.differing}: both sides, if these are images", FITS + 0.06)


BORDER = Cause(
    "a slice is counted with its last entry on one side and without it on the other, or is cut off at the border of "
    "the image",
    "Give both slices the same beginning and end, clipped to the image.",
    "Print the ends of both slices.",
)
OTHER_PICTURES = Cause(
    "the two images (or maps) are of different sizes",
    "Resize or crop one to the other's size first; a resize takes (width, height) in some libraries.",
    "Print both shapes, and the files they come from.",
)
OTHER_ENTRIES = Cause(
    "the two were computed from other data (another file, another filter or another run), so their entries do not "
    "belong together",
    "Compute both from the same (filtered) data.",
    "Print both lengths, and where each comes from.",
)


def _usual(met: Meeting) -> Iterator[Evidence]:
    """What makes two maps differ where nothing else is known: said last, for whom the numbers do not convince."""
    parted = [(a, b) for axis, a, b in met.apart if met.role(axis) in ("space", "unknown")]
    if parted:
        a, b = parted[0]
        usual = "no number speaks for it; it is a usual cause where branches meet"
        yield causes.OTHER_STRIDE.since(usual, RARE - 0.02)
        yield causes.OTHER_SETTING.since(usual, RARE - 0.03, expected=a, got=b)
        yield causes.NO_PADDING.since(usual, RARE - 0.04)
        yield causes.OTHER_RESOLUTION.since(usual, RARE - 0.05)
    elif any(met.role(axis) == "channels" for axis, _, _ in met.apart):
        usual = "no number speaks for it; it is a usual cause where branches meet"
        yield causes.BRANCH_LOST.since(usual, RARE)
        yield causes.CHANNELS_LAST.since(usual, RARE - 0.02)


# What the shapes tell


def _of_shapes(met: Meeting) -> Iterator[Evidence]:
    left, right = met.left, met.right
    if left is None or right is None:
        return
    if sizes.is_reordered(left, right):
        seen = f"{shaped(left)} and {shaped(right)} hold the same sizes in another order"
        images = len(left) in (4, 5) or (len(left) == 3 and any(map(roles.like_colours, left)))
        yield (causes.CHANNELS_LAST if images else causes.SWAPPED).since(seen, NUMBERS + 0.02)
        yield causes.SWAPPED.since(seen, FITS)
    if len(left) != len(right):
        yield from _of_ranks(left, right)
    elif len(met.apart) == 1 and _is_per_channel(met) and met.apart[0][0]:
        yield from _of_bias(met)
    elif len(met.apart) == 1 and met.rank in (4, 5):
        axis, a, b = met.apart[0]
        elsewhere = [other for shape in (left, right) for other in sizes.axes_of(max(a, b), shape) if other != axis]
        if axis and elsewhere and max(a, b) > 4:
            where = f"{max(a, b)} stands on axis {elsewhere[0]} as well as on axis {axis}"
            yield causes.CHANNELS_LAST.since(f"{where}, as when the channels were put on another axis", FITS + 0.04)


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
            yield causes.CHANNELS_LAST.since(along, FITS + 0.1)
            yield causes.OTHER_RELEASE.since(f"{along}, as releases shape a bias differently", FITS)
            yield causes.SWAPPED.since(along, FITS - 0.02)


def _of_ranks(left: Shape, right: Shape) -> Iterator[Evidence]:
    short, long = sorted((left, right), key=len)
    seen = f"{shaped(short)} has {of_rank(len(short))} and {shaped(long)} has {len(long)}"
    bare = sizes.squeezed(long)
    if sizes.squeezed(short) == bare:
        yield causes.LOST_AXIS.since(f"{seen}; without the axes of 1 they are the same", NUMBERS)
        yield causes.EXTRA_AXIS.since(f"{seen}; without the axes of 1 they are the same", FITS)
        return
    if short and None not in short and short == long[: len(short)]:
        begins = f"{shaped(short)} is how {shaped(long)} begins, and shapes are aligned at their end"
        yield NO_KEEPDIM.since(begins, NUMBERS)
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
    if not vector:
        product = "a product or reduction before may give another rank than in the release it was written for"
        yield causes.OTHER_RELEASE.since(product, COMMON + 0.02)
    yield causes.LOST_AXIS.since(seen, RARE if vector else FITS)
    yield causes.EXTRA_AXIS.since(seen, RARE - 0.02 if vector else FITS - 0.02)


# What one axis tells


def _of_batch(met: Meeting, a: int, b: int) -> Iterator[Evidence]:
    times = sizes.ratio(a, b)
    seen = f"the first axis differs, {a} against {b}, and it mostly is the batch"
    if met.rank == 3 and {a, b} == {1, 3}:
        yield causes.GREY.since(
            f"{a} against {b} on the first axis of three: one colour channel against three", NUMBERS
        )
        yield NORMALISED.since(f"{a} against {b} on the first axis of three: colours", FITS + 0.04, a=a, b=b)
        yield causes.OTHER_BATCH.since(seen, RARE)
        return
    if met.rank in (None, 3) and {a, b} in ({1, 3}, {3, 4}, {1, 4}):
        # of (C, H, W) the first axis holds the colours
        image = f"{a} against {b}: if the first axis holds colours"
        yield (causes.ALPHA if 4 in (a, b) else causes.GREY).since(image, FITS + 0.06)
        yield NORMALISED.since(image, COMMON + 0.05 if 4 in (a, b) else FITS - 0.02, a=a, b=b)
    if met.rank is None and 1 not in (a, b):
        _, high = sorted((a, b))
        if high <= 32:
            counted = f"{a} against {b}: if the first axis counts layers, classes or anchors"
            yield causes.OTHER_SETTING.since(counted, FITS - 0.02 if high <= 4 else COMMON, expected=a, got=b)
        if times is None and high > 4:
            yield causes.SWAPPED.since(f"{a} against {b}: if one of them counts time steps", COMMON + 0.02)
            yield causes.TOO_LONG.since(f"{a} against {b}: if the first axis counts time steps", COMMON - 0.03)
        release = COMMON - 0.02 if times in (None, 2) else COMMON + 0.01
        yield causes.OTHER_RELEASE.since(f"{a} against {b}: model code of another release", release)
    if 0 in (a, b):
        yield NOTHING_LEFT.since(f"{a} against {b}: one of them is empty", NUMBERS)
    yield causes.LAST_BATCH.since(seen, FITS if times is None or 1 in (a, b) else COMMON)
    yield causes.OTHER_BATCH.since(
        seen, FITS + 0.05 if {a, b} == {1, 2} else FITS if 1 in (a, b) or times == 2 else COMMON
    )
    if times is not None and times <= 16 and 1 not in (a, b):
        yield causes.SPLIT_BATCH.since(f"{max(a, b)} is {times} times {min(a, b)}", FITS if times != 2 else COMMON)


def _of_axis(met: Meeting, axis: int | None, a: int, b: int, held: roles.Role) -> Iterator[Evidence]:
    if met.rank == 1:
        yield from _of_vectors(a, b)
        return
    if 0 in (a, b):
        yield NOTHING_LEFT.since(f"{_on(axis, a, b)}: one of them is empty", NUMBERS)
    if axis == 1 and met.rank is None:
        yield from _of_second_axis(a, b, _on(axis, a, b))
    if held != "space":
        yield from _of_channels(met, axis, a, b, held)
        yield from _of_length(met, axis, a, b, held)
    if axis == 1 and (met.rank is None or (met.rank == 2 and met.longer and met.longer[0] not in (1, None))):
        yield from _of_classes(a, b, _on(axis, a, b))
    if held != "channels":
        yield from _of_sides(met, axis, a, b, held)
        if met.rank is None and axis in (2, 3) and met.framework == "torch":
            yield from _of_scores(axis, a, b, _on(axis, a, b))


def _of_second_axis(a: int, b: int, seen: str) -> Iterator[Evidence]:
    """Features or classes, where the rank is not told."""
    low, high = sorted((a, b))
    if low == 1 and high > 4:
        columns = f"{seen}: one column against several, if axis 1 holds classes"
        yield causes.ONE_HOT.since(columns, COMMON + 0.03)
        yield causes.TRAILING_ONE.since(columns, COMMON + 0.01)
    if low >= 32 and low % 8 == 0 and high % 8 == 0:
        yield causes.OTHER_SETTING.since(f"{seen}, if axis 1 holds features", COMMON + 0.06, expected=b, got=a)


def _of_classes(a: int, b: int, seen: str) -> Iterator[Evidence]:
    """On the second axis stand the classes of scores, if these are scores."""
    low, high = sorted((a, b))
    doubled = sizes.is_power_of_two(sizes.ratio(a, b))
    if low < 2 or high > 1000 or high - low <= 3 or (a % 8 == 0 and b % 8 == 0) or doubled:
        return
    batch, other = (a, b) if sizes.is_power_of_two(a) and a >= 8 else (b, a)
    if sizes.is_power_of_two(batch) and batch >= 8 and other < 1000 and not sizes.is_power_of_two(other):
        looks = f"{seen}: {batch} is a usual batch size, {other} may count classes"
        yield causes.ONE_HOT.since(f"{looks}; (N,) is aligned with (N, classes)", COMMON + 0.06)
    yield OTHER_CLASSES.since(f"{seen}, if axis 1 holds the classes", COMMON + 0.01, a=a, b=b)


def _is_inner(met: Meeting, axis: int | None) -> bool:
    """Axis 1, where nothing else is known: PyTorch names the last axis that differs, so of maps (N, C, H, W) whose
    sides differ it names another."""
    return axis == 1 and met.rank is None and met.framework == "torch"


def _of_vectors(a: int, b: int) -> Iterator[Evidence]:
    seen = f"{a} against {b}, in vectors: nothing tells what they count"
    yield causes.OTHER_SETTING.since(seen, COMMON + 0.02, expected=b, got=a)
    if min(a, b) > 1000:
        yield OTHER_ENTRIES.since(f"{seen}; both are long", COMMON + 0.08)
    yield causes.LAST_BATCH.since(seen, COMMON)
    yield causes.OTHER_LENGTH.since(seen, COMMON - 0.02)


def _on(axis: int | None, a: int, b: int) -> str:
    return f"{a} against {b}" + (f" on axis {axis}" if axis is not None else "")


def _of_channels(met: Meeting, axis: int | None, a: int, b: int, held: roles.Role) -> Iterator[Evidence]:
    seen = _on(axis, a, b)
    low, high = sorted((a, b))
    if high <= 4 and (held == "channels" or met.rank in (None, 3)):
        if (low, high) == (1, 3):
            yield causes.GREY.since(f"{seen}: one colour channel against three", NUMBERS)
            yield NORMALISED.since(f"{seen}: one colour channel against three", FITS, a=a, b=b)
        elif high == 4 and low in (1, 3):
            yield causes.ALPHA.since(
                f"{seen}: four channels are RGB and alpha", NUMBERS if held == "channels" else FITS
            )
        elif high == 2 and low == 1:
            yield causes.ALPHA.since(f"{seen}: two channels are grey and alpha, or two classes", COMMON)
            yield STEREO.since(f"{seen}: two channels of sound against one", COMMON + 0.02)
    elif held == "channels" and met.left is not None and met.right is not None and len(met.left) != len(met.right):
        yield causes.OTHER_SETTING.since(f"{seen}: a value for each channel", FITS, expected=max(a, b), got=min(a, b))
    elif held == "channels" and _is_per_channel(met):
        vector = f"{seen}: one of the two holds a value for each channel, as a bias does"
        yield causes.OTHER_SETTING.since(vector, FITS, expected=a, got=b)
        yield causes.CHANNELS_LAST.since(vector, FITS)
        yield causes.NO_PROJECTION.since(vector, COMMON, a=a, b=b)
    elif held == "channels":
        yield causes.NO_PROJECTION.since(f"{seen}, which are numbers of filters", NUMBERS, a=a, b=b)
    elif held == "unknown" and axis == 1:
        filters = low % 8 == 0 and high % 8 == 0
        what = "both multiples of 8, as numbers of filters are" if filters else f"if axis {axis} holds the channels"
        yield causes.NO_PROJECTION.since(f"{seen}, {what}", FITS + 0.08 if filters else RARE, a=a, b=b)
    elif abs(a - b) == 1 and held == "features":
        pairs = f"{seen}: one more than an even number of features"
        yield ODD_WIDTH.since(pairs, FITS if met.rank == 3 and min(a, b) > 4 else RARE)
        yield causes.OTHER_COLUMNS.since(f"{seen}: one column more or less", COMMON + 0.05 if met.rank == 2 else RARE)
        yield causes.OTHER_SETTING.since(f"{seen}, if axis {axis} holds the features", COMMON, expected=b, got=a)
    elif (sizes.is_width(a) and sizes.is_width(b)) or held == "features":
        features = (
            f"{seen}, if axis {axis} holds the features" if axis is not None else f"{seen}, if these are features"
        )
        yield causes.OTHER_SETTING.since(features, COMMON + (0.07 if held == "features" else 0), expected=b, got=a)
        if held == "features" and sizes.is_width(a) and sizes.is_width(b):
            yield causes.OTHER_ENCODER.since(f"{features}: widths as encoders have them", FITS, expected=b, got=a)


def _of_scores(axis: int, a: int, b: int, seen: str) -> Iterator[Evidence]:
    """Axes 2 and 3 are a map's sides or the tokens of attention's scores (batch, heads, queries, keys)."""
    scores = f"{seen}, if these are attention's scores, whose last axes count tokens"
    if max(a, b) > 1024:
        # maps are seldom as large where branches meet; sequences are
        yield causes.OTHER_LENGTH.since(scores, FITS + 0.06)
        keys = f"{scores}: masks and cached keys differ from release to release"
        yield causes.OTHER_RELEASE.since(keys, FITS - 0.02)
        if axis == 2 and a % 8 == 0 and b % 8 == 0:
            widths = f"{seen}, if these are numbers of features: a layer, adapter or embedding of another width"
            yield causes.OTHER_SETTING.since(widths, FITS, expected=b, got=a)
    elif abs(a - b) > 4:
        power = sizes.is_power_of_two(sizes.ratio(a, b))
        yield causes.OTHER_LENGTH.since(scores, COMMON - 0.1 if power else COMMON + 0.01)


def _is_per_channel(met: Meeting) -> bool:
    """Whether one of two maps has a size on one axis alone: a bias, a scale, or what is pooled to one place."""
    return any(len([size for size in shape if size != 1]) == 1 for shape in (met.left, met.right) if shape is not None)


def _of_sides(met: Meeting, axis: int | None, a: int, b: int, held: roles.Role) -> Iterator[Evidence]:
    seen, gap, times = _on(axis, a, b), abs(a - b), sizes.ratio(a, b)
    side, low = held in ("space", "unknown") and not _is_inner(met, axis), min(a, b)
    if gap == 1 and low > 1:
        differ = f"{seen} differ by one, as a size does that was halved while odd and doubled again"
        maybe = held == "tokens" or _is_inner(met, axis)
        few = held == "unknown" and low < 8  # classes, boxes and coordinates are counted by as few
        sure = FITS if max(a, b) > 1024 else FITS + 0.1 if few else NUMBERS
        yield causes.ODD_SIZE.since(differ, sure if side else COMMON + 0.04 if maybe else RARE)
    elif gap <= 4 and low > 4 and not times:
        near = f"{seen} differ by {gap}: rounding on several levels does that"
        yield causes.ODD_SIZE.since(near, FITS + 0.02 if side else RARE)
        if gap % 2 == 0 and side:
            yield causes.NO_PADDING.since(f"{seen} differ by {gap}: an unpadded 3x3 convolution takes off two", FITS)
    elif gap % 2 == 0 and side and not times and low > gap:
        yield causes.NO_PADDING.since(f"{seen} differ by {gap}: unpadded convolutions take off an even number", COMMON)
    if times and low > 1 and side:
        power = sizes.is_power_of_two(times) and times <= 64
        stride = f"{max(a, b)} is {times} times {low}" + (", as strides of two make it" if power else "")
        maybe_channels = held == "unknown" and axis == 1
        # a stride shrinks height and width alike
        alone = met.rank in (4, 5) and sum(met.role(other) == "space" for other, _, _ in met.apart) == 1
        large = met.rank is None and max(a, b) > 1024  # no map's side where branches meet
        doubted = maybe_channels or alone or large
        yield causes.OTHER_STRIDE.since(stride, COMMON + 0.07 if doubted else NUMBERS if power else COMMON)
        if met.rank in (None, 4):
            known = COMMON if maybe_channels or large else FITS + 0.06
            yield causes.OTHER_RESOLUTION.since(stride, known)
    elif _is_inner(met, axis):
        aside = f"{seen}, if axis 1 is a side of an image"
        yield causes.OTHER_SETTING.since(f"{seen}, if axis 1 holds features", COMMON - 0.01, expected=b, got=a)
        yield causes.OTHER_RELEASE.since(f"{seen} tell nothing of releases; it is a frequent cause", COMMON - 0.02)
        yield causes.OTHER_RESOLUTION.since(aside, COMMON - 0.03)
        yield causes.OTHER_STRIDE.since(aside, COMMON - 0.03 if times and sizes.is_power_of_two(times) else RARE)
    elif side and gap > 1:
        yield causes.OTHER_RESOLUTION.since(f"{seen} are in no simple ratio, as two input sizes may be", COMMON)
        yield causes.ODD_SIZE.since(f"{seen}: sizes that are no multiples of the stride drift apart by levels", RARE)
        yield causes.OTHER_STRIDE.since(f"{seen} differ by more than rounding", COMMON - 0.02)


def _of_length(met: Meeting, axis: int | None, a: int, b: int, held: roles.Role) -> Iterator[Evidence]:
    seen, one, other = _on(axis, a, b), sizes.grid(a), sizes.grid(b)
    if one and other and axis in (0, 1, None):
        if one[0] == other[0]:
            with_token = f"{seen}: both are {one[0]} x {one[0]} patches, with and without a token"
            yield causes.CLASS_TOKEN.since(with_token, NUMBERS + 0.02)
        elif min(one[0], other[0]) >= 7 and held != "features":
            grids = f"{seen}: grids of {one[0]} x {one[0]} and {other[0]} x {other[0]} patches"
            weight = NUMBERS if one[1] == other[1] and held == "tokens" else FITS + 0.1
            # multiples of 64 that happen to be squares are numbers of channels as often
            yield causes.OTHER_RESOLUTION.since(grids, COMMON if a % 64 == 0 and b % 64 == 0 else weight)
    if held in ("tokens", "unknown"):
        tokens = f"{seen}, if axis {axis} counts the tokens or steps of a sequence" if axis is not None else seen
        near = abs(a - b) == 1 and held == "unknown" and not _is_inner(met, axis)
        long = _is_inner(met, axis) and max(a, b) > 256
        weight = FITS if held == "tokens" else RARE + 0.02 if near else COMMON + (0.03 if long else 0)
        yield causes.OTHER_LENGTH.since(tokens, weight)
        if min(a, b) in MAXIMA and not sizes.is_power_of_two(sizes.ratio(a, b)):
            yield causes.TOO_LONG.since(f"{min(a, b)} is a usual maximum of tokens", FITS)
        elif min(a, b) in MAXIMA:
            yield causes.TOO_LONG.since(f"{min(a, b)} is a usual maximum of tokens", COMMON)


# What the lines of code tell


def _of_frames(pasted: Pasted, met: Meeting) -> Iterator[Evidence]:
    if pasted.raises(*POSITIONS):
        embeds = "the line that raised adds a position embedding"
        grids = any(sizes.grid(a) and sizes.grid(b) for _, a, b in met.apart)
        yield causes.OTHER_RESOLUTION.since(embeds, NUMBERS + 0.05 if grids else FITS + 0.05)
        yield causes.CLASS_TOKEN.since(embeds, COMMON)
        yield causes.TOO_LONG.since(embeds, FITS if grids else FITS + 0.08)
        yield causes.OTHER_RELEASE.since(f"{embeds}, whose shape releases change", RARE if grids else COMMON + 0.04)
        if any(axis == 0 for axis, _, _ in met.apart):
            yield causes.SWAPPED.since(f"{embeds}: its first axis may be time where the batch stands", FITS)
    elif pasted.runs("attention_mask", "input_ids", "position_ids", "past_key", "cache_position", "causal_mask"):
        tokens = "the lines above it handle tokens, masks or a cache"
        yield causes.OTHER_LENGTH.since(tokens, NUMBERS if pasted.raises(*SEQUENCES) else FITS)
        yield causes.CACHE.since(tokens, COMMON)
    elif pasted.raises("attn", "attention", "masked_fill"):
        scores = "the line that raised computes attention, whose last axes count tokens"
        yield causes.OTHER_LENGTH.since(scores, FITS + 0.1)
        yield causes.TOO_LONG.since(scores, FITS + 0.06)
    if pasted.runs("lstm", "gru", "rnn") and any(axis in (0, 1) for axis, _, _ in met.apart):
        yield causes.SWAPPED.since("the lines above it are of a recurrent layer: batch and time may be swapped", FITS)
    if pasted.raises("optim/", "optim\\", "momentum", "exp_avg"):
        yield OPTIMISER.since("it was raised in a step of the optimiser", NUMBERS + 0.02)
    if pasted.runs("audio", "wav", "sound", "speech") and any({a, b} == {1, 2} for _, a, b in met.apart):
        yield STEREO.since("the names in the lines above it speak of sound", NUMBERS)
    if pasted.runs("data_parallel", "parallel_apply", "replica"):
        yield causes.SPLIT_BATCH.since("it was raised in a replica of DataParallel", FITS)
    if pasted.runs("normalize") and met.rank in (None, 3) and met.apart:
        _, a, b = met.apart[0]
        if {a, b} <= {1, 2, 3, 4}:
            yield NORMALISED.since("it was raised in a normalisation of images", SAID, a=a, b=b)
    if {"dynamo", "export"} & set(pasted.wrapped_by):
        yield causes.COMPILED.since("it was raised while compiling", COMMON)
