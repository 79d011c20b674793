"""Masks and indices of another shape than what they choose from, and indices beyond its end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.classes import IGNORED_LABEL
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.meeting.classes import CLASS_COUNTS
from shapewatch.messages.faults.operations import NOTHING_COLLECTED
from shapewatch.messages.faults.relations import MERGED_SAMPLES
from shapewatch.messages.faults.wording import listed, of_rank, sentence, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

MASK_OF_OTHER = Cause(
    "the mask was made for another tensor: for another image size or crop (square where the data are not), another "
    "length, or before the data were filtered",
    "Make the mask from the tensor that it chooses from, or resize both to one size.",
    "Print both shapes, and see where the mask is made.",
)
COUNTED_ONCE = Cause(
    "an entry is counted in one of the two only: the background class, a special token, a padding row, or a row that "
    "was filtered or lost on the way (a box that belongs to no level)",
    "Count it in both (set the number of classes with or without the background alike).",
    "Compare the two numbers with the number of classes or tokens in the configuration.",
)
TRUNCATED = Cause(
    "the sequence was cut to its maximum length while the values for its tokens (position ids, image features, "
    "labels) were computed for the whole one, or the other way round",
    "Raise the maximum length (cutoff), or cut both alike; use fewer or smaller images or frames per sample.",
    "Compare {smaller} with the configured maximum length.",
)
PLACEHOLDERS = Cause(
    "the number of placeholder tokens in the text is not the number of features that replace them (images, frames, "
    "audio)",
    "Use the processor and model of one release, and do not cut the text inside its placeholders.",
    "Count the placeholder tokens in the input ids, and the features.",
)
FEWER_PLACES = Cause(
    "fewer places are chosen than values come: a maximum (queries, slots, boxes, capacity) is set too small for "
    "this sample",
    "Raise the maximum, or leave out the values that have no place.",
    "Compare the number of values with the configured maximum.",
)
MORE_PLACES = Cause(
    "more places are chosen than values come: a store (memory, buffer, slots for each class) reserves a fixed number, "
    "and fewer samples were collected, or some were filtered out",
    "Reserve as many as there are values, or write into the first of the places alone.",
    "Compare the number of values with the number that is reserved.",
    {"torch": "store[places[: len(values)]] = values"},
)
ONE_SIDE = Cause(
    "the place was made square, from one side alone, and the values are not: code for square maps, or a library's own "
    "version in place of the project's",
    "Give the place both sides of the values.",
    "Print both shapes, and see what the place's last two sizes are made of.",
)
OTHER_ROWS = Cause(
    "the index has rows for another batch than the values: {a} against {b}",
    "Index the values of the same batch: check which states and actions, or labels, go together.",
    "Print both shapes.",
)
INDEX_RANK = Cause(
    "index, values and source need the same number of axes",
    "Give the index the missing axis (`unsqueeze`), and take it off the result.",
    "Print the shapes.",
    {"torch": "chosen = values.gather(1, index.unsqueeze(1)).squeeze(1)"},
)
EXPANDED_INDEX = Cause(
    "the index was expanded to another width than the values have: that of another tensor (embedding for hidden size), "
    "or one that is written down: {a} against {b}",
    "Expand it to the values it chooses from, `index.expand(-1, -1, values.size(-1))`.",
    "Print the shape of what is chosen from just before this line.",
)
PADDED_FURTHER = Cause(
    "the index (labels, positions, a mask) is padded to another length than the values: to the configured maximum, for "
    "outputs that are as long as the longest sequence of the batch: {a} against {b}",
    "Cut the index to the values' length, or pad both to one length.",
    "Print both lengths, and compare them with the configured maximum.",
    {"torch": "index = index[:, : values.size(1)]"},
)
STRICT_GATHER = Cause(
    "releases before PyTorch 1.6 ask for equal sizes on all other axes; later ones accept a smaller index",
    "Update PyTorch, or cut the values to the index's rows: `values[:len(index)].gather(1, index)`.",
)


def _of_placeholders(pasted: Pasted, features: Size, tokens: Size) -> Told:
    seen = f"{sized(features)} features for {sized(tokens)} placeholder tokens"
    evidence = [PLACEHOLDERS.since(seen, NUMBERS)]
    release = "the processor counts the placeholders, the model the features, and both change with the release"
    evidence.append(causes.OTHER_RELEASE.since(release, FITS))
    if features is not None and tokens is not None and features > tokens > 0:
        smaller = f"{seen}: fewer than there are features, as where a maximum length cuts the text"
        evidence.append(TRUNCATED.since(smaller, FITS + 0.04, smaller=tokens))
    evidence.append(causes.OTHER_SETTING.since(seen, COMMON, expected=sized(tokens), got=sized(features)))
    return _told(pasted, seen, evidence)


def of_mask(pasted: Pasted, mask: Shape, given: Shape) -> Told:
    return _told(
        pasted,
        f"a mask of shape {shaped(mask)} does not fit the axes of shape {shaped(given)} that it lies on",
        list(_of_mask(pasted, mask, given)),
    )


def index_shape(pasted: Pasted) -> Told:
    if facts.word(pasted, "op") == "placeholders":
        return _of_placeholders(pasted, facts.size(pasted, "features"), facts.size(pasted, "tokens"))
    mask, index, given = (facts.shape(pasted, name) for name in ("mask", "index", "input"))
    value, place = facts.shape(pasted, "value"), facts.shape(pasted, "selected")
    moved = index is not None and (value is not None or given is not None)
    if mask is not None:
        what = f"a mask of shape {shaped(mask)} does not fit the tensor of shape {shaped(given)}"
        evidence = list(_of_mask(pasted, mask, given))
    elif moved:
        others = listed(
            f"{name} of shape {shaped(shape)}"
            for name, shape in (("a tensor", given), ("a source", value))
            if shape is not None
        )
        what = f"an index of shape {shaped(index)} does not fit {others}"
        along = facts.size(pasted, "along")
        unlike = [shape for shape in (value, given) if shape is not None and _is_unlike(index or (), shape, along)]
        evidence = list(_of_gather(pasted, index or (), unlike[0] if unlike else given, along))
    elif value is not None:
        into = (
            f"the place of shape {shaped(place)} it is written into"
            if place is not None
            else "the place it is written into"
        )
        what = f"a value of shape {shaped(value)} does not fit {into}"
        evidence = list(_of_writing(value, place))
    else:
        a, b = facts.size(pasted, "a", "expected", "entries"), facts.size(pasted, "b", "got", "indices")
        axis = facts.size(pasted, "axis")
        sizes_said = f": {b} against {a}" + (f" on axis {axis}" if axis is not None else "") if a and b else ""
        several = listed(map(shaped, facts.shapes(pasted, "indices")))
        what = f"indices do not fit{sizes_said or (': ' + several if several else '')}"
        evidence = list(_of_numbers(pasted, a, b, axis, facts.shapes(pasted, "indices")))
    return _told(pasted, what, evidence)


def _told(pasted: Pasted, what: str, evidence: list[Evidence]) -> Told:
    meaning = (
        "A boolean mask needs the sizes of the axes that it lies on; an index needs the rank of what it chooses from "
        "and must "
        "not be larger on the other axes; values that are written need the shape of the place, or stretch to it. "
        f"{sentence(what)}."
    )
    return told(pasted, "SW404", what, meaning, evidence)


def _of_mask(pasted: Pasted, mask: Shape, given: Shape | None) -> Iterator[Evidence]:
    on, of = facts.size(pasted, "axis"), facts.size(pasted, "input_axis")
    here = mask[on] if on is not None and 0 <= on < len(mask) else None
    there = given[of] if given is not None and of is not None and 0 <= of < len(given) else None
    if here is not None and there is not None and here != there:
        seen = f"{here} in the mask against {there} on axis {of} of the tensor"
        yield MASK_OF_OTHER.since(seen, FITS + 0.05)
        if abs(here - there) == 1:
            yield COUNTED_ONCE.since(f"{seen} differ by one", FITS + 0.1 if of else FITS)
            if of == 0:
                yield causes.LAST_BATCH.since(f"{seen}: one sample more or less", FITS)
        alone = given is not None and len(mask) == len(given) > 2 and len(sizes.apart(mask, given)) == 1
        if here == 1 < there and of and alone:
            yield MASK_OF_ONE_CHANNEL.since(f"{seen}, and all the others agree", NUMBERS)
        if here == 1 < there and of and len(mask) == of + 1:
            single = f"{seen}: the mask ends with an axis of 1"
            yield causes.TRAILING_ONE.since(single, FITS + 0.08)
        if abs(here - there) == 2 and of and min(here, there) >= 16:
            yield COUNTED_ONCE.since(f"{seen}: two more, as the tokens at both ends of a text", FITS)
        yield from _of_layout(mask, given or (), here, there, of)
        yield causes.OTHER_LENGTH.since(seen, COMMON + 0.02)
        whole = of == 0 and given is not None and len(mask) == len(given) > 1 and mask[1:] == given[1:]
        batch = FITS if whole else COMMON if of == 0 and abs(here - there) > 1 else RARE
        yield causes.LAST_BATCH.since(seen, batch)
        if whole:
            yield causes.OTHER_BATCH.since(f"{seen}, the first alone", COMMON + 0.04)
        if of == 0 and here > 1 and there > 1 and (times := sizes.ratio(here, there)) and times <= 16:
            yield causes.SEVERAL_EACH.since(f"{seen}: {times} entries for each, if these are samples", FITS)
    else:
        yield MASK_OF_OTHER.since(f"{shaped(mask)} against {shaped(given)}", FITS)
        yield causes.OTHER_LENGTH.since(f"{shaped(mask)} against {shaped(given)}", COMMON)
    if given is not None and 0 < len(mask) < len(given) and None not in mask and mask == given[-len(mask) :]:
        ends = f"the mask {shaped(mask)} is how {shaped(given)} ends, and a mask lies on the first axes"
        yield causes.SWAPPED.since(ends, NUMBERS)
    elif given is not None and sizes.is_reordered(mask, given):
        yield causes.SWAPPED.since(f"{shaped(mask)} and {shaped(given)} hold the same sizes in another order", NUMBERS)
    elif given is not None and len(mask) != len(given):
        yield causes.LOST_AXIS.since(f"the mask has {of_rank(len(mask))}, the tensor {len(given)}", COMMON)


def _of_layout(mask: Shape, given: Shape, here: int, there: int, of: Size) -> Iterator[Evidence]:
    times = sizes.ratio(here, there)
    if len(mask) == 1 and len(given) > 1 and sizes.count(given) == here:
        flat = f"{here} is the product of {shaped(given)}: the mask is flat and the tensor is not"
        yield causes.ONE_FLATTENED.since(flat, SAID)
    elif len(mask) > 1 and sizes.count(mask) == there and sizes.count(given) == there:
        flat = f"{there} is the product of {shaped(mask)}: the tensor is flat and the mask is not"
        yield causes.ONE_FLATTENED.since(flat, SAID)
    elif len(mask) == len(given) == 2 and mask == given[::-1] and 1 in mask:
        flat = f"{shaped(mask)} and {shaped(given)} hold as many entries: one was flattened before the other"
        yield causes.ONE_FLATTENED.since(flat, NUMBERS)
    elif times and there > here > 1 and len(mask) == 1 and len(given) > 1 and sizes.squeezed(given) == (there,):
        folded = f"{there} is {times} times {here}: the tensor was flattened over {times} rows and the mask was not"
        yield causes.ONE_FLATTENED.since(folded, FITS + 0.08)
    elif times and there > here > 1 and (times >= 8 or sizes.root(times)):
        lacking = f"{there} is {times} times {here}: the tensor was flattened over an axis (a side) that the mask lacks"
        yield causes.ONE_FLATTENED.since(lacking, FITS + 0.03)
    elif times and here > there > 1:
        folded = f"{here} is {times} times {there}: another axis may be folded into the mask"
        yield causes.ONE_FLATTENED.since(folded, FITS)
    if there == 1 and of == 0 and here > 4:
        single = f"the tensor has one row, and {here} are chosen from: a value that was not filled yet, or a stand-in"
        yield causes.OTHER_VALUE.since(single, FITS - 0.04)
    if of and len(mask) == 1 and given[:1] == mask:
        rows = f"{here} is the size of the tensor's axis 0, and the mask stands in the place of axis {of}"
        yield INDEX_AS_MASK.since(rows, FITS + 0.06)


MASK_OF_ONE_CHANNEL = Cause(
    "the mask has one channel for all of the tensor's: a boolean mask is not stretched as a factor would be",
    "Expand it to the tensor (`mask.expand_as(x)`), or multiply (`torch.where`), which stretches.",
    "Print both shapes.",
    {"torch": "x[mask.expand_as(x)] = value"},
)
INDEX_AS_MASK = Cause(
    "an index is taken for a mask, because its values are of type bool or uint8: class numbers, one for each row",
    "Make it an index of integers (`labels.long()`).",
    "Print its dtype.",
    {"torch": "chosen = values[torch.arange(len(labels)), labels.long()]"},
)


def _is_unlike(index: Shape, other: Shape, along: Size) -> bool:
    """Whether an index has another rank than a tensor, or another size on an axis that it does not run along."""
    return len(index) != len(other) or any(axis != along for axis, _, _ in sizes.apart(index, other))


def _of_gather(pasted: Pasted, index: Shape, given: Shape | None, along: Size) -> Iterator[Evidence]:
    if given is None or len(index) != len(given):
        ranks = f"the index has {of_rank(len(index))}" + (f", the tensor {len(given)}" if given is not None else "")
        yield INDEX_RANK.since(ranks, NUMBERS)
        yield causes.LOST_AXIS.since(ranks, FITS)
        yield causes.TRAILING_ONE.since(ranks, COMMON)
        return
    equal = "same size" in pasted.reading.message
    for axis, a, b in sizes.apart(index, given):
        seen = f"{a} in the index against {b} on axis {axis}"
        if axis == along or (a < b and not equal and axis):
            continue  # where it is said to be refused for its size, an index may be smaller
        if axis == 0 and b == 1 and a > 1:
            yield MERGED_SAMPLES.since(f"{seen}: one row for {a} samples", FITS + 0.08)
        if axis == 0:
            yield from _of_rows(pasted, seen, a, b)
            continue
        is_last = axis == len(given) - 1
        yield causes.OTHER_LENGTH.since(f"{seen}, if the axis counts tokens or steps", FITS - (0.02 if is_last else 0))
        padded = f"{seen}: labels or masks that are padded to a maximum, for outputs as long as the longest sample is"
        yield PADDED_FURTHER.since(padded, FITS + 0.04 if a > b and not is_last else COMMON, a=a, b=b)
        yield EXPANDED_INDEX.since(seen, FITS + 0.06 if is_last else COMMON, a=a, b=b)
        if a < b:
            yield STRICT_GATHER.since("the wording is that of an old release", FITS - 0.04 if _is_old(pasted) else RARE)
    yield causes.SWAPPED.since("the index may run along another axis than is meant", COMMON - 0.05)


def _of_rows(pasted: Pasted, seen: str, a: int, b: int) -> Iterator[Evidence]:
    yield OTHER_ROWS.since(seen, FITS + 0.05, a=a, b=b)
    if abs(a - b) <= 2 < min(a, b):
        yield COUNTED_ONCE.since(f"{seen}: {abs(a - b)} more or less", FITS + 0.02)
    if a < b:
        yield STRICT_GATHER.since("the wording is that of an old release", FITS if _is_old(pasted) else RARE - 0.1)
    yield causes.LAST_BATCH.since(seen, COMMON)
    yield causes.OTHER_BATCH.since(seen, COMMON - 0.02)


def _of_writing(value: Shape, place: Shape | None) -> Iterator[Evidence]:
    seen = f"{shaped(value)} into {shaped(place)}"
    apart = sizes.apart(value, place) if place is not None else []
    if place is not None and sizes.is_reordered(value, place):
        yield causes.SWAPPED.since(f"{seen}: the same sizes in another order", SAID - 0.05)
    for axis, a, b in apart[-1:]:
        if len(value) == len(place or ()) == 3 and axis == 0 and {a, b} == {1, 3}:
            colours = f"{seen}: one colour channel against three"
            yield (causes.COLOUR if a == 3 else causes.GREY).since(colours, NUMBERS)
        yield from _of_places(seen, axis, a, b, max(len(value), len(place or ())))
        wide = len(value) == 2 and value[-1] == (place or (None,))[-1] and (value[-1] or 0) >= LEAST_EMBEDDING
        if wide and axis == 0 and b:
            features = f"{seen}: rows of {value[-1]} features, as those of images that replace placeholders are"
            yield PLACEHOLDERS.since(features, FITS + 0.05 if max(a, b) > 64 else COMMON + 0.1)
            yield causes.OTHER_RELEASE.since(features, COMMON + 0.01)
        if len(value) < len(place or ()) or (axis > 0 and max(a, b) <= 1000):
            counted = f"{a} against {b} on axis {axis}: joints, features or classes, as one side counts them"
            yield causes.OTHER_SETTING.since(counted, FITS, expected=b, got=a)
    if place is not None and len(value) == len(place) >= 3 and len(apart) == 1 and place[-1] == place[-2]:
        yield ONE_SIDE.since(f"{seen}: the place is as high as wide", FITS + 0.08)
    if place is not None and len(value) > 1 and value[:-1] == place and value[-1] != 1:
        several = f"{seen}: {sized(value[-1])} values come for each place, and one fits"
        yield causes.OTHER_VALUE.since(f"{several}: all columns or scores in place of one", FITS + 0.04)
    if place is not None and len(value) == len(place) == 3 and {value[0], place[0]} <= {1, 3} and len(apart) == 2:
        sides = f"{seen}: pictures of other sides"
        yield causes.OTHER_RESOLUTION.since(sides, FITS + 0.04)
    if place is not None and 0 in place and 0 not in value:
        yield causes.NOTHING_LEFT.since(f"{seen}: nothing was chosen", NUMBERS)
    yield MASK_OF_OTHER.since(f"{seen}: the place may be chosen by a mask", COMMON)
    if not apart:
        yield causes.LAST_BATCH.since(seen, COMMON)
        yield TRUNCATED.since(seen, COMMON - 0.05, smaller="the smaller number")


LEAST_EMBEDDING = 256
"""Tokens of text have no fewer features as a rule."""


def _of_places(seen: str, axis: int, a: int, b: int, rank: int) -> Iterator[Evidence]:
    """`a` values come for `b` places. The longer they are, the likelier they are tokens."""
    if b == 0:
        yield PLACEHOLDERS.since(f"{seen}: there is no place at all", NUMBERS)
        yield MASK_OF_OTHER.since(f"{seen}: the mask that chooses the place is empty", FITS)
        yield causes.OTHER_RELEASE.since("processor, model and training code change together", FITS - 0.02)
        return
    if rank >= 4:
        yield causes.OTHER_SETTING.since(f"{seen}: a size of the configuration", FITS, expected=b, got=a)
        yield causes.OTHER_RESOLUTION.since(f"{seen}: axis {axis} of maps", FITS - 0.02)
        yield causes.OTHER_RELEASE.since(f"{seen}: code of a library for other maps than the project's", COMMON)
        return
    many = max(a, b) > 1000
    tokens = f"{a} values for {b} places on axis {axis}" + (", if they are the tokens of a sequence" if many else "")
    yield TRUNCATED.since(tokens, FITS + 0.1 if many and a > b and a - b > 1 else COMMON - 0.02, smaller=min(a, b))
    yield PLACEHOLDERS.since(tokens, FITS if many else RARE)
    if a > b:
        yield FEWER_PLACES.since(f"{a} values for {b} places", RARE if many else FITS)
    elif not many and axis == 0:
        yield MORE_PLACES.since(f"{a} values for {b} places", FITS + 0.02)
    if many and abs(a - b) * 10 < b:
        yield MASK_OF_OTHER.since(f"{a} and {b} are near: a border that is rounded, padded or filtered otherwise", FITS)
    yield causes.OTHER_RELEASE.since("processor, model and training code change together", COMMON if many else RARE)
    yield causes.LAST_BATCH.since(seen, FITS if axis == 0 and not many else RARE)
    if (one := sizes.grid(a)) and (other := sizes.grid(b)) and one[0] == other[0] >= 7:
        token = f"{tokens}: both are {one[0]} x {one[0]} patches, with and without a token"
        yield causes.CLASS_TOKEN.since(token, FITS + 0.08)
    yield causes.OTHER_BATCH.since(seen, COMMON - 0.06 if axis == 0 else RARE - 0.05)


def _of_together(indices: tuple[Shape, ...]) -> Iterator[Evidence]:
    """Indices of several axes, `x[rows, columns]`."""
    shapes = listed(map(shaped, indices))
    if len({len(each) for each in indices}) > 1:
        yield INDEX_RANK.since(f"{shapes}: one lacks an axis", FITS + 0.02)
        return
    if all(len(each) == 1 for each in indices):
        rows = f"{shapes}: rows and columns are chosen in pairs, one of each for each sample"
        yield causes.LAST_BATCH.since(f"{rows}; `range(batch_size)` counts a full batch", FITS)
        yield OTHER_ROWS.since(rows, FITS + 0.02, a=sized(indices[0][0]), b=sized(indices[-1][0]))
        yield CHOSEN_IN_PAIRS.since(rows, FITS - 0.02)


CHOSEN_IN_PAIRS = Cause(
    "two lists (or masks) of different length stand in one index, which takes them in pairs; a block of rows and "
    "columns was meant",
    "Choose along one axis after the other, or give one list an axis more.",
    "Print the length of both.",
    {
        "torch": "block = x[rows][:, columns]    # or x[rows[:, None], columns]",
        "numpy": "block = x[np.ix_(rows, columns)]",
    },
)


def _of_numbers(pasted: Pasted, a: Size, b: Size, axis: Size, indices: tuple[Shape, ...]) -> Iterator[Evidence]:
    if a is not None and b is not None and "boolean" in pasted.reading.message.lower():
        seen = f"{a} in the mask against {b}"
        yield MASK_OF_OTHER.since(seen, FITS + 0.1)
        if sizes.are_sides(a, b):
            lying = f"{seen}: height and width of one picture, as (width, height) of a library against (rows, columns)"
            yield causes.SWAPPED.since(lying, FITS + 0.08)
        if a == 1 < b:
            yield causes.TRAILING_ONE.since(f"{seen}: an axis of 1 that the mask has for itself", FITS + 0.08)
        elif a in (3, 4) and axis == 2:
            yield causes.MASK_CHANNELS.since(f"{seen}: a mask with colours", FITS + 0.05)
        yield COUNTED_ONCE.since(seen, FITS + 0.02 if abs(a - b) == 1 else RARE)
        yield causes.OTHER_LENGTH.since(seen, COMMON + 0.05)
        yield causes.OTHER_VALUE.since(seen, COMMON)
    elif a is not None and b is not None:
        yield from _of_rows(pasted, f"{b} against {a}", a, b)
    else:
        several = "the indices of several axes are broadcast together"
        if len(indices) > 1:
            yield from _of_together(indices)
        yield INDEX_RANK.since(several, COMMON)
        yield causes.OTHER_LENGTH.since(several, COMMON)
        yield MASK_OF_OTHER.since("a common cause of this error", COMMON - 0.05)


def _is_old(pasted: Pasted) -> bool:
    return "apart from dimension" in pasted.reading.message or "does not match at dimension" in pasted.reading.message


# Indices beyond the end

VOCABULARY = Cause(
    "an id is larger than the table: the tokenizer (or label map) has more entries than the embedding was made for, "
    "e.g. added tokens, or ids that begin with 1",
    "Make the table as large as the largest id plus one (`model.resize_token_embeddings(len(tokenizer))`).",
    "Print the largest and the smallest id, and the table's size.",
    {"torch": "print(ids.min().item(), ids.max().item(), embedding.num_embeddings)"},
)
NEGATIVE = Cause(
    "a negative id: -100 or -1 marks padding or labels to be left out, and reaches a table or a loss that does not "
    "leave it out",
    "Replace it before (`ids.clamp(min=0)`), or set `ignore_index` or the padding index to it.",
    "Print the smallest id.",
)
POSITIONS = Cause(
    "the position is beyond the position table: the sequence is longer than the model's maximum",
    "Truncate to the maximum, or use a model with a longer table.",
    "Compare the sequence's length with `max_position_embeddings`.",
)


def index_range(pasted: Pasted) -> Told:
    index, size = facts.size(pasted, "index"), facts.size(pasted, "size")
    op = facts.word(pasted, "op") or "a table or axis"
    number = f"index {index}" if index is not None else "an index"
    holds = f", which has {size} entries (0 to {size - 1})" if size else ", which is empty" if size == 0 else ""
    headline = f"{number} is out of range for {op}{holds}"
    if _is_slice(pasted):
        meaning = (
            f"A slice, a selection or a top-k asks for more than the axis has{holds}. The numbers are written down or "
            "computed; the axis is shorter than they count on."
        )
        return told(pasted, "SW604", headline, meaning, _of_slice(index, size))
    meaning = (
        f"An embedding, gather or selection is asked for an entry that is not there{holds}. It is the values of the "
        "index that are wrong, not its shape."
    )
    return told(pasted, "SW604", headline, meaning, _of_range(pasted, index, size))


SLICES = re.compile(r"slice|narrow|\bselect\b|top_?k|columns|kthvalue|unstack|begin\[|size\[")


def _is_slice(pasted: Pasted) -> bool:
    text = f"{facts.word(pasted, 'op')} {pasted.reading.message}".lower()
    return SLICES.search(text) is not None


def _of_slice(index: Size, size: Size) -> Iterator[Evidence]:
    seen = (
        f"{index} is asked for, {size} are there" if index is not None and size is not None else "the message says so"
    )
    yield SHORTER.since(seen, FITS + 0.06)
    yield causes.SWAPPED.since(f"{seen}: along another axis there may be enough", COMMON)
    yield causes.LAST_BATCH.since(seen, COMMON)
    yield causes.OTHER_SETTING.since(seen, COMMON - 0.05, expected=index, got=size)


SHORTER = Cause(
    "the axis is shorter than the line counts on: a shorter sequence, fewer classes or candidates (a k larger than "
    "their number), a smaller image, or an axis that was reduced before",
    "Take the end from the tensor (`min(end, x.shape[axis])`), or bring the data to the length that is counted on.",
    "Print the shape just before this line.",
)


def _length_that_is_set(index: Size, size: Size) -> int | None:
    """A maximum length, if the index is the first beyond such a table. Vocabularies are larger, and seldom round."""
    if index is None or (size is not None and index - size > 2):
        return None
    return next((near for near in (index, index - 1, index - 2) if near in LENGTHS), None)


LENGTHS = frozenset({77, 100, 128, 200, 256, 500, 512, 1000, 1024, 2048, 4096, 8192})
"""Maximum lengths that models of sequences are set up for."""


SIDES = frozenset({160, 192, 224, 256, 299, 320, 360, 384, 416, 448, 480, 512, 540, 576})
"""Sides that images are often brought to; smaller ones are batches and numbers of classes as well."""


def _is_side(size: int) -> bool:
    return size in SIDES or (size >= 600 and size % 8 == 0)


BORDER = Cause(
    "a coordinate (of a pixel, box, keypoint or cell) lies on the border or beyond it: it is as large as the side, "
    "belongs to the picture before it was resized or cropped, or x and y are swapped",
    "Clip coordinates to 0 .. side - 1, scale them with the picture, and index as [y, x].",
    "Print the coordinate, and the size of the picture it was made for.",
    {"torch": "x = x.clamp(0, width - 1)", "numpy": "x = np.clip(x, 0, width - 1)"},
)
STEP_BEYOND = Cause(
    "a counter of steps runs past a table that is made for a number of steps (a sampler's noise levels, a schedule, a "
    "buffer): the step is taken once too often, the counter is not set back before a second run, or the table of "
    "another release or sampler has an entry fewer",
    "Set the steps anew before each run, take no more steps than were set, or use another sampler or release.",
    "Print the counter and the length of the table in each step.",
    {"torch": "scheduler.set_timesteps(steps)    # before each run"},
)
ONE_ONLY = Cause(
    "one entry is there where several are counted on: a batch or list of one (an output that another release or option "
    "gives alone), scores of one unit (a sigmoid) where those of two classes are indexed, a single row of results",
    "Index what is there (`x[0]`), or give the layer, list or batch as many entries as are counted on.",
    "Print the shape just before this line.",
)


def _of_array(index: int, size: int) -> Iterator[Evidence]:
    """An array or tensor, which may hold anything; a table of ids is rare among them."""
    seen = f"{index} where {size} entries are"
    if size == 0:
        yield NOTHING_COLLECTED.since(f"{seen}: it is empty", NUMBERS)
        yield causes.NOTHING_LEFT.since(f"{seen}: it is empty", FITS + 0.1)
    if size and index in (254, 255) and size < index:
        yield IGNORED_LABEL.since(f"{seen}: {index} is a usual mark for void", FITS + 0.12)
    if size and index >= size and _is_side(size):
        yield BORDER.since(f"{seen}: {size} is a side of images", FITS + 0.07)
        if sizes.are_sides(index, size) or (index > size and _is_side(index)):
            yield causes.SWAPPED.since(f"{seen}: x and y, or height and width", FITS + 0.09)
    if size == 1:
        yield ONE_ONLY.since(f"{seen}: only one", FITS + 0.1)
    if index == size and (size == 77 or (size >= 256 and sizes.is_power_of_two(size))):
        yield POSITIONS.since(f"{seen}: {size} is a length that models are set up for", FITS + 0.07)
    if index == size and 16 <= size <= 101 and size % 5 == 1 and size not in CLASS_COUNTS:
        steps = f"{seen}: {size} are those of {size - 1} steps, and one for the start or end"
        yield STEP_BEYOND.since(steps, FITS + 0.04)
    if index == size > 0:
        few = size <= 100 or size in CLASS_COUNTS
        yield causes.FROM_ONE.since(f"{seen}: one beyond the last", FITS + (0.08 if few else 0.02))
    yield SHORTER.since(seen, FITS + 0.06)
    classes = f"{seen}, if these are classes or ids"
    yield causes.CLASS_COUNT.since(
        classes, FITS if index >= size else RARE, target=f"at least {index + 1}", output=size
    )
    yield causes.SWAPPED.since(f"{seen}: along another axis there may be enough", COMMON)
    yield VOCABULARY.since(seen, COMMON + (0.05 if size < 1000 else 0.22))


def _of_range(pasted: Pasted, index: Size, size: Size) -> Iterator[Evidence]:
    # PyTorch words so what is indexed, gathered and scattered; of an embedding it does not name the axis
    indexed = pasted.reading.framework == "torch" and "for dimension" in pasted.reading.message
    bare = pasted.reading.framework == "numpy" or indexed or size == 0
    if size is not None and bare and (index is not None or size == 0):
        yield from _of_array(index if index is not None else -1, size)
        return
    known = index is not None and size is not None
    seen = f"{index} where {size} entries are" if known else "the message says that an index is out of range"
    if index is not None and index < 0:
        yield NEGATIVE.since(f"{index} is negative", NUMBERS)
    ids = NUMBERS if known and index is not None and index >= 0 else FITS
    if facts.word(pasted, "op") in ("gather", "scatter", "scatter_add", "one_hot"):
        ids = min(ids, FITS)
        classes = f"{seen}: labels or actions choose one score for each sample"
        yield causes.CLASS_COUNT.since(
            classes, FITS + 0.03, target="more" if index is None else f"at least {index + 1}", output=sized(size)
        )
        yield causes.FROM_ONE.since(classes, COMMON + 0.07 if index is None or index == size else RARE)
    usual = _length_that_is_set(index, size)
    if usual is not None or pasted.runs("position"):
        maximum = f"{seen}: {usual} is a length that models are set up for" if usual else f"{seen}, among positions"
        yield POSITIONS.since(maximum, ids + 0.02)
    yield VOCABULARY.since(seen, ids)
    yield POSITIONS.since(seen, COMMON)
    if known and index == size:
        yield COUNTED_ONCE.since(f"{index} is one beyond the last", FITS)
    yield NEGATIVE.since(seen, RARE + 0.05)
    yield COUNTED_ONCE.since(seen, RARE)
