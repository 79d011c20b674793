"""Values that are stacked, and the samples of a batch: all of them must have one shape."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
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
    "a sample is empty: a crop beyond the border of an image that is smaller than the crop, a file without entries, or "
    "everything filtered out",
    "Leave out (or pad) samples that are smaller than the crop, and those without entries.",
    "Print the shape of each sample, and the file it comes from.",
)
