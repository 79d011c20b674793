"""A value is expanded, copied or written into another's shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapewatch.messages.faults import causes, facts, relations, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.meeting import (
    NO_KEEPDIM,
    NORMALISED,
    ODD_WIDTH,
    Meeting,
    evidence,
    meeting,
    named_axis,
)
from shapewatch.messages.faults.meeting.classes import CLASS_COUNTS
from shapewatch.messages.faults.meeting.pictures import LEAST_SIDE, OTHER_PICTURES
from shapewatch.messages.faults.samples import UNEQUAL_SAMPLES
from shapewatch.messages.faults.wording import shaped
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape

SLICE = Cause(
    "the place that is written into was made for another number of rows than the batch that comes: {target} against "
    "{given}",
    "Write as many rows as there are: `buffer[start:start + len(x)] = x`.",
    "Print both shapes in the last step of an epoch.",
)
FULL_BUFFER = Cause(
    "more comes than the place holds: a buffer, cache or table was made for at most {target} entries (a maximum "
    "length, a number of slots), and {given} come",
    "Make the place as large as what can come (raise the configured maximum), or cut what comes to {target}.",
    "Compare the configured maximum with the length of what comes.",
)
PER_CLASS = Cause(
    "a vector with one entry for each class or feature (class weights, means, thresholds, a bias) was made for another "
    "number of them: {given} against {target}",
    "Make the vector for {target}, or the model for {given}.",
    "Compare the vector's length with the number of classes or features in the configuration.",
)
OTHER_LAYERS = Cause(
    "weights for another kind of layer are applied: filters of another size, as those of an adapter that covers "
    "convolutions too (LoCon, LyCORIS) read by code that knows 1 x 1 and linear ones, or those of another base model",
    "Use the loader or extension that knows this kind of adapter, or the adapter that belongs to the model.",
    "Print the names and shapes of the adapter's weights.",
)
OTHER_SCALER = Cause(
    "the scaler was fitted on other columns than it is applied to: all of a table (with the target, or with all "
    "features) and then the predictions of one column are scaled back with it, or the other way round",
    "Fit a scaler of its own for the target and scale the predictions back with that, or put the predictions into a "
    "table with all of its columns first.",
    "Print `scaler.n_features_in_` and the shape of what it is given.",
    {
        "numpy": "table = np.zeros((len(y), scaler.n_features_in_)); table[:, 0] = y[:, 0]\n"
        "y = scaler.inverse_transform(table)[:, 0]"
    },
)
SCALAR_PLACE = Cause(
    "the place is a single number: made by `torch.tensor((n, c, h, w))`, which holds these numbers, where "
    "`torch.empty((n, c, h, w))` was meant; or a sum that begins with 0 and grows in place by values that are not "
    "reduced",
    "Make the place with the shape that is written into it, or reduce the values first (`.sum()`).",
    "Print the shape of the place just after it is made.",
    {"torch": "place = torch.empty((n, c, h, w))    # not torch.tensor((n, c, h, w))"},
)
IN_PLACE = Cause(
    "an operation in place (`+=`, `mul_`, `out=`) would have to make its own tensor larger",
    "Write it out of place (`x = x + y`), where the larger shape is meant.",
    "Print both shapes.",
    {"torch": "x = x + y    # in place of x += y"},
)


def expand(pasted: Pasted) -> Told:
    given, target = facts.shape(pasted, "given", "right"), facts.shape(pasted, "target", "left")
    in_place = facts.word(pasted, "op") == "in place"
    if in_place:
        # the message gives the place first: what is computed has the broadcast shape, and must fit into it
        given, target = target, given
    named = named_axis(pasted, target, given)
    met = meeting(pasted, target, given, named, stretches=False)
    if any(had != 1 for _, _, had in met.apart):
        # an axis of 1 is stretched: it is not what does not fit
        met = replace(met, apart=tuple(each for each in met.apart if each[2] != 1))
    shapes = ""
    if given is not None and target is not None:
        verb = "cannot be written in place into" if in_place else "cannot become"
        shapes = f"{shaped(given)} {verb} {shaped(target)}"
    told_shapes = f" Given {shaped(given)}, wanted {shaped(target)}." if shapes else ""
    where = f": {met.differing}" if met.apart else ""
    headline = (shapes or "a tensor cannot take the shape that is asked for") + where
    meaning = (
        "A tensor is expanded, or copied into a place of a given shape. Only axes of 1 can be stretched, and axes "
        f"can be added in front only; nothing can shrink.{told_shapes}"
    )
    return told(pasted, "SW203", headline, meaning, _of_expanding(pasted, met))


def _of_expanding(pasted: Pasted, met: Meeting) -> Iterator[Evidence]:
    target, given = met.left, met.right
    if target is None or given is None:
        yield from evidence(pasted, met)
        yield causes.LOST_AXIS.since("a common cause of this error", COMMON)
        yield causes.LAST_BATCH.since("a common cause of this error", RARE if met.apart else COMMON)
        for axis, wanted, had in met.apart:
            if axis == 1 and had != 1:
                vector = (
                    f"{had} on axis 1, where {wanted} are there: if it is a vector, one value for each of {had} rows"
                )
                yield NO_KEEPDIM.since(f"{vector}, it lies along the wrong axis", FITS - 0.07)
        if pasted.reading.framework == "torch":
            bare = "the message lacks both shapes, as those of old releases do"
            yield causes.OTHER_RELEASE.since(bare, FITS)
        return
    if target == () and facts.word(pasted, "op") == "in place":
        yield SCALAR_PLACE.since(f"{shaped(given)} is written into a place without axes", NUMBERS)
    if _is_permuted(given, target):
        moved = f"{shaped(given)} has sizes of {shaped(target)} on other axes"
        yield causes.SWAPPED.since(moved, NUMBERS)
    yield from _into_array(pasted, given, target)
    if 1 < len(given) < len(target) or (len(given) == 1 < len(target) and given[0] in target[:-1]):
        begins = given == target[: len(given)]
        aligned = target[len(target) - len(given)] == given[0]
        if begins or (given[0] in target[:-1] and not aligned):
            seen = (
                f"{shaped(given)} is how {shaped(target)} begins" if begins else f"{given[0]} stands further in front"
            )
            yield NO_KEEPDIM.since(f"{seen}, but shapes are aligned at their last axes", NUMBERS)
    yield from _without_colours(given, target)
    mask = is_mask(given, target)
    if mask:
        square = f"{shaped(given)} reads as a mask of tokens, and {shaped(target)} as attention's scores"
        yield causes.OTHER_LENGTH.since(square, NUMBERS - 0.04)
        yield causes.TOO_LONG.since(square, FITS + 0.06 if given[-1] in relations.MAXIMA else FITS - 0.02)
        yield causes.OTHER_RELEASE.since(f"{square}, which releases make otherwise", COMMON + 0.02)
    kernels = _are_filters(given, target)
    if kernels:
        filters = f"{shaped(given)} and {shaped(target)} look like filters, of {given[2]} x {given[3]} and "
        yield OTHER_LAYERS.since(f"{filters}{target[2]} x {target[3]}", FITS + 0.06)
    if facts.word(pasted, "op") == "in place":
        yield from _of_square(given, target)
    arrays = pasted.reading.framework == "numpy"
    if arrays and len(target) == len(given) == 2 and target == (given[0], 1) and 1 < (given[1] or 0) <= MOST_COLUMNS:
        scaled = f"one column of {shaped(target)} is scaled, in place, with {given[1]} values, one for each column"
        yield OTHER_SCALER.since(scaled, NUMBERS)
    for axis, wanted, had in met.apart:
        if axis is None:
            continue
        if axis == 0 and len(target) == len(given):
            seen = f"only the first axis has to change, {had} to {wanted}"
            rest = len(met.apart) == 1
            if len(target) == 2 and {wanted, had} == {1, 2} and (target[1] or 0) > 1000:
                yield causes.STEREO.since(f"{seen}, and the other axis is long: sound", NUMBERS)
            elif len(target) == 3 and {wanted, had} == {1, 3} and not relations.are_scores(target, given):
                # what is computed in place is a grey image with three means; what is copied into one is coloured
                copied = pasted.reading.framework == "torch" and facts.word(pasted, "op") != "in place"
                colours = causes.COLOUR if had == 3 and copied else causes.GREY
                yield colours.since(f"{seen}: one colour channel against three", NUMBERS)
                yield NORMALISED.since(f"{seen}: one colour channel against three", NUMBERS, a=had, b=wanted)
                yield causes.OTHER_RELEASE.since("in-place arithmetic once broadcast images of one channel", COMMON)
            elif len(target) == 3 and _has_alpha(given, wanted, had):
                image = f"{shaped(given)} reads as an image of {'grey' if had == 2 else 'RGB'} and alpha"
                if had == 3:
                    image = f"{shaped(given)} reads as an image without the alpha channel that was counted on"
                yield causes.ALPHA.since(image, FITS + 0.1)
                yield causes.STACKED_INPUT.since(f"{seen}, if these are channels", COMMON, a=had, b=wanted)
                yield causes.LAST_BATCH.since(seen, COMMON)
            elif had > wanted > 1:
                yield from _too_long(target, wanted, had)
            elif had < wanted or wanted == 1:
                rows = rest and 1 not in (wanted, had) and len(target) > 1
                pictured = arrays and len(target) == 3 and target[-1] in (1, 3, 4)
                yield causes.LAST_BATCH.since(seen, RARE if pictured else NUMBERS if rows else FITS)
                points = len(target) == 2 and 2 <= (target[1] or 0) <= 7
                if rows and points:
                    each = f"{had} and {wanted} rows of {target[1]}: points or boxes, of which each sample has others"
                    yield UNEQUAL_SAMPLES.since(each, FITS + 0.06)
                yield SLICE.since(seen, RARE + 0.05 if rest and wanted != 1 else RARE, target=wanted, given=had)
        if wanted == 1 and len(target) == len(given):
            in_place = facts.word(pasted, "op") == "in place"
            larger = f"the result would be {shaped(given)}, larger than {shaped(target)}"
            yield IN_PLACE.since(larger, FITS if in_place else COMMON)
            if len(target) == 2 and axis == 1 and not in_place:
                columns = f"{had} columns where one is asked for: scores or one-hot labels in the place of indices"
                yield causes.ONE_HOT.since(columns, FITS)
                yield causes.LOST_AXIS.since(f"{had} columns where one is asked for", COMMON - 0.02)
            if len(target) == 2 and given[0] == given[1]:
                square = f"{shaped(target)} with a vector gives {shaped(given)}: each entry meets all the others"
                yield causes.TRAILING_ONE.since(square, NUMBERS)
            if axis == 0:
                yield causes.OTHER_BATCH.since(f"the first axis is {had} against {wanted}", FITS)
        elif axis > 0 and 1 not in (wanted, had):
            yield from _of_table(target, given, axis, wanted, had)
            if len(target) == len(given) == 2 and target[0] == given[0] != 1 and min(wanted, had) > 4:
                padded = (
                    f"{target[0]} rows of {had} and of {wanted}: a batch of sequences, with their masks or positions"
                )
                yield causes.OTHER_LENGTH.since(padded, FITS)
            if len(target) == len(given) == 2 and axis == 1 and had == wanted + 1 and target[0] != 1:
                pairs = f"{had} columns for {wanted}: of an odd width, {had + wanted}, one half of the pairs is larger"
                yield ODD_WIDTH.since(pairs, FITS + 0.06)
    # what is written into an array is no branch of a network
    branches = {causes.OTHER_STRIDE, causes.NO_PADDING, causes.CLASS_TOKEN, NO_KEEPDIM} if arrays else set()
    if mask:
        branches |= {causes.OTHER_STRIDE, causes.NO_PROJECTION, OTHER_PICTURES, causes.OTHER_RESOLUTION}
        branches |= {causes.NO_PADDING} if given[-2] == 1 else set()
    if kernels:
        branches |= {causes.OTHER_STRIDE, causes.TOO_SMALL}
    yield from (each for each in evidence(pasted, met) if each.cause not in branches)
    for axis, wanted, had in met.apart:
        if axis and arrays:
            written = f"{had} is given on axis {axis}, where the array was made for {wanted}"
            yield causes.OTHER_SETTING.since(written, FITS, expected=wanted, got=had)
        elif arrays and len(target) == len(given) == 1 and max(wanted, had) <= 1000:
            entries = f"{had} entries are given, where the array was made for {wanted}: columns, observations, features"
            yield causes.OTHER_SETTING.since(entries, FITS + 0.02, expected=wanted, got=had)
            yield causes.OTHER_VALUE.since(entries, COMMON + 0.02)
    if not arrays and len(given) != len(target) and sizes.squeezed(given) == sizes.squeezed(target):
        same = "the values are as many: early releases, up to 0.3, copied them whatever their axes"
        yield causes.OTHER_RELEASE.since(same, FITS + 0.02)
    if len(target) == len(given) == 1 and {target[0], given[0]} & CLASS_COUNTS.keys():
        vector = f"{given[0]} against {target[0]}, in vectors: numbers of classes"
        yield PER_CLASS.since(vector, FITS + 0.02, given=given[0], target=target[0])
    if met.apart:
        yield causes.OTHER_VALUE.since(f"{shaped(given)} for {shaped(target)}", RARE)
    unseen = "nothing in the text speaks for it or against it, and it is frequent"
    yield causes.OTHER_RELEASE.since(unseen, COMMON - 0.05 if arrays else RARE + 0.01)
    if not arrays:
        yield IN_PLACE.since("it is raised by operations in place too", RARE)


MOST_COLUMNS = 200


def is_mask(given: Shape, target: Shape) -> bool:
    """(batch, 1, tokens, tokens), or without its first axes, for (batch, heads, tokens, tokens); or (batch, 1, 1,
    keys)."""
    if len(target) != 4 or len(given) not in (2, 4) or None in given:
        return False
    if len(given) == 4 and given[1] == given[2] == 1 and target[1] != 1 != target[2]:
        return [axis for axis, _, _ in sizes.apart(given[2:], target[2:])][-1:] == [1]  # a mask of the keys alone
    square = given[-1] == given[-2] and (given[-1] or 0) > 4
    return square and set(given[1:-2]) <= {1} and target[-1] == target[-2]


def _are_filters(given: Shape, target: Shape) -> bool:
    """Weights of convolutions, (outputs, inputs, height, width), which differ in the last two alone: 1 and 3 mostly."""
    if len(given) != 4 or len(target) != 4 or given[:2] != target[:2]:
        return False
    sides = [(shape[2], shape[3]) for shape in (given, target)]
    return all(height == width and height in (1, 3, 5, 7) for height, width in sides) and given[0] != 1


def _of_square(given: Shape, target: Shape) -> Iterator[Evidence]:
    """(N, ...) in place with (N, 1, ...) gives (N, N, ...): each sample meets all the others."""
    if len(given) == len(target) + 1 and target and given[0] == given[1] and given[1:] == target:
        square = f"{shaped(target)} became {shaped(given)}: one of the two has an axis of 1 behind the first"
        yield causes.EXTRA_AXIS.since(square, NUMBERS)
        yield causes.LOST_AXIS.since(square, FITS + 0.08)
    alike = [at for at in range(1, len(given)) if given[at] == given[at - 1] != 1]
    if len(given) == len(target) > 2 and any(target == (*given[:at], 1, *given[at + 1 :]) for at in alike):
        lost = f"{shaped(target)} became {shaped(given)}, as with a value that lacks its axis of 1"
        yield causes.LOST_AXIS.since(lost, NUMBERS)
        yield causes.EXTRA_AXIS.since(lost, FITS + 0.08)


def _has_alpha(given: Shape, wanted: int, had: int) -> bool:
    """Whether an image (C, H, W) has a channel more than the grey, or one more than the colours, that are wanted."""
    sides = [size or 0 for size in given[1:]]
    if max(sides, default=0) > relations.MOST_OBLONG * min(sides, default=0):
        return False
    # grey and alpha for grey alone is as often two samples for one
    return (had, wanted) in ((2, 3), (4, 3), (3, 4), (4, 1)) and len(given) == 3 and min(sides, default=0) >= LEAST_SIDE


def _without_colours(given: Shape, target: Shape) -> Iterator[Evidence]:
    """An image without an axis of channels comes where one with colours goes, or the other way round."""
    short, long = sorted((given, target), key=len)
    if short is given and len(short) == 2 and long == (*short, 1) and min(size or 0 for size in short) >= LEAST_SIDE:
        grey = f"{shaped(given)} is {shaped(target)} without its one channel, which some resizes take off"
        yield causes.MISSING_CHANNELS.since(grey, NUMBERS + 0.05)
    if len(short) == 2 and len(long) == 3 and None not in short and min(size or 0 for size in short) >= 16:
        if long[-1] in (3, 4) and long[:2] == short:
            seen = f"{shaped(short)} is {shaped(long)} without its colours"
            yield (causes.GREY if short is given else causes.COLOUR).since(seen, NUMBERS + 0.05)
        elif long[0] in (3, 4) and long[1:] == short:
            yield causes.GREY.since(f"{shaped(short)} is {shaped(long)} without its colours", FITS)


def _into_array(pasted: Pasted, given: Shape, target: Shape) -> Iterator[Evidence]:
    """What the two shapes tell where a value is written into an array."""
    seen = f"{shaped(given)} into {shaped(target)}"
    if 0 in given or 0 in target:
        yield causes.NOTHING_LEFT.since(f"{seen}: one of them is empty", NUMBERS + 0.05)
    if pasted.reading.framework != "numpy":
        return
    if len(given) > len(target) and given[: len(target)] == target and given[-1] != 1:
        ragged = f"{seen}: so NumPy words it when entries of a list agree on their first axes and not on the others"
        yield UNEQUAL_SAMPLES.since(ragged, NUMBERS)
        if given[-1] in (3, 4):
            yield causes.COLOUR.since(f"{seen}: colours where the place has none", FITS)
    elif given != target and sizes.squeezed(given) == sizes.squeezed(target):
        yield causes.OTHER_RELEASE.since(f"{seen}: older releases let axes of 1 pass", FITS + 0.06)


def _is_permuted(given: Shape, target: Shape) -> bool:
    """Whether every size but 1 is one of the target's too, and two or more of them on another axis."""
    if len(given) != len(target) or None in given or None in target:
        return False
    kept = [(size, axis) for axis, size in enumerate(given) if size != 1]
    moved = [size for size, axis in kept if target[axis] != size]
    return len(moved) > 1 and len(set(moved)) == len(moved) and all(size in target for size, _ in kept)


def _too_long(target: Shape, wanted: int, had: int) -> Iterator[Evidence]:
    """More rows come than there is room for."""
    seen = f"{had} rows come where there is room for {wanted}"
    yield FULL_BUFFER.since(seen, FITS + 0.06, target=wanted, given=had)
    yield SLICE.since(seen, RARE + 0.05, target=wanted, given=had)
    if len(target) == 2 and max(wanted, had) > 64:
        yield causes.OTHER_LENGTH.since(f"{seen}, if the rows are tokens or steps", FITS + 0.02)


def _of_table(target: Shape, given: Shape, axis: int, wanted: int, had: int) -> Iterator[Evidence]:
    """An axis that is not the first: positions, masks and caches of one row have their length there."""
    at = axis - (len(target) - len(given))
    before = given[:at]
    seen = f"{had} is given on axis {axis}, and {wanted} is asked for"
    if len(given) == 1 and len(target) == 2 and max(wanted, had) <= 1000 and had not in relations.MAXIMA:
        yield PER_CLASS.since(f"a vector of {had} for rows of {wanted}", FITS, given=had, target=wanted)
        if target[0] == 1 and had > wanted:
            row = f"{had} are written into one row of {wanted}: a sequence, and the length there is room for"
            yield FULL_BUFFER.since(row, FITS + 0.04, target=wanted, given=had)
    elif set(before) <= {1} != set(given[at + 1 :]) and max(wanted, had) > 64 and at < 2:
        row = f"{seen}: one row, as tables of positions, masks and caches are"
        if wanted > had:
            weight = NUMBERS + 0.02 if had in relations.MAXIMA else FITS
            usual = f"; {had} is a usual maximum of tokens" if had in relations.MAXIMA else ""
            yield causes.TOO_LONG.since(f"{row}{usual}", weight)
        else:
            yield FULL_BUFFER.since(f"{seen}: more comes than there is room for", FITS, target=wanted, given=had)
        yield causes.OTHER_LENGTH.since(row, FITS + 0.05)
        yield causes.CACHE.since(row, FITS if abs(wanted - had) == 1 else COMMON)
