"""What the two sizes of one axis tell, as far as it is known what the axis holds."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, counts, relations, roles, sizes, vocabularies
from shapewatch.messages.faults.convolution import OTHER_LATENTS
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence
from shapewatch.messages.faults.meeting.classes import (
    CLASS_COUNTS,
    OTHER_CLASSES,
    of_class_counts,
    of_classes,
    of_known_classes,
)
from shapewatch.messages.faults.meeting.counted import MOST_ROWS, of_counted
from shapewatch.messages.faults.meeting.nouns import Meeting
from shapewatch.messages.faults.meeting.pictures import OTHER_PICTURES
from shapewatch.messages.faults.meeting.places import of_rows_of_places
from shapewatch.messages.faults.meeting.shapes import ONE_PER_SAMPLE
from shapewatch.messages.faults.meeting.turned import of_turned
from shapewatch.messages.faults.meeting.vectors import OTHER_ENTRIES, of_flattened, of_vectors

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
ALONG_LAST = Cause(
    "a vector with one value for each class or channel (class weights, `pos_weight`, mean, a bias) is aligned with the "
    "last axis of a map, (N, C, H, W), and not with its channels",
    "Give it axes of 1 behind: `weight.view(1, -1, 1, 1)`; or use the option or loss that takes weights of classes.",
    "Print both shapes.",
    {"torch": "weight = weight.view(1, -1, 1, 1)"},
)


def of_batch(met: Meeting, a: int, b: int) -> Iterator[Evidence]:
    times = sizes.ratio(a, b)
    seen = f"the first axis differs, {a} against {b}, and it mostly is the batch"
    scores = met.left is not None and met.right is not None and relations.are_scores(met.left, met.right)
    if met.rank == 3 and {a, b} == {1, 3} and not scores:
        yield causes.GREY.since(
            f"{a} against {b} on the first axis of three: one colour channel against three", NUMBERS
        )
        yield NORMALISED.since(f"{a} against {b} on the first axis of three: colours", FITS + 0.04, a=a, b=b)
        yield causes.OTHER_BATCH.since(seen, RARE)
        return
    if met.rank in (None, 3) and {a, b} in ({1, 3}, {3, 4}, {1, 4}) and not scores:
        # of (C, H, W) the first axis holds the colours
        image = f"{a} against {b}: if the first axis holds colours"
        yield (causes.ALPHA if 4 in (a, b) else causes.GREY).since(image, FITS + 0.06)
        yield NORMALISED.since(image, COMMON + 0.05 if 4 in (a, b) else FITS - 0.02, a=a, b=b)
    if met.rank is None and 1 not in (a, b):
        _, high = sorted((a, b))
        if high <= 32:
            counted = f"{a} against {b}: if the first axis counts layers, classes or anchors"
            yield causes.OTHER_SETTING.since(counted, FITS - 0.02 if high <= 4 else COMMON, expected=a, got=b)
        if times is None and 4 < high <= MOST_ROWS:
            yield causes.SWAPPED.since(f"{a} against {b}: if one of them counts time steps", COMMON + 0.02)
            yield causes.TOO_LONG.since(f"{a} against {b}: if the first axis counts time steps", COMMON - 0.03)
        release = COMMON - 0.02 if times in (None, 2) else COMMON + 0.01
        yield causes.OTHER_RELEASE.since(f"{a} against {b}: model code of another release", release)
    if met.rank is None and {a, b} == {1, 2}:
        yield causes.STEREO.since(f"{a} against {b}: if the first axis holds the channels of sound", COMMON)
    yield from of_class_counts(met, a, b)
    yield from of_counted(met, 0, a, b, f"{a} against {b}")
    yield from of_turned(met, 0, a, b, f"{a} against {b}")
    if 0 in (a, b):
        yield causes.NOTHING_LEFT.since(f"{a} against {b}: one of them is empty", NUMBERS)
    many = min(a, b) > MOST_ROWS
    if many and met.rank is None:
        rows = f"{a} against {b}: more than a batch holds, as vocabularies, tables and whole data sets have them"
        yield causes.OTHER_SETTING.since(rows, FITS - 0.02, expected=a, got=b)
        yield OTHER_ENTRIES.since(rows, FITS)
        few = f"{rows}; {abs(a - b)} entries more or less, as special tokens are"
        near = abs(a - b) <= vocabularies.FEW
        yield vocabularies.OTHER_VOCABULARY.since(few if near else rows, FITS + 0.02 if near else COMMON + 0.08)
    shared = times in (2, 3, 4, 8, 16) and 1 not in (a, b)
    yield causes.LAST_BATCH.since(seen, RARE if many else COMMON if shared else FITS)
    yield causes.OTHER_BATCH.since(
        seen, FITS + 0.05 if {a, b} == {1, 2} else FITS if 1 in (a, b) or times == 2 else COMMON
    )
    if times and times <= 16 and min(a, b) > 1 and not many:
        several = f"{seen}: {times} entries for each of {min(a, b)}, if these are samples"
        odd = times in (3, 5, 6, 7, 9, 10) and not {a, b} & CLASS_COUNTS.keys()
        frames = times in (8, 16)  # of clips; more devices are rare
        yield causes.SEVERAL_EACH.since(several, FITS - 0.01 if odd else COMMON + 0.015 if frames else COMMON - 0.03)
    if min(a, b) >= 256 and met.rank == 2 and (sizes.root(times) or 0) > 1:
        flat = f"{seen}: {times} times as many, as the places of maps of another side, flattened"
        yield causes.OTHER_RESOLUTION.since(flat, FITS + 0.02)
    if met.rank is not None and (times is None or min(a, b) > MOST_ROWS):
        entries = f"{seen}; if they do not belong to one batch at all"
        yield OTHER_ENTRIES.since(entries, FITS + 0.02 if many else RARE + 0.02)
    if times is not None and times <= 16 and 1 not in (a, b):
        halves = sizes.is_power_of_two(min(a, b)) and times == 2 and min(a, b) >= 4
        devices = FITS - 0.01 if shared and times != 2 else COMMON + 0.01 * halves
        yield causes.SPLIT_BATCH.since(f"{max(a, b)} is {times} times {min(a, b)}", devices)


MOST_FILTERS = 4096
"""More channels are seldom counted where branches meet."""

LATENTS = frozenset({4, 16, 48})

WITH_MASKS = ({4, 9}, {16, 33}, {16, 36}, {32, 36})
"""Latents alone, and with a mask and the latents of an image beside them."""


def of_axis(met: Meeting, axis: int | None, a: int, b: int, held: roles.Role) -> Iterator[Evidence]:
    if met.rank == 1:
        if 0 in (a, b):
            yield causes.NOTHING_LEFT.since(f"{_on(axis, a, b)}: one of them is empty", NUMBERS)
        yield from of_vectors(a, b)
        if met.framework in roles.CHANNELS_LAST_FRAMEWORKS:
            yield from of_flattened(a, b)
        return
    if 0 in (a, b):
        yield causes.NOTHING_LEFT.since(f"{_on(axis, a, b)}: one of them is empty", NUMBERS)
    if met.rank is None and axis is not None and axis >= 4:
        boxes = f"{_on(axis, a, b)}: the last axis of a detector's map (batch, anchors, height, width, values)"
        # other counts plus 5 are depths of volumes as well
        counted = not {a, b}.isdisjoint((25, 85, 96)) and min(a, b) > 5
        if min(a, b) in (3, 4) and max(a, b) >= 32 and not counted:
            colours = f"{_on(axis, a, b)}: colours on the last axis of one, a side of the map on the other's"
            yield causes.CHANNELS_LAST.since(colours, FITS + 0.08)
            yield causes.MASK_CHANNELS.since(colours, FITS + 0.06)
        yield OTHER_CLASSES.since(boxes, NUMBERS if counted else FITS - 0.06, a=a, b=b)
    if axis == 1 and met.rank is None:
        yield from _of_second_axis(a, b, _on(axis, a, b))
    yield from of_counted(met, axis, a, b, _on(axis, a, b))
    yield from of_turned(met, axis, a, b, _on(axis, a, b))
    yield from _of_anchors(met, axis, a, b)
    if {a, b} <= sizes.BINS | sizes.MELS and (bands := sizes.spectra(a, b)):
        likely = FITS + 0.1 if sizes.BINS & {a, b} else COMMON + 0.01
        yield causes.OTHER_SPECTRUM.since(f"{_on(axis, a, b)}: {bands}", likely)
    if held in ("unknown", "tokens") and axis in (1, 2):
        yield from of_rows_of_places(a, b, _on(axis, a, b), held == "tokens")
    if held != "space":
        yield from _of_channels(met, axis, a, b, held)
        yield from _of_length(met, axis, a, b, held)
    if axis == 1 and (met.rank is None or (met.rank == 2 and met.longer and met.longer[0] not in (1, None))):
        yield from of_classes(a, b, _on(axis, a, b))
    if held != "channels":
        yield from _of_sides(met, axis, a, b, held)
        if met.rank is None and axis in (2, 3) and met.framework == "torch":
            yield from _of_scores(axis, a, b, _on(axis, a, b))


def _of_anchors(met: Meeting, axis: int | None, a: int, b: int) -> Iterator[Evidence]:
    """(batch, height, width, anchors, values), of a detector: a few anchors, and for each of them a box, a score and
    the classes."""
    if met.rank == 5 and axis == 4 and met.longer is not None and min(a, b) > 5:
        anchors = met.longer[3]
        if anchors is not None and anchors <= 9 and sizes.is_less(anchors, met.longer[1]):
            boxes = f"{_on(axis, a, b)}: 5 + {a - 5} and 5 + {b - 5} values for each of {anchors} anchors"
            yield OTHER_CLASSES.since(boxes, NUMBERS + 0.04, a=a, b=b)


def _of_second_axis(a: int, b: int, seen: str) -> Iterator[Evidence]:
    """Features or classes, where the rank is not told."""
    low, high = sorted((a, b))
    if low == 1 and high > 4:
        columns = f"{seen}: one column against several, if axis 1 holds classes"
        yield causes.ONE_HOT.since(columns, COMMON + 0.03)
        yield causes.TRAILING_ONE.since(columns, COMMON + 0.01)
        outputs = f"{seen}: one output where {high} are labelled or the other way round, if axis 1 holds outputs"
        yield causes.OTHER_SETTING.since(outputs, COMMON + 0.005, expected=b, got=a)
    if (low, high) == (1, 2):
        two = f"{seen}: one output (or label) against two, if axis 1 holds two classes"
        yield causes.ONE_HOT.since(two, COMMON + 0.015)
    if (low, high) in ((2, 3), (3, 4)):
        few = f"{seen}: a class more or less, such as the background, if axis 1 holds classes"
        yield OTHER_CLASSES.since(few, COMMON + 0.015, a=a, b=b)
    if low == 3 and high in (16, 32, 64):
        yield causes.NO_PROJECTION.since(f"{seen}: colours of the input and a block's filters", COMMON + 0.04, a=a, b=b)
    if low >= 32 and low % 8 == 0 and high % 8 == 0:
        yield causes.OTHER_SETTING.since(f"{seen}, if axis 1 holds features", COMMON + 0.06, expected=b, got=a)


def _is_inner(met: Meeting, axis: int | None) -> bool:
    """Axis 1, where nothing else is known: PyTorch names the last axis that differs, so of maps (N, C, H, W) whose
    sides differ it names another."""
    return axis == 1 and met.rank is None and met.framework == "torch"


def _on(axis: int | None, a: int, b: int) -> str:
    return f"{a} against {b}" + (f" on axis {axis}" if axis is not None else "")


def _of_channels(met: Meeting, axis: int | None, a: int, b: int, held: roles.Role) -> Iterator[Evidence]:
    seen = _on(axis, a, b)
    low, high = sorted((a, b))
    if high <= 4 and (held == "channels" or met.rank is None or (met.rank == 3 and axis != 1)):
        if (low, high) == (1, 3):
            yield causes.GREY.since(f"{seen}: one colour channel against three", NUMBERS)
            yield NORMALISED.since(f"{seen}: one colour channel against three", FITS, a=a, b=b)
        elif high == 4 and low in (1, 3):
            yield causes.ALPHA.since(
                f"{seen}: four channels are RGB and alpha", NUMBERS if held == "channels" else FITS
            )
        elif high == 2 and low == 1:
            yield causes.ALPHA.since(f"{seen}: two channels are grey and alpha, or two classes", COMMON)
            yield causes.STEREO.since(f"{seen}: two channels of sound against one", COMMON + 0.02)
    elif held == "channels" and met.left is not None and met.right is not None and len(met.left) != len(met.right):
        yield causes.OTHER_SETTING.since(f"{seen}: a value for each channel", FITS, expected=max(a, b), got=min(a, b))
    elif held == "channels" and met.is_per_channel:
        vector = f"{seen}: one of the two holds a value for each channel, as a bias does"
        yield causes.OTHER_SETTING.since(vector, FITS, expected=a, got=b)
        yield causes.CHANNELS_LAST.since(vector, FITS)
        yield causes.NO_PROJECTION.since(vector, COMMON, a=a, b=b)
    elif held == "channels" and max(a, b) > MOST_FILTERS and met.rank == 5:
        tokens = f"{seen}: more than filters are; tokens of clips, with their heads behind them"
        yield causes.OTHER_LENGTH.since(tokens, FITS + 0.06)
        if abs(a - b) * 8 < low:
            rounded = f"{tokens}, if a side is no multiple of a patch and of the stride before it"
            yield causes.ODD_SIZE.since(rounded, FITS)
    elif held == "channels":
        yield causes.NO_PROJECTION.since(f"{seen}, which are numbers of filters", NUMBERS, a=a, b=b)
        if met.rank in (4, 5) and low < 48 and ({a, b} <= LATENTS or {a, b} in WITH_MASKS):
            coded = f"{seen}: numbers of channels that image and video autoencoders give"
            yield OTHER_LATENTS.since(coded, FITS + 0.1)
        if low in (1, 3, 4) and high == 2 * low:
            both = f"{seen}: twice the channels of an image or of latents, as a mean and a variance beside it"
            yield causes.BOTH_DIRECTIONS.since(both, COMMON + 0.1)
            yield causes.STACKED_INPUT.since(f"{seen}: two images, one above the other", COMMON + 0.08, a=a, b=b)
    elif held == "unknown" and axis == 1:
        if {a, b} <= counts.UNET_WIDTHS:
            patched = f"{seen}: widths of a diffusion model's levels, which patches and adapters of a release count on"
            yield causes.OTHER_RELEASE.since(patched, FITS)
        if {a, b} <= counts.UNET_WIDTHS or ({a, b} & LATENTS and {a, b} & counts.UNET_WIDTHS):
            family = f"{seen}: widths of a diffusion model, of which a ControlNet or an adapter has to have the same"
            yield causes.OTHER_ENCODER.since(family, COMMON + 0.12, expected=b, got=a)
        if {a, b} <= LATENTS or {a, b} in WITH_MASKS:
            coded = f"{seen}: numbers of channels that image and video autoencoders give"
            yield OTHER_LATENTS.since(coded, FITS + 0.1)
        if {a, b} <= sizes.ENCODERS.keys():
            known = f"{seen}: widths as encoders have them"
            near = sizes.is_power_of_two(sizes.ratio(a, b))
            yield causes.OTHER_ENCODER.since(known, COMMON + 0.1 if near else FITS + 0.04, expected=b, got=a)
        times = sizes.ratio(a, b)
        if times in (2, 4, 5, 7, 8) and low >= 2 and 12 <= high <= 64 and high % 4 == 0 and not {a, b} <= LATENTS:
            heads = f"{seen}: {times} times as many, if these are heads of attention"
            yield causes.KEY_HEADS.since(heads, COMMON + 0.01 if times == 2 else FITS + 0.02)
        if low == 3 and times and high <= 36:
            yield causes.STACKED_INPUT.since(f"{seen}: {times} times three colours", COMMON + 0.04, a=a, b=b)
        filters = low % 8 == 0 and high % 8 == 0 and high <= MOST_FILTERS
        what = "both multiples of 8, as numbers of filters are" if filters else f"if axis {axis} holds the channels"
        yield causes.NO_PROJECTION.since(f"{seen}, {what}", FITS + 0.08 if filters else RARE, a=a, b=b)
    elif abs(a - b) == 1 and held == "features":
        pairs = f"{seen}: one more than an even number of features"
        yield ODD_WIDTH.since(pairs, FITS if met.rank == 3 and min(a, b) > 4 else RARE)
        yield causes.OTHER_COLUMNS.since(f"{seen}: one column more or less", COMMON + 0.05 if met.rank == 2 else RARE)
        if met.rank == 2 and met.framework in roles.CHANNELS_LAST_FRAMEWORKS and min(a, b) > 4:
            steps = f"{seen}: one step more or less, if these are tokens"
            yield causes.OTHER_LENGTH.since(steps, COMMON + 0.01)
        yield causes.OTHER_SETTING.since(f"{seen}, if axis {axis} holds the features", COMMON, expected=b, got=a)
    elif (sizes.is_width(a) and sizes.is_width(b)) or held == "features":
        features = (
            f"{seen}, if axis {axis} holds the features" if axis is not None else f"{seen}, if these are features"
        )
        yield causes.OTHER_SETTING.since(features, COMMON + (0.07 if held == "features" else 0), expected=b, got=a)
        if held == "unknown" and axis == 2 and {a, b} <= sizes.ENCODERS.keys():
            both = f"{features}: widths as encoders have them"
            yield causes.OTHER_ENCODER.since(both, FITS + 0.08, expected=b, got=a)
        if held == "features" and met.framework in roles.CHANNELS_LAST_FRAMEWORKS and met.rank == 2:
            yield from _of_columns(a, b, features)
        if held == "features" and sizes.is_width(a) and sizes.is_width(b):
            whose = f"{features}: widths as encoders have them"
            likely = FITS + 0.04 if {a, b} <= sizes.ENCODERS.keys() else FITS
            yield causes.OTHER_ENCODER.since(whose, likely, expected=b, got=a)


def _of_columns(a: int, b: int, seen: str) -> Iterator[Evidence]:
    """(batch, features) of a graph: outputs of two branches, or of a model and its labels."""
    low, high = sorted((a, b))
    if (maps := sizes.same_maps(a, b)) and min(maps[1:]) > 1:
        sides = f"{seen}: {maps[0]} maps of {maps[1]} x {maps[1]} and of {maps[2]} x {maps[2]}"
        yield causes.OTHER_INPUT_SIZE.since(sides, FITS)
    elif (one := sizes.root(a)) and (other := sizes.root(b)) and low >= 256:
        flat = f"{seen}: flattened maps of {one} x {one} and of {other} x {other}"
        yield causes.OTHER_INPUT_SIZE.since(flat, FITS + 0.06)
    if sizes.ratio(a, b) == 2:
        yield causes.BOTH_DIRECTIONS.since(f"{seen}: one is twice the other", COMMON + 0.03)
    if low >= 2 and high <= 1000 and not (sizes.is_power_of_two(low) and sizes.is_power_of_two(high)):
        yield OTHER_CLASSES.since(f"{seen}, or the classes", COMMON + 0.04, a=a, b=b)
    yield causes.NO_PROJECTION.since(f"{seen}: numbers of units of two branches", COMMON - 0.04, a=a, b=b)
    yield causes.OTHER_VALUE.since(seen, COMMON - 0.06)


def _of_scores(axis: int, a: int, b: int, seen: str) -> Iterator[Evidence]:
    """Axes 2 and 3 are a map's sides or the tokens of attention's scores (batch, heads, queries, keys)."""
    low, high = sorted((a, b))
    if axis == 2 and not sizes.is_power_of_two(sizes.ratio(a, b)):
        yield from of_known_classes(a, b, seen)
    if axis == 2 and {a, b} & counts.WORD_VECTORS and any(map(sizes.is_width, (a, b))):
        vectors = f"{seen}: the width of word vectors against that of a layer, if these are features"
        yield causes.OTHER_SETTING.since(vectors, FITS, expected=b, got=a)
    if 2 <= low <= 256 and high >= 16 * low:
        vector = f"{seen}: sides of two maps seldom differ as much; {low} may count classes or channels"
        yield ALONG_LAST.since(vector, FITS + 0.08 if low <= 32 else COMMON + 0.02)
        if axis == 3 and low in (3, 4):
            colours = f"{seen}: colours on the last axis of one, the width of an image on that of the other"
            yield causes.CHANNELS_LAST.since(colours, COMMON + 0.05)
    if axis == 3 and sizes.is_power_of_two(low) and low <= 64:
        samples = f"{seen}: {low} is a usual batch, and one number for each sample is aligned with the last axis"
        yield ONE_PER_SAMPLE.since(samples, COMMON - 0.07 if high < 16 * low else FITS if low > 4 else COMMON + 0.05)
    scores = f"{seen}, if these are attention's scores, whose last axes count tokens"
    if max(a, b) > 1024:
        # maps are seldom as large where branches meet; sequences are
        yield causes.OTHER_LENGTH.since(scores, FITS + 0.06)
        keys = f"{scores}: masks and cached keys differ from release to release"
        yield causes.OTHER_RELEASE.since(keys, FITS - 0.02)
        if axis == 2 and a % 8 == 0 and b % 8 == 0:
            widths = f"{seen}, if these are numbers of features: a layer, adapter or embedding of another width"
            yield causes.OTHER_SETTING.since(widths, FITS, expected=b, got=a)
    elif abs(a - b) <= 4:
        one, other = sizes.grid(a), sizes.grid(b)
        if one and other and one[0] == other[0] >= 7:
            patches = f"{scores}: {one[0]} x {one[0]} patches, with and without a token"
            yield causes.CLASS_TOKEN.since(patches, COMMON + 0.03)
        # as few rows are seldom trimmed at both ends
        yield causes.OTHER_LENGTH.since(scores, RARE + (0.09 if max(a, b) <= 16 else 0.06))
    else:
        power = sizes.is_power_of_two(sizes.ratio(a, b))
        yield causes.OTHER_LENGTH.since(scores, COMMON - 0.1 if power else COMMON + 0.01)


def _of_sides(met: Meeting, axis: int | None, a: int, b: int, held: roles.Role) -> Iterator[Evidence]:
    seen, gap, times = _on(axis, a, b), abs(a - b), sizes.ratio(a, b)
    side, low = held in ("space", "unknown") and not _is_inner(met, axis), min(a, b)
    if gap == 1 and low > 1:
        differ = f"{seen} differ by one, as a size does that was halved while odd and doubled again"
        maybe = held == "tokens" or _is_inner(met, axis)
        few = held == "unknown" and low < 8  # classes, boxes and coordinates are counted by as few
        last = met.rank is None and axis is not None and axis >= 4 and low < 8
        sure = FITS - 0.08 if last else FITS if max(a, b) > 1024 else FITS + 0.1 if few else NUMBERS
        yield causes.ODD_SIZE.since(differ, sure if side else COMMON + 0.04 if maybe else RARE)
        if held == "space" or (met.rank is None and axis in (2, 3)):
            odd = f"{seen}: cut off by the same number at both ends, an odd difference leaves one"
            # of maps a size that was halved is likelier; what is as long is made by transposed convolutions
            yield causes.CROPPED.since(odd, FITS - 0.01 if axis == 2 and low > 1024 else RARE + 0.08)
    elif gap <= 4 and low > 4 and not times:
        near = f"{seen} differ by {gap}: rounding on several levels does that"
        yield causes.ODD_SIZE.since(near, FITS + 0.02 if side else RARE)
        if gap % 2 == 0 and side:
            yield causes.NO_PADDING.since(f"{seen} differ by {gap}: an unpadded 3x3 convolution takes off two", FITS)
    elif (cells := sizes.cells_apart(a, b)) and side:
        level, fewer = cells
        odd = f"{seen}: {fewer} and {fewer + 1} times {level}, as a map of {fewer} that is halved with rounding up"
        agree = all(sizes.cells_apart(one, other) for _, one, other in met.apart) and len(met.apart) > 1
        yield causes.ODD_SIZE.since(odd, NUMBERS if agree else FITS + 0.03)
        trimmed = f"{seen} differ by {gap}: unpadded convolutions take off an even number"
        yield causes.NO_PADDING.since(trimmed, COMMON - 0.03)
    elif gap % 2 == 0 and side and not times and low > gap:
        trimmed = f"{seen} differ by {gap}: unpadded convolutions take off an even number"
        yield causes.NO_PADDING.since(trimmed, COMMON - 0.03)
    if times and low > 1 and side:
        power = sizes.is_power_of_two(times) and times <= 16
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
    elif times and side and axis is not None:
        one = f"{max(a, b)} against 1: the map has shrunk to one place on one branch"
        yield causes.OTHER_STRIDE.since(one, COMMON)
        yield causes.TOO_SMALL.since(one, COMMON - 0.02)
    elif _is_inner(met, axis):
        if 2 <= gap <= 4 and low >= 32:
            drift = f"{seen} differ by {gap}: if axis 1 is the height of an image, rounding on several levels does that"
            yield causes.ODD_SIZE.since(drift, COMMON + 0.03)
        aside = f"{seen}, if axis 1 is a side of an image"
        yield causes.OTHER_SETTING.since(f"{seen}, if axis 1 holds features", COMMON - 0.01, expected=b, got=a)
        yield causes.OTHER_RELEASE.since(f"{seen} tell nothing of releases; it is a frequent cause", COMMON - 0.02)
        yield causes.OTHER_RESOLUTION.since(aside, COMMON - 0.03)
        yield causes.OTHER_STRIDE.since(aside, COMMON - 0.03 if times and sizes.is_power_of_two(times) else RARE)
    elif side and gap > 1:
        yield causes.OTHER_RESOLUTION.since(
            f"{seen} are {sizes.in_ratio(a, b)}, as two input sizes may be", COMMON + 0.02
        )
        first, second = sizes.root(a) or 0, sizes.root(b) or 0
        if min(first, second) >= 7:
            patches = f"{seen}: {first} x {first} and {second} x {second} places, as the patches of images of two sizes"
            yield causes.OTHER_RESOLUTION.since(patches, FITS + 0.1)
        if met.rank is None and axis in (2, 3) and min(a, b) >= 16 and max(a, b) <= 4096:
            pictures = f"{seen}, if these are two images, or a network's output and what it is compared with"
            # latents of images stand in multiples of 8
            latents = axis == 3 and a % 8 == b % 8 == 0 and max(a, b) <= 256
            yield OTHER_PICTURES.since(pictures, COMMON + 0.012 * latents)
        if met.rank is None and axis == 3 and a % 4 == b % 4 == 0 and max(a, b) <= 320:
            grids = f"{seen}: grids of a detector's levels, which its weights keep; they changed between releases"
            yield causes.OTHER_RELEASE.since(grids, COMMON + 0.015)
        drift = f"{seen}: sizes that are no multiples of the stride drift apart by levels"
        padded = axis is not None and axis >= 4 and bool(sizes.rounded(a, b) or sizes.rounded(b, a))
        yield causes.ODD_SIZE.since(drift, COMMON + 0.015 if padded else RARE)
        yield causes.OTHER_STRIDE.since(f"{seen} differ by more than rounding", COMMON - 0.02)


def _of_length(met: Meeting, axis: int | None, a: int, b: int, held: roles.Role) -> Iterator[Evidence]:
    seen, one, other = _on(axis, a, b), sizes.grid(a), sizes.grid(b)
    if one and other and axis in (0, 1, None):
        if one[0] == other[0]:
            with_token = f"{seen}: both are {one[0]} x {one[0]} patches, with and without a token"
            alone = one[1] and other[1]  # two special tokens against one are rare
            sure = FITS + 0.11 if alone else NUMBERS + 0.02
            likely = FITS - 0.1 if held == "features" else sure if one[0] >= 7 else FITS
            yield causes.CLASS_TOKEN.since(with_token, likely)
        elif min(one[0], other[0]) >= 7 and held != "features":
            grids = f"{seen}: grids of {one[0]} x {one[0]} and {other[0]} x {other[0]} patches"
            weight = NUMBERS if one[1] == other[1] and held == "tokens" else FITS + 0.1
            if max(one[0], other[0]) < 14 and one[1] == other[1] == 0 and held != "tokens":
                weight = COMMON + 0.03  # 64 and 100 are as often other things
            # multiples of 64 that happen to be squares are numbers of channels as often, if they are no larger
            channels = a % 64 == 0 == b % 64 and max(a, b) <= MOST_FILTERS
            many = min(one[0], other[0]) >= 32  # 1024 and 4096 are tokens of latents as well
            yield causes.OTHER_RESOLUTION.since(grids, weight if not channels else FITS - 0.04 if many else COMMON)
            if one[1] == other[1] == 1:
                patched = f"{grids} and a token: image encoders of other patches (16, 32, 14), or of other images"
                yield causes.OTHER_ENCODER.since(patched, FITS + 0.02, expected=b, got=a)
            if min(one[0], other[0]) >= 14:
                if {a, b} & {576, 729}:
                    towers = f"{grids}, as image encoders of two families give (CLIP, SigLIP)"
                    yield causes.OTHER_ENCODER.since(towers, FITS, expected=b, got=a)
                encoders = f"{grids}, as image encoders give; which of them is counted on changes with the release"
                yield causes.OTHER_RELEASE.since(encoders, FITS + 0.02)
    if held in ("tokens", "unknown"):
        tokens = f"{seen}, if axis {axis} counts the tokens or steps of a sequence" if axis is not None else seen
        near = abs(a - b) == 1 and held == "unknown" and not _is_inner(met, axis)
        long = _is_inner(met, axis) and max(a, b) > 256
        weight = FITS if held == "tokens" else RARE + 0.02 if near else COMMON + (0.03 if long else 0)
        if abs(a - b) == 1 and _is_inner(met, axis) and min(a, b) > 16:
            tokens += ": one more or less, as a shift, a beginning or an end makes it"
            weight = FITS - 0.07
        yield causes.OTHER_LENGTH.since(tokens, weight)
        if held == "tokens":
            counted = f"{seen}: the number of steps, frames or patches is set in two places"
            yield causes.OTHER_SETTING.since(counted, RARE + 0.05, expected=a, got=b)
            if abs(a - b) % 2 == 0 and abs(a - b) <= 16 < min(a, b):
                trimmed = f"{seen} differ by {abs(a - b)}: convolutions over steps take off an even number"
                yield causes.NO_PADDING.since(trimmed, RARE + 0.08)
        widths = axis == 2 and {a, b} <= sizes.ENCODERS.keys()
        if axis == 2 and met.rank is None and sizes.are_frames(a, b):
            clips = f"{seen}: both one more than a multiple of four, as frames of clips are counted"
            yield causes.OTHER_LENGTH.since(clips, FITS + 0.04)
        if 77 in (a, b):
            clip = f"{seen}: 77 is the maximum of CLIP's text encoders, and of little else"
            yield causes.TOO_LONG.since(clip, NUMBERS + 0.02)
            yield causes.OTHER_LENGTH.since(clip, FITS + 0.08)
        elif min(a, b) in relations.MAXIMA and not sizes.is_power_of_two(sizes.ratio(a, b)) and not widths:
            yield causes.TOO_LONG.since(f"{min(a, b)} is a usual maximum of tokens", FITS)
        elif min(a, b) in relations.MAXIMA:
            yield causes.TOO_LONG.since(f"{min(a, b)} is a usual maximum of tokens", COMMON)
