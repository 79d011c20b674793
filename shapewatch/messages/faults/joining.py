"""Values are joined along an axis, stacked, or cut into parts."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, roles, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.meeting import SKIPS, Meeting, evidence, meeting
from shapewatch.messages.faults.wording import listed, of_rank, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

OTHER_AXIS = Cause(
    "they are joined along the wrong axis: the axis that differs is not the one of the concatenation, e.g. after "
    "changing between channels-first and channels-last",
    "Join along axis {axis}.",
    "Say what each axis is, and compare it with the concatenation's `axis` (`dim`, `concat_axis`).",
    {
        "keras": "x = layers.Concatenate(axis={axis})([a, b])",
        "torch": "x = torch.cat([a, b], dim={axis})",
        "tensorflow": "x = tf.concat([a, b], axis={axis})",
    },
)
RANKS_DIFFER = Cause(
    "they have different ranks: a vector is joined with a matrix or a map without the axes in between",
    "Give the shorter one the missing axes (reshape, expand or repeat it), or flatten the longer one.",
    "Print both shapes.",
)


def concat(pasted: Pasted) -> Told:
    if _collects(pasted) and facts.size(pasted, "axis") in (0, None):
        # before PyTorch 1.5 a stack was a concatenation along a new first axis, and worded so
        return _collected(pasted)
    along = facts.size(pasted, "axis")
    values = _values(pasted)
    expected, got = facts.size(pasted, "expected", "a"), facts.size(pasted, "got", "b")
    index = facts.size(pasted, "index")
    differs_on = facts.size(pasted, "differs", "other_axis", "at", "dimension")
    left, right = _two_that_differ(values, along)
    met = _meeting(pasted, left, right, along, expected, got, differs_on)
    what = _joined(values, expected, got, met)
    where = "" if along is None else f" along axis {along}"
    headline = f"values cannot be joined{where}: {what}"
    number = f" (number {index} of the list)" if index is not None else ""
    meaning = (
        "A concatenation puts values one behind the other along one axis, so all the other axes must agree, and so "
        f"must the ranks.{where and f' They are joined{where}.'} {what[0].upper()}{what[1:]}{number}."
    )
    return told(pasted, "SW401", headline, meaning, _of_joining(pasted, met, values, along))


def _collects(pasted: Pasted) -> bool:
    return pasted.raises("collate_fn", "collate.py") or pasted.runs("default_collate", "torch.stack(batch")


def _collected(pasted: Pasted) -> Told:
    a, b = facts.size(pasted, "expected", "a"), facts.size(pasted, "got", "b")
    # the new axis of the batch stands before the sample's own
    at = facts.size(pasted, "differs", "other_axis", "at", "dimension")
    own = f" on axis {at - 1} of a sample" if at is not None and at > 0 else ""
    said = f": {a} against {b}{own}" if a is not None and b is not None else ""
    rule = "samples of one batch must all have one shape"
    meaning = f"A batch is collected by stacking its samples, which needs one shape{said}."
    return told(pasted, "SW902", f"{rule}{said}", meaning, _of_collecting(a, b, at))


def _of_collecting(a: Size, b: Size, at: Size) -> Iterator[Evidence]:
    seen = f"{a} against {b}" if a is not None and b is not None else "it was raised while a batch was collected"
    yield UNEQUAL_SAMPLES.since(seen, FITS + 0.08)
    yield LENGTHS.since(seen, FITS if at == 1 else COMMON)
    if 0 in (a, b):
        yield EMPTY_SAMPLE.since(f"{seen}: one of them has nothing there", NUMBERS)
    if a is not None and b is not None and max(a, b) <= 4:
        yield MIXED_CHANNELS.since(f"{seen} may be numbers of channels", NUMBERS if {a, b} <= {1, 3, 4} else FITS)
    yield CROPPED_OTHERWISE.since(seen, COMMON - 0.05)


EMPTY_SAMPLE = Cause(
    "a sample is empty: a crop beyond the border of an image that is smaller than the crop, a file without entries, or "
    "everything filtered out",
    "Leave out (or pad) samples that are smaller than the crop, and those without entries.",
    "Print the shape of each sample, and the file it comes from.",
)


def _values(pasted: Pasted) -> tuple[Shape, ...]:
    given = facts.shapes(pasted, "inputs")
    if given:
        return given
    left, right = facts.shape(pasted, "left"), facts.shape(pasted, "right")
    return (left, right) if left is not None and right is not None else ()


def _two_that_differ(values: tuple[Shape, ...], along: Size) -> tuple[Shape | None, Shape | None]:
    """The first value, and the first that does not fit it."""
    for other in values[1:]:
        if len(other) != len(values[0]) or _outside(values[0], other, along):
            return values[0], other
    return (values[0], values[1]) if len(values) > 1 else (None, None)


def _outside(left: Shape, right: Shape, along: Size) -> list[sizes.Apart]:
    rank = len(left)
    joined = along % rank if along is not None and rank else None
    return [each for each in sizes.apart(left, right) if each[0] != joined]


def _meeting(
    pasted: Pasted, left: Shape | None, right: Shape | None, along: Size, expected: Size, got: Size, at: Size
) -> Meeting:
    framework = pasted.reading.framework
    if left is not None and right is not None:
        found = _outside(left, right, along)
        # joined along the last axis, or the one with the channels, where the message does not tell
        if along is None and len(left) == len(right) and len(found) > 1:
            found = [each for each in found if each[0] != _usual_axis(left, framework)]
        return Meeting(framework, left, right, tuple(found), max(len(left), len(right)))
    if expected is not None and got is not None:
        return meeting(pasted, None, None, (at, expected, got))
    return Meeting(framework, left, right, (), None)


def _usual_axis(shape: Shape, framework: str) -> int:
    channels = roles.channels_axis(shape, framework)
    return len(shape) - 1 if channels is None else channels


def _joined(values: tuple[Shape, ...], expected: Size, got: Size, met: Meeting) -> str:
    if values:
        shapes = listed(shaped(each) for each in values[:4]) + (" and more" if len(values) > 4 else "")
        if len({len(each) for each in values}) > 1:
            return f"{shapes} have different ranks ({listed(of_rank(len(each)) for each in values[:4])})"
        return f"{shapes} differ" + (f" on {met.differing}" if met.apart else "")
    if expected is not None and got is not None:
        axis = met.apart[0][0] if met.apart else None
        return f"{f'axis {axis}' if axis is not None else 'another axis'} differs, {expected} against {got}"
    return "their other axes differ"


def _of_joining(pasted: Pasted, met: Meeting, values: tuple[Shape, ...], along: Size) -> Iterator[Evidence]:
    ranks = {len(each) for each in values}
    if any(0 in each[1:] for each in values):
        gone = "one of the sizes is 0: the map has shrunk to nothing before"
        yield causes.CHANNELS_LAST.since(f"{gone}, as with channels that are taken for a side", NUMBERS)
        yield causes.TOO_SMALL.since(gone, FITS + 0.1)
    if len(ranks) > 1:
        yield RANKS_DIFFER.since(f"ranks {listed(map(str, sorted(ranks)))}", NUMBERS)
    yield from _other_axis(values, along)
    if not values and len(met.apart) == 1 and along == 1:
        # `Sizes of tensors must match except in dimension 1`: maps joined along their channels
        axis, a, b = met.apart[0]
        if axis != 0 and abs(a - b) <= 4 and min(a, b) > 1:
            yield causes.ODD_SIZE.since(
                f"{a} and {b} differ by {abs(a - b)}, as sides do that were halved while odd and doubled again",
                SAID - 0.05 if abs(a - b) == 1 else NUMBERS,
            )
    if not values and along == 0 and met.apart:
        _, a, b = met.apart[0]
        yield UNEQUAL_SAMPLES.since(f"results of several batches or samples are joined: {a} against {b}", FITS + 0.05)
        yield causes.OTHER_LENGTH.since(f"{a} against {b}, if these are tokens or steps", FITS)
        yield causes.OTHER_SETTING.since(f"{a} against {b}, if these are features", COMMON, expected=a, got=b)
    if len(ranks) < 2:
        # channels may differ where values are joined along them: a projection is no cause here
        maps = not values and along == 1
        unlikely = {causes.NO_PROJECTION, *([causes.OTHER_LENGTH] if maps else [])}
        if not values and along == 0:
            # rows of batches are joined, no branches of a network
            unlikely |= {causes.OTHER_STRIDE, causes.NO_PADDING, causes.OTHER_RESOLUTION}
        yield from (each for each in evidence(pasted, met) if each.cause not in unlikely)
        if maps:
            yield causes.OTHER_LENGTH.since("if these are sequences and no maps", RARE)
            yield from _of_maps(met)
    else:
        yield causes.LOST_AXIS.since("an axis was squeezed or reduced on one of them", COMMON)
        yield causes.EXTRA_AXIS.since("one of them still has the axes of a map or a sequence", COMMON - 0.02)
    if pasted.runs(*SKIPS):
        yield causes.ODD_SIZE.since("the names in the lines above it speak of a skip connection", COMMON)
        yield causes.OTHER_STRIDE.since("the names in the lines above it speak of a skip connection", COMMON)
    if not met.apart and len(ranks) < 2:
        common = "a common cause of this error"
        yield causes.ODD_SIZE.since(common, COMMON)
        yield causes.OTHER_STRIDE.since(common, COMMON)
        yield OTHER_AXIS.since(common, COMMON - 0.05, axis=-1)


def _of_maps(met: Meeting) -> Iterator[Evidence]:
    """Maps are joined along their channels, and the message tells no shapes: most of these are sizes that the total
    stride does not divide, and the batch may differ as well as a side."""
    for axis, a, b in met.apart:
        low, high = sorted((a, b))
        drift = f"{a} against {b}: sides that are no multiple of the total stride drift apart from level to level"
        yield causes.ODD_SIZE.since(drift, COMMON - 0.01 if low > 4 and sizes.ratio(a, b) is None else RARE + 0.03)
        if axis is None and (low, high) == (1, 2):
            yield causes.OTHER_BATCH.since(f"{a} against {b}: if the batch is what differs", FITS - 0.1)
        if axis is None and low <= 4 and high >= 16 * low:
            yield causes.CHANNELS_LAST.since(f"{a} against {b}: {low} may be colours, and no side", FITS - 0.08)


def _other_axis(values: tuple[Shape, ...], along: Size) -> Iterator[Evidence]:
    """All values differ on one axis alone, and it is not the one they are joined along."""
    if len(values) < 2 or len({len(each) for each in values}) > 1:
        return
    rank = len(values[0])
    differing = {axis for other in values[1:] for axis, _, _ in sizes.apart(values[0], other)}
    joined = along % rank if along is not None and rank else None
    if len(differing) == 1 and joined not in differing and joined is not None:
        (axis,) = differing
        rounded = any(abs(a - b) <= 2 for other in values[1:] for _, a, b in sizes.apart(values[0], other))
        seen = f"axis {axis} alone differs, and they are joined along axis {joined}"
        yield OTHER_AXIS.since(seen, FITS if rounded or axis == 0 else NUMBERS, axis=axis)
        yield causes.CHANNELS_LAST.since(seen, RARE if rounded or axis == 0 or rank < 4 else FITS)
    elif len(differing) == 1 and joined is None and rank >= 3 and (differing & {rank - 1, 1}):
        (axis,) = differing
        rounded = any(abs(a - b) <= 2 for other in values[1:] for _, a, b in sizes.apart(values[0], other))
        if not rounded:
            seen = f"axis {axis} alone differs, as the axis of a concatenation may"
            yield OTHER_AXIS.since(seen, NUMBERS, axis=axis)
            yield causes.CHANNELS_LAST.since(seen, FITS if rank >= 4 else RARE)


# Stacks and batches of samples

UNEQUAL_SAMPLES = Cause(
    "the samples have different sizes (images, volumes, clips, sequences as they were recorded) and nothing brings "
    "them to one before they are put together",
    "Resize, crop or pad every sample to one size in the data set, or pad each batch in a `collate_fn`.",
    "Print the shape of each sample of the batch; sort the files by size.",
    {
        "torch": "batch = torch.nn.utils.rnn.pad_sequence(samples, batch_first=True)    # sequences, in a collate_fn",
        "tensorflow": "dataset = dataset.padded_batch(batch_size)",
        "keras": "x = keras.utils.pad_sequences(samples)",
    },
)
MIXED_CHANNELS = Cause(
    "the files are mixed: some have another number of channels (greyscale among RGB, RGBA, mono among stereo)",
    "Convert every file on loading to one mode (`convert('RGB')`, one channel).",
    "Print the shape and mode of each file.",
)
MIXED_RANKS = Cause(
    "some samples have an axis more than others: stereo among mono, a channel axis kept for some and dropped for "
    "others, one label or many",
    "Bring all to one rank on loading: mix down to mono, or keep the axis for all.",
    "Print the shape of each sample.",
)
CROPPED_OTHERWISE = Cause(
    "some are cropped, resized or augmented and others are not: two stages (or models) give different parts of one "
    "input",
    "Bring them back to one size (pad the crop, resize) before they are stacked.",
    "Print the shape after each transform.",
)
LENGTHS = Cause(
    "each sample has another number of entries (boxes, tokens, frames, points), which cannot be one tensor",
    "Pad them to the longest, or keep them in a list with a `collate_fn` of your own.",
    "Print the first axis of each sample.",
    {"torch": "loader = DataLoader(dataset, collate_fn=lambda batch: tuple(zip(*batch)))"},
)


def stack(pasted: Pasted) -> Told:
    return _of_samples(pasted, "SW402", "values that are stacked must all have one shape")


def samples(pasted: Pasted) -> Told:
    return _of_samples(pasted, "SW902", "samples of one batch must all have one shape")


def _of_samples(pasted: Pasted, code: str, rule: str) -> Told:
    first, other = facts.shape(pasted, "first", "left", "target"), facts.shape(pasted, "other", "right", "given")
    inputs = facts.shapes(pasted, "inputs")
    if (first is None or other is None) and len(inputs) > 1:
        first, other = _two_that_differ(inputs, None)
    entry = facts.size(pasted, "entry")
    loading = code == "SW902" or "dataloader" in pasted.wrapped_by or pasted.runs("collate", "dataloader")
    which = f" at entry {entry}" if entry is not None else ""
    shapes = f": {shaped(first)} first, {shaped(other)}{which}" if first is not None and other is not None else ""
    headline = f"{rule}{shapes}"
    meaning = (
        f"{rule[0].upper()}{rule[1:]}, because a new axis is put in front of them.{_where_apart(first, other)}"
        + (" It was raised while a batch was collected from its samples." if loading else "")
    )
    return told(pasted, "SW902" if loading else code, headline, meaning, _of_stack(first, other, loading))


def _where_apart(first: Shape | None, other: Shape | None) -> str:
    if first is None or other is None:
        return ""
    if len(first) != len(other):
        return f" Here the ranks differ: {of_rank(len(first))} and {of_rank(len(other))}."
    apart = listed(f"axis {axis}: {a} against {b}" for axis, a, b in sizes.apart(first, other))
    return f" Here {apart}." if apart else ""


def _of_stack(first: Shape | None, other: Shape | None, loading: bool) -> Iterator[Evidence]:
    if first is None or other is None:
        common = "a common cause of this error"
        yield UNEQUAL_SAMPLES.since(common, FITS)
        yield LENGTHS.since(common, COMMON)
        yield MIXED_CHANNELS.since(common, COMMON - 0.05)
        return
    if len(first) != len(other):
        ranks = f"{shaped(first)} has {of_rank(len(first))}, {shaped(other)} {len(other)}"
        yield MIXED_RANKS.since(ranks, NUMBERS + 0.05)
        yield causes.LOST_AXIS.since(ranks, COMMON)
        yield MIXED_CHANNELS.since(ranks, FITS)
        return
    apart = sizes.apart(first, other)
    seen = f"{shaped(first)} against {shaped(other)}"
    if sizes.is_reordered(first, other):
        yield causes.CHANNELS_LAST.since(f"{seen}: the same sizes in another order", COMMON)
        yield ROTATED.since(f"{seen}: the same sizes in another order", FITS)
    for axis, a, b in apart:
        channels = len(first) in (3, 4) and max(a, b) <= 4 and axis in (0, 1, len(first) - 1)
        # of sound, (channels, samples), the other axis is long; of boxes, (number, 4), it is short
        sound = len(first) == 2 and axis == 0 and max(a, b) <= 2 and (first[1] or 0) > 100
        if channels or sound:
            yield MIXED_CHANNELS.since(f"{seen}: {a} and {b} are numbers of channels", NUMBERS)
        if 0 in (a, b):
            yield EMPTY_SAMPLE.since(f"{seen}: one of them has nothing on axis {axis}", NUMBERS)
    if len(apart) >= 2 and len(first) >= 3:
        yield UNEQUAL_SAMPLES.since(f"{seen}: several axes differ, as the sides of images do", FITS + 0.08)
        yield CROPPED_OTHERWISE.since(f"{seen}: several axes differ", FITS if not loading else COMMON)
    elif len(apart) == 1:
        only = f"{seen}: axis {apart[0][0]} alone differs"
        leading = apart[0][0] == 0
        if leading and len(first) > 1 and 1 in apart[0][1:] and max(apart[0][1:]) > 4:
            yield causes.LAST_BATCH.since(f"{only}: one of them is a batch of one", FITS + 0.06)
        yield LENGTHS.since(only, FITS + (0.05 if leading or len(first) == 1 else 0))
        yield UNEQUAL_SAMPLES.since(only, FITS)
        yield CROPPED_OTHERWISE.since(only, COMMON - 0.05)
        if abs(apart[0][1] - apart[0][2]) == 1 and len(first) >= 3:
            yield causes.ODD_SIZE.since(f"{only}, by one", COMMON)
    if not loading:
        yield causes.LAST_BATCH.since(
            "results of several batches are stacked, the last one smaller",
            COMMON if any(axis == 0 for axis, _, _ in apart) else RARE,
        )
    yield UNEQUAL_SAMPLES.since(seen, COMMON)


ROTATED = Cause(
    "upright and lying images are mixed: height and width are swapped for some",
    "Resize all to one height and width (square crops do not care), or sort them into batches by orientation.",
    "Print the height and width of each file, after its EXIF rotation.",
)


# Splits

ONE_ROW = Cause(
    "the axis that is split is a batch axis of 1, and the lengths count what stands on the next axis",
    "Take the batch axis off before the split, or split along the other axis.",
    "Print the shape of what is split.",
    {"torch": "parts = x.squeeze(0).split(lengths)    # or x.split(lengths, dim=1)"},
)
OTHER_LENGTHS = Cause(
    "the list of lengths was made for other data than what is split: samples, tokens or devices were left out, "
    "padded or added in one of the two",
    "Compute the lengths from the same (filtered, padded) data that are split.",
    "Print the lengths, their sum, and the size of the axis.",
)
NOT_EVEN = Cause(
    "the axis cannot be cut into equal parts: its size is no multiple of their number",
    "Use a size that is divisible, or give the sizes of the parts.",
    "Print the size of the axis, and the number of parts.",
)


def split(pasted: Pasted) -> Told:
    parts, whole = facts.shape(pasted, "sizes"), facts.size(pasted, "size")
    number, axis = facts.size(pasted, "parts"), facts.size(pasted, "axis")
    total = sum(size for size in parts if size is not None) if parts is not None and None not in parts else None
    where = f" on axis {axis}" if axis is not None else ""
    if parts is not None:
        headline = f"parts of {shaped(parts)} do not make the {sized(whole)}{where} that are split"
        listing = f"The parts that are asked for make {sized(total)} together; the axis has {sized(whole)}."
    else:
        headline = f"an axis of {sized(whole)}{where} cannot be cut into {sized(number)} equal parts"
        listing = f"The axis has {sized(whole)}, and {sized(number)} parts are asked for."
    meaning = f"A split cuts an axis into parts that must make it up exactly. {listing}"
    return told(pasted, "SW403", headline, meaning, _of_split(parts, whole, total, number))


def _of_split(parts: Shape | None, whole: Size, total: Size, number: Size) -> Iterator[Evidence]:
    if parts is None:
        seen = f"{sized(whole)} into {sized(number)}"
        yield NOT_EVEN.since(seen, NUMBERS)
        yield causes.OTHER_SETTING.since(seen, FITS, expected=f"a multiple of {sized(number)}", got=sized(whole))
        yield causes.SWAPPED.since("along another axis it may be divisible", COMMON)
        return
    seen = f"{sized(total)} against {sized(whole)}"
    equal = len(parts) > 1 and len(set(parts)) == 1 and whole is not None and parts[0]
    if equal and whole is not None and parts[0] and whole // len(parts) == parts[0]:
        rest = f"{whole} = {len(parts)} x {parts[0]} + {whole % len(parts)}"
        yield NOT_EVEN.since(f"{rest}: equal parts, rounded down", SAID - 0.05)
        many = f"a multiple of {len(parts)}"
        yield causes.OTHER_SETTING.since(
            f"{rest}: a width that the parts divide is needed", FITS, expected=many, got=whole
        )
    if whole == 1 and total != 1:
        yield ONE_ROW.since(f"the axis that is split has size 1, the parts make {sized(total)}", SAID)
        yield OTHER_LENGTHS.since(seen, COMMON)
        yield causes.OTHER_BATCH.since(seen, RARE)
        return
    gap = sizes.difference(total, whole)
    yield OTHER_LENGTHS.since(
        f"{seen}: {sized(gap)} {'missing' if total and whole and total < whole else 'too many'}", FITS + 0.08
    )
    yield causes.OTHER_LENGTH.since(seen, FITS)
    yield causes.OTHER_SETTING.since(seen, FITS - 0.05 if len(parts) <= 4 else RARE, expected=total, got=whole)
    yield causes.SPLIT_BATCH.since(seen, COMMON - 0.03)
    yield causes.BOTH_DIRECTIONS.since(seen, FITS if sizes.ratio(total, whole) == 2 else RARE)
