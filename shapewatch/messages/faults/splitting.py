"""An axis is cut into parts."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.meeting.classes import OTHER_CLASSES
from shapewatch.messages.faults.wording import shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

ONE_ROW = Cause(
    "the axis that is split is a batch axis of 1, and the lengths count what stands on the next axis",
    "Take the batch axis off before the split, or split along the other axis.",
    "Print the shape of what is split.",
    {"torch": "parts = x.squeeze(0).split(lengths)    # or x.split(lengths, dim=1)"},
)
OTHER_LENGTHS = Cause(
    "the list of lengths was made for other data than what is split (samples, tokens or devices were left out, padded "
    "or added in one of the two), or is computed with another rounding, by a division before or after a product",
    "Compute the lengths from the same (filtered, padded) data that are split, rounded as these are.",
    "Print the lengths, their sum, and the size of the axis.",
)
NOTHING_COUNTED = Cause(
    "what the lengths count is not in the data any more: a prompt that was truncated lost its image (or audio) tokens, "
    "or all were filtered out",
    "Raise the maximum length or make what is counted smaller (fewer pixels, shorter clips), and leave out samples "
    "from which all was cut.",
    "Count the special tokens in the input, and compare its length with the maximum.",
)
ROWS_FOR_EACH = Cause(
    "an axis was folded into the rows before the split (features, places or steps, by a flatten or a view; the output "
    "of a layer that was changed): there are {times} rows for each that the lengths count",
    "Keep that axis behind the rows, or multiply the lengths by it.",
    "Print the shape of what is split, and of the output that it is made of.",
)
FOR_ONE_SAMPLE = Cause(
    "the parts are counted for one sample (its views, crops, queries and references), and {times} samples come on the "
    "same axis",
    "Give each sample its own axis before the split, take one sample at a time (a batch of 1), or multiply the parts.",
    "Compare the axis with the batch size and the number of entries for each sample.",
)
OTHER_FORMAT = Cause(
    "the rows have another number of columns than the format that is cut: boxes with or without an angle, a score, a "
    "class or the number of their image, corners or centre and size, more or fewer coordinates",
    "Use the format (or the option for it) that the data have, or cut only the columns that are there.",
    "Print one row, and say what each of its numbers is.",
)
NOT_EVEN = Cause(
    "the axis cannot be cut into equal parts: its size is no multiple of their number",
    "Use a size that is divisible, or give the sizes of the parts.",
    "Print the size of the axis, and the number of parts.",
)


FEWER_PARTS = Cause(
    "the axis is shorter than the number of parts, so fewer come out: the width is not the one that is cut (an axis of "
    "1, features for half of the parts), or another axis is cut than is meant",
    "Cut the axis that holds the parts, and make its width a multiple of their number.",
    "Print the shape of what is cut, and the axis.",
    {"torch": "scale, shift = x.chunk(2, dim=-1)"},
)


FEW_ENTRIES = 16
"""So many views, crops or columns stand together at most."""


def parts(pasted: Pasted) -> Told:
    """What is cut into parts, and taken apart into names."""
    wanted, came = facts.size(pasted, "expected"), facts.size(pasted, "got")
    headline = f"a tensor is to be cut into {sized(wanted)} parts, and only {sized(came)} came out"
    meaning = (
        "A tensor is cut along one axis and each part gets a name. `chunk` gives fewer parts than are asked for where "
        f"the axis is too short or does not divide. Here {sized(wanted)} names wait for {sized(came)}."
    )
    seen = f"{sized(came)} of {sized(wanted)} parts"
    evidence = [
        FEWER_PARTS.since(seen, FITS + 0.06),
        causes.SWAPPED.since(f"{seen}: another axis may hold them", FITS),
        causes.OTHER_RELEASE.since(f"{seen}: a value that was made of two parts in another release", COMMON),
        causes.OTHER_BATCH.since(f"{seen}, if the batch was doubled for guidance", COMMON if wanted == 2 else RARE),
    ]
    return told(pasted, "SW403", headline, meaning, evidence)


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
    return told(pasted, "SW403", headline, meaning, _of_split(parts, whole, total, number, axis))


def _of_colours(whole: Size, number: Size, seen: str) -> Iterator[Evidence]:
    """An image is taken apart into its channels, or two images that lie on each other into both."""
    if (whole, number) == (4, 3):
        yield causes.ALPHA.since(f"{seen}: red, green and blue are cut, and an alpha channel is there", NUMBERS + 0.06)
    elif (whole, number) in ((1, 3), (2, 3)):
        grey = f"{seen}: red, green and blue are cut" + (", of a grey image" if whole == 1 else ", of grey and alpha")
        yield (causes.GREY if whole == 1 else causes.ALPHA).since(grey, NUMBERS + 0.06)


def _of_split(parts: Shape | None, whole: Size, total: Size, number: Size, axis: Size) -> Iterator[Evidence]:
    if parts is None:
        seen = f"{sized(whole)} into {sized(number)}"
        yield from _of_colours(whole, number, seen)
        yield NOT_EVEN.since(seen, NUMBERS)
        yield causes.OTHER_SETTING.since(seen, FITS, expected=f"a multiple of {sized(number)}", got=sized(whole))
        yield causes.SWAPPED.since("along another axis it may be divisible", COMMON)
        return
    seen = f"{sized(total)} against {sized(whole)}"
    if set(parts) == {1}:
        yield from _of_colours(whole, total, seen)
    equal = len(parts) > 1 and len(set(parts)) == 1 and whole is not None and parts[0]
    if equal and whole is not None and parts[0] and whole // len(parts) == parts[0]:
        rest = f"{whole} = {len(parts)} x {parts[0]} + {whole % len(parts)}"
        yield NOT_EVEN.since(f"{rest}: equal parts, rounded down", SAID - 0.05)
        many = f"a multiple of {len(parts)}"
        yield causes.OTHER_SETTING.since(
            f"{rest}: a width that the parts divide is needed", FITS, expected=many, got=whole
        )
    if total == 0:
        nothing = f"the parts make 0, and there are {sized(whole)}: nothing was counted"
        yield NOTHING_COUNTED.since(nothing, FITS + 0.1)
        yield OTHER_LENGTHS.since(nothing, FITS)
        yield causes.OTHER_SETTING.since(nothing, COMMON, expected=total, got=whole)
        return
    if whole == 1 and total != 1:
        yield ONE_ROW.since(f"the axis that is split has size 1, the parts make {sized(total)}", SAID)
        yield OTHER_LENGTHS.since(seen, COMMON)
        yield causes.OTHER_BATCH.since(seen, RARE)
        return
    few = 0.0
    if axis not in (0, None) and 2 <= len(parts) <= 4 and whole and total:
        few = COMMON + 0.02
        yield from _of_features(parts, whole, total)
    gap = sizes.difference(total, whole)
    yield OTHER_LENGTHS.since(
        f"{seen}: {sized(gap)} {'missing' if total and whole and total < whole else 'too many'}", few or FITS + 0.08
    )
    times = sizes.ratio(total, whole)
    if axis == 0 and total and whole and whole > total and times:
        several = f"{whole} = {times} x {total}: {times} rows for each that the lengths count"
        yield ROWS_FOR_EACH.since(several, FITS + 0.1 if times > 2 else COMMON, times=times)
        if 1 in parts and total <= FEW_ENTRIES:
            yield FOR_ONE_SAMPLE.since(f"{whole} = {times} x {total}", FITS + 0.12, times=times)
    if axis != 0 and 1 in parts and max(total or 0, whole or 0) <= FEW_ENTRIES:
        columns = f"{seen}: a few columns, cut into {len(parts)} parts"
        yield OTHER_FORMAT.since(columns, FITS + 0.1)
    yield causes.OTHER_LENGTH.since(seen, few - 0.02 if few else FITS)
    yield causes.OTHER_SETTING.since(seen, FITS - 0.05 if len(parts) <= 4 else RARE, expected=total, got=whole)
    yield causes.SPLIT_BATCH.since(seen, COMMON - 0.03)
    if axis != 0:
        yield causes.BOTH_DIRECTIONS.since(seen, FITS if times == 2 else RARE)


def _of_features(parts: Shape, whole: int, total: int) -> Iterator[Evidence]:
    """Features are cut into a few named parts: queries, keys and values; a detector's boxes and classes."""
    seen, times = f"{total} against {whole}", sizes.ratio(total, whole)
    listed = [part for part in parts if part is not None]
    missing = [part for part in listed if abs(total - whole) == part]
    if missing:
        made = "made without" if total > whole else "made with one more such as"
        part = f"{seen}: what is cut was {made} the part of {missing[0]}"
        yield PART_MISSING.since(part, FITS + 0.1)
    if len(listed) == 3 and len(set(listed[1:])) == 1 and whole == 3 * listed[0] != total:
        yield causes.KEY_HEADS.since(f"{seen}: {whole} = 3 x {listed[0]}, as with as many keys as queries", FITS + 0.1)
    if len(listed) == 2 and listed[0] == 64 and whole == 4 + listed[1]:
        decoded = (
            f"{whole} = 4 + {listed[1]}: the box has its 4 numbers already, where 4 x 16 of a distribution are cut"
        )
        yield DECODED.since(decoded, FITS + 0.16)
    if times in (2, 4, 8) and total > whole:
        share = f"{seen}: {total} is {times} times {whole}, as where each device holds a share of the features"
        yield causes.SPLIT_BATCH.since(share, FITS + 0.04)
    classes = len(listed) > 1 and (listed[-1] > 1 or listed[0] == 64)
    if classes and whole > total - listed[-1] and (listed[0] == 64 or max(listed[:-1]) <= 5):
        mine, theirs = listed[-1], whole - (total - listed[-1])
        scores = f"{seen}: behind the box stand {mine} classes on the one side and {theirs} on the other"
        yield OTHER_CLASSES.since(scores, FITS + 0.12, a=mine, b=theirs)
    yield causes.OTHER_SETTING.since(f"{seen}: widths of the parts and of the whole", FITS, expected=total, got=whole)
    yield causes.OTHER_RELEASE.since(
        f"{seen}: code and weights of two releases cut their features otherwise", FITS - 0.06
    )


DECODED = Cause(
    "the model gives decoded boxes (4 numbers and the classes' scores), and the line takes the raw outputs of the head "
    "apart: another mode (evaluation or export in place of training), output or release of the model",
    "Take the raw maps (the model in training mode, its second output), or leave the decoding out.",
    "Print the shapes of everything the model returns, in both modes.",
)
PART_MISSING = Cause(
    "one of the parts is not in what is cut (or one more is): another path, variant or release of the model makes it "
    "with other parts (a rotary part, a gate, a bias, keys for fewer heads) than this line counts on",
    "Use the code that belongs to the model, or cut only the parts that are there.",
    "Print the shape of what is cut, and follow it back to the layer that makes it.",
)
