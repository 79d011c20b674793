"""Values are joined along an axis, stacked, or cut into parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shapewatch.messages.faults import causes, counts, facts, roles, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.fed import FIXED_BATCH
from shapewatch.messages.faults.meeting import SKIPS, Meeting, evidence, meeting
from shapewatch.messages.faults.meeting.classes import CLASS_COUNTS
from shapewatch.messages.faults.meeting.pictures import OTHER_PICTURES
from shapewatch.messages.faults.meeting.vectors import OTHER_ENTRIES
from shapewatch.messages.faults.samples import LENGTHS, MIXED_CHANNELS, UNEQUAL_SAMPLES, collected
from shapewatch.messages.faults.wording import listed, of_rank, shaped
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
    "they have different ranks: a vector is joined with a matrix or a map without the axes in between (a state or a "
    "column without an axis of 1, a row for each sample beside one for each step or place)",
    "Give the shorter one the missing axes (reshape, expand or repeat it), or flatten the longer one.",
    "Print both shapes.",
)
NUMBERS_JOINED = Cause(
    "single numbers, without any axis, are joined (the losses, scores or lengths of several batches): a concatenation "
    "needs an axis to go along, and a stack makes one",
    "Stack them, or give each an axis of 1.",
    "Print the shape of one of them.",
    {"torch": "losses = torch.stack(losses)    # in place of torch.cat(losses)", "numpy": "losses = np.stack(losses)"},
)


NOT_REPEATED = Cause(
    "one of them has a single entry there (one step, one place, one sample, one value for all), which was to be "
    "repeated: a concatenation stretches nothing, as a sum would",
    "Repeat it along that axis (expand, tile, RepeatVector) before they are joined.",
    "Print both shapes.",
    {
        "torch": "a = a.expand(-1, b.size(1), -1)    # (N, 1, C) to (N, T, C)",
        "keras": "a = layers.RepeatVector(steps)(a)    # (N, C) to (N, T, C)",
        "tensorflow": "a = tf.tile(a, [1, tf.shape(b)[1], 1])",
    },
)
LEAST_MAP = 8
"""Sizes below are counts (of classes, samples, levels) as often as sides."""

LEAST_PATCHES = 49
"""Tokens of the smallest images that are cut into patches, 7 x 7 of them; fewer are sides."""


def concat(pasted: Pasted) -> Told:
    if _collects(pasted) and facts.size(pasted, "axis") in (0, None):
        # before PyTorch 1.5 a stack was a concatenation along a new first axis, and worded so
        return collected(pasted)
    along = facts.size(pasted, "axis")
    values = _values(pasted)
    expected, got = facts.size(pasted, "expected", "a"), facts.size(pasted, "got", "b")
    index = facts.size(pasted, "index")
    differs_on = facts.size(pasted, "differs", "other_axis", "at", "dimension")
    joined, left, right = (along, *_two_that_differ(values, along))
    if along is None and (found := _stands_out(values)) is not None:
        joined, left, right = found
    met = _meeting(pasted, left, right, joined, expected, got, differs_on)
    ranks = _ranks(pasted, values)
    what = _joined(values, ranks, expected, got, met)
    where = "" if along is None else f" along axis {along}"
    headline = f"values cannot be joined{where}: {what}"
    number = f" (number {index} of the list)" if index is not None else ""
    meaning = (
        "A concatenation puts values one behind the other along one axis, so all the other axes must agree, and so "
        f"must the ranks.{where and f' They are joined{where}.'} {what[0].upper()}{what[1:]}{number}."
    )
    evidence = [*_of_joining(pasted, met, values, ranks, along)]
    if along is None and joined == 1 and pasted.reading.framework == "keras" and left is not None and len(left) == 4:
        first = "all of them but one could be joined along axis 1, where layers take the channels last by default"
        evidence.append(causes.CHANNELS_LAST.since(first, FITS))
    return told(pasted, "SW401", headline, meaning, evidence)


def _ranks(pasted: Pasted, values: tuple[Shape, ...]) -> tuple[int, ...]:
    """Those of the values, or those that the message tells in their place."""
    told_alone = (facts.size(pasted, name) for name in ("left_rank", "right_rank"))
    return tuple(map(len, values)) or tuple(rank for rank in told_alone if rank is not None)


def _collects(pasted: Pasted) -> bool:
    return pasted.raises("collate_fn", "collate.py") or pasted.runs("default_collate", "torch.stack(batch")


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


def _stands_out(values: tuple[Shape, ...]) -> tuple[int, Shape, Shape] | None:
    """Of three values and more: the axis along which all of them but few could be joined, one of those, and the first
    that could not. None where no axis is better than the others."""
    if len(values) < 3 or len({len(each) for each in values}) > 1:
        return None
    ways = []
    for axis in range(len(values[0])):
        rests = [(*each[:axis], *each[axis + 1 :]) for each in values]
        usual, count = Counter(rests).most_common(1)[0]
        ways.append((count, axis, usual, rests))
    ways.sort(key=lambda way: way[0], reverse=True)
    (count, axis, usual, rests), (second, *_) = ways[:2]
    if not second < count < len(values):
        return None
    odd = next(at for at, rest in enumerate(rests) if rest != usual)
    return axis, values[rests.index(usual)], values[odd]


def _outside(left: Shape, right: Shape, along: Size) -> list[sizes.Apart]:
    rank = len(left)
    joined = along % rank if along is not None and rank else None
    return [each for each in sizes.apart(left, right) if each[0] != joined]


def _meeting(
    pasted: Pasted, left: Shape | None, right: Shape | None, along: Size, expected: Size, got: Size, at: Size
) -> Meeting:
    framework = pasted.reading.framework
    if left is not None and right is not None:
        found, joined = _outside(left, right, along), along
        if pasted.reading.framework == "keras" and along is None and _differ_on_the_last_and_are_open(left, right):
            return Meeting(framework, left, right, (), len(left))
        # of sequences any axis may be meant, and another one differs whichever it is
        if along is None and len(left) == len(right) != 3 and len(found) > 1:
            joined = 1 if _are_channels_first(left, right) else _likely_axis(left, found, framework)
            named = [each for each in found if {*each[1:]} == {expected, got}]
            # the axis that the message counts is often another one: that of what is left of the shapes
            found = named if len(named) == 1 else [each for each in found if each[0] != joined]
        # on a GPU TensorFlow itself may turn maps round, and then words them as they lie there
        turned = joined == 1 and len(left) == 4 and roles.channels_axis(left, framework) != 1
        framework = "torch" if turned else framework
        return Meeting(framework, left, right, tuple(found), max(len(left), len(right)))
    if expected is not None and got is not None:
        return meeting(pasted, None, None, (at, expected, got))
    return Meeting(framework, left, right, (), None)


def _open_in_one(met: Meeting) -> list[tuple[int, Size]]:
    """The axes whose size one of two values knows and the other does not, with that size."""
    if met.left is None or met.right is None or len(met.left) != len(met.right):
        return []
    pairs = enumerate(zip(met.left, met.right, strict=True))
    return [(axis, one or other) for axis, (one, other) in pairs if (one is None) != (other is None)]


def _differ_on_the_last_and_are_open(left: Shape, right: Shape) -> bool:
    """Whether values could be joined along the last axis, as Keras does by itself, but for a size that one of them
    knows and the other does not."""
    if len(left) != len(right) or [axis for axis, *_ in sizes.apart(left, right)] != [len(left) - 1]:
        return False
    return any((a is None) != (b is None) for a, b in zip(left[:-1], right[:-1], strict=True))


def _are_channels_first(left: Shape, right: Shape) -> bool:
    """Whether one of two maps has its equal sides behind, and none has them in front."""
    axes = [roles.channels_axis(shape, "torch") for shape in (left, right)]
    shown = [roles.channels_axis(shape, "keras") for shape in (left, right)]
    return len(left) == 4 and axes == [1, 1] and 1 in shown


def _likely_axis(shape: Shape, found: list[sizes.Apart], framework: str) -> int:
    """Along which axis they are joined, where the message does not tell: the channels', or the last. Where that one
    differs by one or two alone, as sides do, it is another one that differs by more."""
    channels = roles.channels_axis(shape, framework)
    usual = len(shape) - 1 if channels is None else channels
    near = any(axis == usual and abs(a - b) <= 2 for axis, a, b in found)
    more = [axis for axis, a, b in found if axis and abs(a - b) > 2]
    return more[0] if near and len(more) == 1 else usual


def _joined(values: tuple[Shape, ...], ranks: tuple[int, ...], expected: Size, got: Size, met: Meeting) -> str:
    if ranks and not values:
        what = listed("no axis at all" if rank == 0 else of_rank(rank) for rank in ranks)
        return f"their ranks differ: {what}" if len(ranks) > 1 else f"one of them has {what}"
    if values:
        shapes = listed(shaped(each) for each in values[:4]) + (" and more" if len(values) > 4 else "")
        if len({len(each) for each in values}) > 1:
            return f"{shapes} have different ranks ({listed(of_rank(len(each)) for each in values[:4])})"
        if met.apart:
            return f"{shapes} differ on {met.differing}"
        alone = [axis for axis, _ in _open_in_one(met)]
        return f"{shapes} differ" + (f" in that axis {alone[0]} is open in one of them alone" if alone else "")
    if expected is not None and got is not None:
        axis = met.apart[0][0] if met.apart else None
        return f"{f'axis {axis}' if axis is not None else 'another axis'} differs, {expected} against {got}"
    return "their other axes differ"


def _of_joining(
    pasted: Pasted, met: Meeting, values: tuple[Shape, ...], told_ranks: tuple[int, ...], along: Size
) -> Iterator[Evidence]:
    ranks = set(told_ranks)
    if 0 in ranks:
        yield NUMBERS_JOINED.since("one of them has no axis at all", NUMBERS)
        yield causes.LOST_AXIS.since("one of them has no axis at all", COMMON)
        return
    if any(0 in each[1:] for each in values):
        gone = "one of the sizes is 0: the map has shrunk to nothing before"
        yield causes.CHANNELS_LAST.since(f"{gone}, as with channels that are taken for a side", NUMBERS)
        yield causes.TOO_SMALL.since(gone, FITS + 0.1)
    if len(ranks) > 1:
        yield RANKS_DIFFER.since(f"ranks {listed(map(str, sorted(ranks)))}", NUMBERS)
    if met.apart or met.left is None:
        yield from _other_axis(values, along)
    if not values and len(met.apart) == 1 and along == 1:
        # `Sizes of tensors must match except in dimension 1`: maps joined along their channels
        axis, a, b = met.apart[0]
        if axis != 0 and abs(a - b) <= 4 and min(a, b) > 1:
            few = min(a, b) < LEAST_MAP
            if abs(a - b) % 2:
                odd = f"{a} and {b} differ by {abs(a - b)}: cut off by the same number at both ends, it leaves one"
                yield causes.CROPPED.since(odd, FITS - 0.02)
            sure = SAID - 0.05 if abs(a - b) == 1 and not few else NUMBERS
            yield causes.ODD_SIZE.since(
                f"{a} and {b} differ by {abs(a - b)}, as sides do that were halved while odd and doubled again",
                FITS + 0.08 if {a, b} == {3, 4} and axis is None else sure,  # colours and alpha, as well as sides
            )
            if few:
                side = f"{a} against {b}: so small a side is as often written down, and the images have another size"
                yield causes.OTHER_RESOLUTION.since(side, FITS)
        if min(a, b) >= 256 and {a, b} <= sizes.ENCODERS.keys():
            features = f"{a} against {b}: widths as encoders have them, of what is joined along its tokens"
            yield causes.OTHER_ENCODER.since(features, FITS + 0.08, expected=a, got=b)
    if not values and along == 1 and len(met.apart) == 1 and met.apart[0][0] == 0 and 1 in met.apart[0][1:]:
        alone = f"{met.apart[0][1]} against {met.apart[0][2]} samples: an axis of 1 put back where the batch was lost"
        yield causes.LOST_AXIS.since(alone, COMMON + 0.08)
    if not values and along == 0 and met.apart:
        _, a, b = met.apart[0]
        yield UNEQUAL_SAMPLES.since(f"results of several batches or samples are joined: {a} against {b}", FITS + 0.05)
        yield causes.OTHER_LENGTH.since(f"{a} against {b}, if these are tokens or steps", FITS)
        if met.apart[0][0] == 1 and max(a, b) <= 64:
            boxes = f"{a} against {b}: so few may be boxes, points or words of each sample"
            yield LENGTHS.since(boxes, FITS - 0.02)
        yield causes.OTHER_SETTING.since(f"{a} against {b}, if these are features", COMMON, expected=a, got=b)
        if any(size - 5 in CLASS_COUNTS for size in (a, b)):
            columns = f"{a} against {b}: columns of detections (a box, its score, one for each class)"
            yield causes.OTHER_SETTING.since(columns, FITS + 0.02, expected=a, got=b)
        if sizes.is_power_of_two(max(a, b)) and 16 <= max(a, b) <= 512 and not sizes.ratio(a, b):
            left = f"{a} against {b}: {max(a, b)} is a usual batch, if the batch is not on the axis that they go along"
            counted = met.apart[0][0] == 1 and max(a, b) <= 64  # boxes and points are as many
            yield causes.LAST_BATCH.since(left, FITS + 0.01 if a > b and not counted else COMMON)
        if max(a, b) <= 4:
            colours = f"{a} against {b} may be numbers of channels"
            yield MIXED_CHANNELS.since(colours, NUMBERS if {a, b} <= {1, 3, 4} else COMMON)
        if sizes.is_width(a) and sizes.is_width(b):
            features = f"{a} against {b}: widths as encoders have them"
            yield causes.OTHER_ENCODER.since(features, FITS + 0.06, expected=a, got=b)
    if not values and along == 2 and met.apart and 1 not in met.apart[0][1:]:
        _, a, b = met.apart[0]
        steps = f"{a} against {b}, if these are steps, whose features are joined"
        yield causes.OTHER_LENGTH.since(steps, FITS)
    if not values and along == 2 and met.apart and (sizes.ratio(*met.apart[0][1:]) or 99) <= 16:
        _, a, b = met.apart[0]
        features = f"{a} against {b}: widths of embeddings or numbers of levels that are set for each by itself"
        likely = COMMON if 1 in (a, b) else FITS + 0.1
        yield causes.OTHER_SETTING.since(features, likely, expected=a, got=b)
    if not values and along == 2:
        yield from _of_sequences(met)
        if met.apart and {*met.apart[0][1:]} <= sizes.ENCODERS.keys():
            _, a, b = met.apart[0]
            features = f"{a} against {b}: widths as encoders have them, of what is joined along another axis"
            yield causes.OTHER_ENCODER.since(features, FITS + 0.06, expected=a, got=b)
    if len(met.apart) == 1 and 1 in met.apart[0][1:] and along != 0 and (not values or max(met.apart[0][1:]) > 4):
        axis, a, b = met.apart[0]
        few = axis == 0 or max(a, b) <= 4
        yield NOT_REPEATED.since(f"{a} against {b}", COMMON + 0.06 if few else FITS + 0.05)
    if len(ranks) < 2:
        # channels may differ where values are joined along them: a projection is no cause here
        maps = not values and along == 1
        tokens = [causes.OTHER_LENGTH, causes.TOO_LONG]
        if maps and all(max(a, b) < LEAST_PATCHES for _, a, b in met.apart):
            tokens.append(causes.CLASS_TOKEN)
        unlikely = {causes.NO_PROJECTION, *(tokens if maps else [])}
        if any(a % 77 == 0 == b % 77 for _, a, b in met.apart):
            unlikely |= {causes.OTHER_STRIDE, causes.OTHER_RESOLUTION, causes.ODD_SIZE}  # these are prompts
        if pasted.reading.framework == "numpy":
            unlikely |= {causes.ODD_SIZE, causes.OTHER_STRIDE, causes.NO_PADDING, causes.OTHER_RESOLUTION}
            unlikely |= {causes.LAST_BATCH} if any(axis == 0 and min(a, b) > 512 for axis, a, b in met.apart) else set()
            yield from _of_tables(met)
        if not values and along == 2 and any(_are_heads(a, b) for _, a, b in met.apart):
            unlikely |= {causes.OTHER_STRIDE, causes.OTHER_RESOLUTION}
        if not values and along == 0:
            # rows of batches are joined, no branches of a network
            unlikely |= {causes.OTHER_STRIDE, causes.NO_PADDING, causes.OTHER_RESOLUTION, causes.ODD_SIZE}
            unlikely |= {causes.CROPPED}
        yield from (each for each in evidence(pasted, met) if each.cause not in unlikely)
        yield from _of_crop(met)
        yield from _of_trimmed(met)
        yield from _of_boxes(met)
        if maps:
            yield causes.OTHER_LENGTH.since("if these are sequences and no maps", RARE)
            yield from _of_rows(met)
            yield from _of_maps(met)
    else:
        yield causes.LOST_AXIS.since("an axis was squeezed or reduced on one of them", COMMON)
        yield causes.EXTRA_AXIS.since("one of them still has the axes of a map or a sequence", COMMON - 0.02)
    if pasted.runs(*SKIPS):
        yield causes.ODD_SIZE.since("the names in the lines above it speak of a skip connection", COMMON)
        yield causes.OTHER_STRIDE.since("the names in the lines above it speak of a skip connection", COMMON)
    if not met.apart and len(ranks) < 2:
        for axis, size in _open_in_one(met):
            known = f"axis {axis} is {size} in one and open in the other, and nothing else keeps them apart"
            yield causes.OTHER_RELEASE.since(f"{known}: older releases do not take the two for equal", FITS + 0.12)
            yield FIXED_BATCH.since(known, FITS, expected=size, got="an open one")
    if not met.apart and len(ranks) < 2:
        common = "a common cause of this error"
        yield causes.ODD_SIZE.since(common, COMMON)
        yield causes.OTHER_STRIDE.since(common, COMMON)
        yield OTHER_AXIS.since(common, COMMON - 0.05, axis=-1)


def _of_sequences(met: Meeting) -> Iterator[Evidence]:
    """Joined along axis 2: the features of sequences, or the cached keys of attention (batch, heads, tokens, width)."""
    for axis, a, b in met.apart:
        low, high = sorted((a, b))
        seen = f"{a} against {b}"
        if low == 1 and high > 1:
            turned = f"{seen}: one has its batch where the other has its steps, as (steps, batch) and (batch, steps)"
            yield causes.SWAPPED.since(turned, FITS + 0.04 if high > 2 else COMMON)
            yield causes.LAST_BATCH.since(f"{seen}: a batch that is written down as 1", FITS + 0.02)
            kept = f"{seen}: guidance, beams and several answers to one prompt make a batch of it"
            yield causes.OTHER_BATCH.since(kept, FITS + 0.04 if high <= 8 else COMMON)
        elif axis is None and not sizes.ratio(a, b) and high - low > 4 and high <= 1024:
            known = {a, b} & counts.WORD_VECTORS
            widths = f"{seen}, if these are widths of features" + (", as word vectors have" if known else "")
            yield causes.OTHER_SETTING.since(widths, FITS if known else FITS - 0.1, expected=a, got=b)
        elif axis in (None, 1) and _are_heads(a, b):
            heads = f"{seen}: {high // low} times as many, if these are heads of attention"
            yield causes.KEY_HEADS.since(heads, FITS + 0.06)
            halves = f"{seen}: a power of two apart, if these are maps"
            yield causes.OTHER_STRIDE.since(halves, FITS + 0.04)


def _are_heads(a: int, b: int) -> bool:
    low, high = sorted((a, b))
    return low >= 2 and 12 <= high <= 64 and high % 4 == 0 and sizes.ratio(a, b) in (4, 5, 7, 8)


def _of_boxes(met: Meeting) -> Iterator[Evidence]:
    """(batch, boxes, values of each), of other numbers of boxes, with classes, corners or variances for each."""
    if met.left is None or met.right is None or met.rank != 3 or len(met.left) != len(met.right):
        return
    lasts, counts = {met.left[2], met.right[2]}, (met.left[1] or 0, met.right[1] or 0)
    if min(counts) >= LEAST_BOXES and counts[0] != counts[1] and len(lasts) == 2 and lasts & {4, 5, 8}:
        boxes = f"{counts[0]} against {counts[1]} boxes: anchors and predictions, made of maps of other sides"
        yield causes.OTHER_RESOLUTION.since(boxes, FITS + 0.08)
        yield causes.OTHER_SETTING.since(
            f"{boxes} or with another number of boxes at each place", FITS + 0.03, expected=counts[0], got=counts[1]
        )


LEAST_BOXES = 400
"""Fewer are tokens or steps as well."""


def _of_trimmed(met: Meeting) -> Iterator[Evidence]:
    """Both sides differ by the same even number, more than rounding makes."""
    gaps = {abs(a - b) for axis, a, b in met.apart if met.role(axis) == "space"}
    strided = any(sizes.ratio(a, b) for _, a, b in met.apart)
    if len(met.apart) == 2 and len(gaps) == 1 and not strided and (gap := gaps.pop()) >= 4 and gap % 2 == 0:
        trimmed = f"both sides differ by {gap}, and an unpadded 3x3 convolution takes off two"
        yield causes.NO_PADDING.since(trimmed, FITS - 0.04)


def _of_rows(met: Meeting) -> Iterator[Evidence]:
    """Features are joined, and the axis that differs may be the first: a batch, or the rows of a table."""
    for axis, a, b in met.apart:
        low, high = sorted((a, b))
        if axis not in (None, 0) or low == 1 or high - low <= 4:
            continue
        if high <= 32 and sizes.ratio(a, b):
            kept = f"{a} against {b}: as many beams, or images of one prompt, if this is the batch"
            yield causes.OTHER_BATCH.since(kept, RARE + 0.08)
        if sizes.is_power_of_two(high) and 16 <= high <= 512 and low < high:
            left = f"{a} against {b}: {high} is a usual batch, and {low} may be what is left or another device's share"
            yield causes.LAST_BATCH.since(left, FITS - 0.09 if high != 2 * low else COMMON - 0.05)
        elif low >= 1000 and not sizes.ratio(a, b) and not a % 64 == b % 64 == 0:
            rows = f"{a} against {b}: more than sides of maps are, if these are rows (nodes, users, samples)"
            yield OTHER_ENTRIES.since(rows, FITS + 0.02)


def _of_crop(met: Meeting) -> Iterator[Evidence]:
    """One of two sides differs by one: rounding would make both of a square map differ."""
    if met.rank not in (3, 4, 5) or met.left is None or met.right is None:
        return
    sides = [each for each in met.apart if met.role(each[0]) == "space"]
    if len(sides) != 1 or abs(sides[0][1] - sides[0][2]) > 2:
        return
    axis, a, b = sides[0]
    others = {at: pair for at, pair in enumerate(zip(met.left, met.right, strict=True)) if met.role(at) == "space"}
    if any(one == other and one in (a, b) for at, (one, other) in others.items() if at != axis):
        alone = f"{a} against {b} on axis {axis} alone, where the other side is the same: rounding takes both"
        yield causes.CROPPED.since(alone, FITS + 0.08)


def _of_maps(met: Meeting) -> Iterator[Evidence]:
    """Maps are joined along their channels, and the message tells no shapes: most of these are sizes that the total
    stride does not divide, and the batch may differ as well as a side."""
    for axis, a, b in met.apart:
        low, high = sorted((a, b))
        steps = f"{a} against {b}: longer than sides of maps are, if these are tokens, steps or samples of sound"
        yield causes.OTHER_LENGTH.since(steps, FITS + 0.02 if low > 1024 and a % 64 else RARE)
        if axis is None and low >= 16 and high - low > 4 and not sizes.ratio(a, b):
            yield causes.OTHER_LENGTH.since(f"{a} against {b}, if these are sequences and no maps", COMMON - 0.01)
        drift = f"{a} against {b}: sides that are no multiple of the total stride drift apart from level to level"
        yield causes.ODD_SIZE.since(drift, FITS - 0.05 if low > 4 and sizes.ratio(a, b) is None else RARE + 0.03)
        if low >= 64 and high - low > 16 and not sizes.ratio(a, b):
            pictures = f"{a} against {b}: sides of images that were made or resized apart"
            yield OTHER_PICTURES.since(pictures, FITS - 0.07)
        if sizes.are_frames(a, b):
            frames = f"{a} against {b}: both one more than a multiple of four, as clips are counted"
            yield causes.OTHER_LENGTH.since(frames, FITS + 0.02)
        if sizes.ratio(a, b):
            levels = f"{a} against {b}: the number of levels, or of what is stacked, is set in two places"
            yield causes.OTHER_SETTING.since(levels, RARE + 0.06, expected=a, got=b)
        if axis is None and low == 1:
            batch = f"{a} against {b}: if the batch is what differs"
            yield causes.OTHER_BATCH.since(batch, FITS - 0.1)
            yield causes.LAST_BATCH.since(f"{batch}, and it is written down as 1", RARE if high == 2 else FITS - 0.12)
        if axis is None and low <= 4 and high >= 16 * low:
            yield causes.CHANNELS_LAST.since(f"{a} against {b}: {low} may be colours, and no side", FITS - 0.08)


def _of_tables(met: Meeting) -> Iterator[Evidence]:
    """Arrays of NumPy that are joined: rows or columns of tables, or images."""
    for axis, a, b in met.apart:
        seen = f"{a} against {b}" + (f" on axis {axis}" if axis is not None else "")
        yield UNEQUAL_SAMPLES.since(f"{seen}, if these are samples or images", COMMON + 0.03)
        if axis == 0 and min(a, b) > 4:
            yield OTHER_ENTRIES.since(f"{seen}: numbers of rows", FITS)
        few = max(a, b) <= 1000 and axis != 0
        yield causes.OTHER_COLUMNS.since(f"{seen}, if these are columns", COMMON + 0.05 if few else RARE)
        along = f"{seen}: along that axis they could be joined"
        yield OTHER_AXIS.since(along, COMMON + (0.04 if axis is not None else 0), axis=axis if axis else 0)


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
    elif differing == {0} and joined is None and rank == 2:
        columns = f"the rows have {values[0][1]} columns each, and only their number differs: rows go along axis 0"
        yield OTHER_AXIS.since(columns, FITS - 0.02, axis=0)
    elif len(differing) == 1 and joined is None and rank >= 3 and (differing & {rank - 1, 1}):
        (axis,) = differing
        rounded = any(abs(a - b) <= 2 for other in values[1:] for _, a, b in sizes.apart(values[0], other))
        if not rounded:
            seen = f"axis {axis} alone differs, as the axis of a concatenation may"
            yield OTHER_AXIS.since(seen, NUMBERS, axis=axis)
            yield causes.CHANNELS_LAST.since(seen, FITS if rank >= 4 else RARE)
