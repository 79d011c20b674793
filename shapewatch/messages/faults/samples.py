"""Values that are stacked, and the samples of a batch: all of them must have one shape."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.fed import OBJECTS
from shapewatch.messages.faults.meeting.pictures import SHORT_SIDE
from shapewatch.messages.faults.wording import listed, of_rank, shaped
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

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
    "each sample has another number of entries (boxes, tokens, frames, points, residues), which cannot be one tensor: "
    "nothing pads them, or the sampler that is to put samples of one length together does not (its batches do not come "
    "out even with the batch size or the number of devices)",
    "Pad them to the longest, keep them in a list with a `collate_fn` of your own, or make the samples of each length "
    "a multiple of the batch.",
    "Print the first axis of each sample.",
    {"torch": "loader = DataLoader(dataset, collate_fn=lambda batch: tuple(zip(*batch)))"},
)


SEVERAL_VALUES = Cause(
    "it is a tuple of several values, as a call returned them, and not one value: an array with its lengths or its "
    "info, where an older release returned the array alone (from gym 0.26 on `reset()` returns observation and info)",
    "Unpack what the call returns, and convert the one value that is meant.",
    "Print the type of what is converted, and of its first entries.",
    {"tensorflow": "observation, info = env.reset()"},
)


OLD_ORDER = Cause(
    "the arguments stand in the order of TensorFlow before 1.0, `concat(axis, values)` (or `split(axis, parts, "
    "value)`): the list of values is taken for the axis, and packed into one tensor",
    "Write `tf.concat(values, axis)`, or run the code with the release that it was written for.",
    "Look at the calls of `concat`, `split`, `pack` and `stack` near this line.",
    {"tensorflow": "x = tf.concat([a, b], 1)    # in place of tf.concat(1, [a, b])"},
)
BEYOND_THE_BORDER = Cause(
    "a crop (a window, a clip of so many samples, frames or points) is cut off at the border or the end, or the image "
    "(recording, series, cloud) is smaller than it, so that less comes out than was asked for: slicing does not "
    "complain",
    "Keep the crop's corner within `side - crop`, and pad (or resize, or leave out) what is smaller than it.",
    "Print the size of the whole and the crop's corner for the smaller one.",
    {"torch": "crop = transforms.RandomCrop(size, pad_if_needed=True)"},
)


LONG_CLIP = 1000
"""What is as long is sound, a series or a cloud of points, of which a part is taken."""
MAXIMA = frozenset({64, 77, 128, 256, 512, 1024, 2048, 4096})
"""Maximum lengths that texts are cut to."""


def stack(pasted: Pasted) -> Told:
    return _of_samples(pasted, "SW402", "values that are stacked must all have one shape")


def samples(pasted: Pasted) -> Told:
    return _of_samples(pasted, "SW902", "samples of one batch must all have one shape")


def _of_samples(pasted: Pasted, code: str, rule: str) -> Told:
    first, other = facts.shape(pasted, "first", "left", "target"), facts.shape(pasted, "other", "right", "given")
    inputs = facts.shapes(pasted, "inputs")
    if (first is None or other is None) and len(inputs) > 1:
        first, other = inputs[0], next((each for each in inputs[1:] if each != inputs[0]), inputs[1])
    entry = facts.size(pasted, "entry")
    loading = code == "SW902" or "dataloader" in pasted.wrapped_by or pasted.runs("collate", "dataloader")
    which = f" at entry {entry}" if entry is not None else ""
    shapes = f": {shaped(first)} first, {shaped(other)}{which}" if first is not None and other is not None else ""
    headline = f"{rule}{shapes}"
    meaning = (
        f"{rule[0].upper()}{rule[1:]}, because a new axis is put in front of them.{_where_apart(first, other)}"
        + (" It was raised while a batch was collected from its samples." if loading else "")
    )
    if facts.word(pasted, "what") == "a sequence":
        return told(pasted, code, *_of_sequence(first), _of_entries(pasted, first, other))
    evidence = [*_of_node(facts.word(pasted, "node")), *_of_stack(first, other, loading)]
    if facts.word(pasted, "op") == "array of objects":
        evidence.append(OBJECTS.since("the message says it: the entries of an array are objects", FITS + 0.1))
    return told(pasted, "SW902" if loading else code, headline, meaning, evidence)


def _of_sequence(first: Shape | None) -> tuple[str, str]:
    """What is said where a list or tuple of Python is turned into one array, whatever it holds."""
    headline = "a list or tuple whose entries are not all of one shape cannot become one array"
    so_far = f" It is regular as far as {shaped(first)}, and no further." if first else ""
    return headline, f"An array (or tensor) has one size on each axis, so all entries must have one shape.{so_far}"


def _of_entries(pasted: Pasted, first: Shape | None, other: Shape | None) -> Iterator[Evidence]:
    yield from _of_stack(first, other, loading=True)
    a, b = facts.size(pasted, "expected"), facts.size(pasted, "got")
    if a is not None and b is not None:
        yield LENGTHS.since(f"lists of {a} and of {b} entries", FITS + 0.1)
    if "inhomogeneous" in pasted.reading.message:
        refused = "NumPy refuses it from release 1.24 on; before, it made an array of objects, and code may count on it"
        yield causes.OTHER_RELEASE.since(refused, COMMON + 0.12)
    elif "array element" in pasted.reading.message:
        yield OBJECTS.since(
            "a cell or entry may hold a list, an array or a text: the message does not tell", FITS - 0.01
        )
    two = first is not None and first[:1] == (2,)
    pair = "two entries, as a pair that a call returned" if two else "a tuple is turned into an array entry for entry"
    yield SEVERAL_VALUES.since(pair, FITS + 0.04 if two else FITS - 0.02)


def _of_node(node: str) -> Iterator[Evidence]:
    """A concatenation whose axis TensorFlow has to build first: it was given a list of values."""
    if node.endswith(("concat_dim", "concat/axis")):
        order = f"{node} is the axis of a concatenation: the values stand where TensorFlow takes the axis"
        yield OLD_ORDER.since(order, NUMBERS)
        yield causes.OTHER_RELEASE.since(f"{order} from release 1.0 on, `concat(values, axis)`", FITS + 0.1)


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
        yield MIXED_CHANNELS.since(ranks, FITS if max(len(first), len(other)) >= 3 else RARE)
        if 0 in (*first, *other):
            yield EMPTY_SAMPLE.since(f"{ranks}, and one of them holds nothing", NUMBERS + 0.06)
        return
    apart = sizes.apart(first, other)
    seen = f"{shaped(first)} against {shaped(other)}"
    if sizes.is_reordered(first, other):
        turned = f"{seen}: the same sizes in another order"
        colours = len(first) == 3 and _channels(first) != _channels(other) and first[_channels(first)] in (1, 3, 4)
        yield causes.CHANNELS_LAST.since(turned, NUMBERS if colours else COMMON)
        yield ROTATED.since(turned, COMMON if colours else FITS)
    for axis, a, b in apart:
        channels = len(first) in (3, 4) and max(a, b) <= 4 and axis in (0, 1, len(first) - 1)
        # of sound, (channels, samples), the other axis is long; of boxes, (number, 4), it is short
        sound = len(first) == 2 and axis == 0 and max(a, b) <= 2 and (first[1] or 0) > 100
        if channels or sound:
            yield MIXED_CHANNELS.since(f"{seen}: {a} and {b} are numbers of channels", NUMBERS)
        if 0 in (a, b):
            yield EMPTY_SAMPLE.since(f"{seen}: one of them has nothing on axis {axis}", NUMBERS)
    if len(first) >= 4 and _are_levels(first, other):
        levels = f"{seen}: every side is twice the other's, as of the levels of one pyramid"
        yield LEVELS_AS_ONE.since(levels, FITS + 0.12)
        yield causes.OTHER_RELEASE.since(f"{levels}: what takes a list in one release stacks it in another", FITS + 0.1)
    if _is_cut_off(first, other):
        cut = f"{seen}: one has equal sides, as a crop, and no side of the other is longer"
        yield BEYOND_THE_BORDER.since(cut, FITS + (0.1 if len(apart) >= 2 else 0.06))
    if len(apart) >= 2 and len(first) >= 3:
        yield UNEQUAL_SAMPLES.since(f"{seen}: several axes differ, as the sides of images do", FITS + 0.08)
        yield CROPPED_OTHERWISE.since(f"{seen}: several axes differ", FITS if not loading else COMMON)
    elif len(apart) == 1:
        only = f"{seen}: axis {apart[0][0]} alone differs"
        _, one, two = apart[0]
        leading = apart[0][0] == 0
        colours = len(first) == 3 and leading and max(one, two) <= 4
        if one % 77 == 0 == two % 77:
            chunks = f"{only}: {one // 77} and {two // 77} times the 77 tokens that CLIP takes at once"
            yield causes.PROMPT_CHUNKS.since(chunks, NUMBERS)
        if leading and two < one and sizes.is_power_of_two(one) and one >= 8 and len(first) > 1:
            yield causes.LAST_BATCH.since(f"{only}: {one} is a usual batch, and {two} what is left", FITS + 0.02)
        if _is_round(max(one, two)) and not _is_round(min(one, two)) and max(one, two) - min(one, two) > 1:
            set_size = f"{only}: {max(one, two)} is a round number, as is set for a window, and the other less"
            yield BEYOND_THE_BORDER.since(set_size, FITS + (0.03 if max(one, two) >= LONG_CLIP else -0.02))
        if leading and len(first) <= 2 and {one, two} & MAXIMA and abs(one - two) < 9:
            cut = f"{only}: {min({one, two} & MAXIMA)} is a usual maximum length, to which one was cut"
            yield causes.OTHER_LENGTH.since(cut, FITS + 0.02)
        if leading and len(first) > 1 and 1 in apart[0][1:] and max(apart[0][1:]) > 4:
            yield causes.LAST_BATCH.since(f"{only}: one of them is a batch of one", FITS + 0.06)
        if _is_image(first) and _is_image(other) and apart[0][0] != _channels(first):
            yield UNEQUAL_SAMPLES.since(f"{only}, a side of images", FITS + 0.1)
            short = f"{only}, and the other side is the same: images that are brought to one height or width"
            yield SHORT_SIDE.since(short, FITS + 0.08)
            yield LENGTHS.since(only, COMMON)
        else:
            yield LENGTHS.since(only, COMMON if colours else FITS + (0.05 if leading or len(first) == 1 else 0))
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


def _is_round(size: int) -> bool:
    """Whether it is a number that people set: a power of two, or one that ends in zeros."""
    return size >= 16 and (sizes.is_power_of_two(size) or size % (10 if size < 1000 else 100) == 0)


def _are_levels(first: Shape, other: Shape) -> bool:
    apart = sizes.apart(first, other)
    return len(apart) == 2 and all(sizes.ratio(a, b) == 2 for _, a, b in apart)


LEVELS_AS_ONE = Cause(
    "a list of maps of several sizes (the outputs or the labels of a pyramid's levels) is turned into one tensor, "
    "where it was to stay a list: by an operation that stacks lists, or a release that does",
    "Hand the maps over one by one (as a tuple, as arguments of their own), and use the releases that the code was "
    "written for.",
    "Look for what is given the list, and print its type.",
)


def _is_cut_off(first: Shape, other: Shape) -> bool:
    """Whether one is a square (or a cube) with its channels, and the other the same or less on every side."""
    if len(first) not in (3, 4) or None in (*first, *other):
        return False
    at = _channels(first)
    one, two = ([size or 0 for axis, size in enumerate(shape) if axis != at] for shape in (first, other))
    crop, rest = (one, two) if len(set(one)) == 1 else (two, one)
    is_crop = len(set(crop)) == 1 and crop[0] >= 16 and first[at] == other[at]
    return is_crop and rest != crop and all(0 < side <= crop[0] for side in rest)


def _channels(shape: Shape) -> int:
    return len(shape) - 1 if shape[-1] in (1, 3, 4) else 0


def _is_image(shape: Shape) -> bool:
    """Two sides, and the channels behind or in front of them."""
    if len(shape) != 3 or None in shape:
        return False
    at = _channels(shape)
    return shape[at] in (1, 3, 4) and min(size or 0 for axis, size in enumerate(shape) if axis != at) >= 32


ROTATED = Cause(
    "upright and lying images are mixed: height and width are swapped for some",
    "Resize all to one height and width (square crops do not care), or sort them into batches by orientation.",
    "Print the height and width of each file, after its EXIF rotation.",
)


# Collected along an axis that the message names


def collected(pasted: Pasted) -> Told:
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
    "a sample is empty: a crop beyond the border of an image that is smaller than the crop, a file without entries (an "
    "image without objects), or everything filtered out",
    "Leave out (or pad) samples that are smaller than the crop, and those without entries.",
    "Print the shape of each sample, and the file it comes from.",
)
