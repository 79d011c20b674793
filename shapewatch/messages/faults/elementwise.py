"""Two values are added, multiplied or compared element by element, or copied into another's shape."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, labels, sizes, weights
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.indexing import of_mask
from shapewatch.messages.faults.joining import UNEQUAL_SAMPLES
from shapewatch.messages.faults.meeting import (
    LOSSES,
    MAXIMA,
    METRICS,
    NO_KEEPDIM,
    NORMALISED,
    NOTHING_LEFT,
    SKIPS,
    STEREO,
    Meeting,
    evidence,
    meeting,
)
from shapewatch.messages.faults.wording import shaped
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

REFUSED_BROADCAST = Cause(
    "this release (or this layer) does not stretch axes of 1 or add missing ones; newer or other releases do",
    "Use the release that the project names, or bring both to one shape first (reshape to (1, 1, C), then repeat), or "
    "multiply in a Lambda with the backend's own product.",
    "Compare the installed version with the one that the code was written for.",
)
PER_SAMPLE = Cause(
    "a loss or metric compares tensors of different layouts: labels, logits and weights do not have one shape",
    "Print the shapes of output, target and weight, and bring them to one.",
)


def elementwise(pasted: Pasted) -> Told:
    left, right = facts.shape(pasted, "left"), facts.shape(pasted, "right")
    inputs = facts.shapes(pasted, "inputs")
    if left is None and right is None and len(inputs) > 1:
        left, right = _two_that_differ(inputs)
    if pasted.runs("from_tensor_slices", "from_tensors"):
        return labels.of_arrays(pasted, *_rows(pasted, left, right))
    if left is not None and right is not None and pasted.runs("boolean_mask"):
        return of_mask(pasted, right, left)
    if left and right and pasted.runs("load_weights", "load_model", "set_weights", "restore"):
        return weights.of_pair(pasted, left, right)
    if left is not None and right is not None and (_is_loss(pasted) or _are_labels(pasted, left, right)):
        # torch computes output - target, TensorFlow and Keras target - output
        return labels.unlike(pasted, *((right, left) if pasted.reading.framework == "torch" else (left, right)))
    named = _named_axis(pasted, left, right)
    met = meeting(pasted, left, right, named)
    if _is_loss(pasted):
        return told(pasted, "SW801", _headline(met), _meaning(met, named), _in_loss(met))
    return told(pasted, "SW201", _headline(met), _meaning(met, named), _evidence(pasted, met))


def _two_that_differ(inputs: tuple[Shape, ...]) -> tuple[Shape, Shape]:
    """Of several operands two that cannot be stretched to one shape, or the first two."""
    pairs = [(one, other) for at, one in enumerate(inputs) for other in inputs[at + 1 :]]
    return next((pair for pair in pairs if not sizes.stretchable(*pair)), pairs[0])


def _is_loss(pasted: Pasted) -> bool:
    """Whether it was raised while a loss or a metric was computed, by the lines that raised or the node's name."""
    node = facts.word(pasted, "node").lower()
    return pasted.raises(*LOSSES, *METRICS) or any(word in node for word in LOSSES)


def _are_labels(pasted: Pasted, left: Shape, right: Shape) -> bool:
    """TensorFlow says `Shapes ... are incompatible` of two shapes that must be one, and Keras nearly always of labels
    and output: a batch that is not known yet gives them away."""
    return bool(_must_be_one(pasted) and left and right) and left[0] is None and right[0] is None


def _must_be_one(pasted: Pasted) -> bool:
    asserted = re.match(r"\W*shapes\b", pasted.reading.message, re.IGNORECASE)
    return asserted is not None and pasted.reading.framework != "torch"


def _rows(pasted: Pasted, left: Shape | None, right: Shape | None) -> tuple[Size, Size]:
    if left and right:
        return left[0], right[0]
    return facts.size(pasted, "a"), facts.size(pasted, "b")


def _named_axis(pasted: Pasted, left: Shape | None, right: Shape | None) -> sizes.Apart | None:
    a, b, axis = (facts.size(pasted, name) for name in ("a", "b", "axis"))
    if a is None or b is None:
        return None
    if axis is not None and axis < 0 and left is not None and right is not None:
        axis += max(len(left), len(right))
    return (axis, a, b) if axis is not None else None


def _headline(met: Meeting) -> str:
    if met.left is not None and met.right is not None:
        shapes = f"{shaped(met.left)} and {shaped(met.right)} meet element by element and do not fit"
        return f"{shapes}: {met.differing}" if met.apart else shapes
    if met.apart:
        axis, a, b = met.apart[0]
        return f"two tensors meet element by element and differ on axis {axis}: {a} against {b}"
    return "two tensors meet element by element and their shapes do not fit"


def _meaning(met: Meeting, named: sizes.Apart | None) -> str:
    rule = (
        "A sum, product or comparison takes its operands element by element. They are aligned at their last axes, and "
        "each pair of axes must have one size; an axis of 1 is stretched."
    )
    if met.left is not None and met.right is not None:
        if sizes.stretchable(met.left, met.right):
            return (
                f"{rule} {shaped(met.left)} and {shaped(met.right)} could be stretched to one shape, and were refused."
            )
        return f"{rule} Here {met.differing}."
    if named:
        axis, a, b = named
        further = "" if axis == 0 else " The message names one axis only; the axes before it may differ too."
        return f"{rule} Here one has {a} on axis {axis} and the other {b}.{further}"
    return f"{rule} The message tells no sizes: print the shapes of both operands."


def _evidence(pasted: Pasted, met: Meeting) -> Iterator[Evidence]:
    yield from evidence(pasted, met)
    if met.left is not None and met.right is not None and sizes.stretchable(met.left, met.right):
        refused = "where they differ, one of the two has size 1 or no axis at all"
        yield REFUSED_BROADCAST.since(refused, NUMBERS + 0.05)
        yield causes.OTHER_RELEASE.since(refused, FITS)
        yield causes.LOST_AXIS.since(refused, COMMON)
    if _must_be_one(pasted) and met.rank is not None and met.rank >= 3:
        asserted = "two shapes that must be one without broadcasting, as a loss asks of labels and output"
        yield labels.OTHER_MAP.since(asserted, FITS + 0.08)
    if pasted.runs(*SKIPS):
        yield causes.OTHER_STRIDE.since("the names in the lines above it speak of a skip connection", FITS)
    yield from _without_numbers(met)
    if met.apart:
        _, a, b = met.apart[-1]
        unseen = "nothing in the text speaks for it or against it, and it is frequent"
        yield causes.OTHER_SETTING.since(unseen, RARE - 0.05, expected=a, got=b)
        yield causes.OTHER_RELEASE.since(unseen, RARE - 0.06)


def _in_loss(met: Meeting) -> Iterator[Evidence]:
    """Output against target, of which the message tells one axis, or nothing."""
    seen = "the line that raised computes a loss"
    for axis, a, b in met.apart:
        yield from labels.of_axis(axis, a, b, f"{a} against {b}" + ("" if axis is None else f" on axis {axis}"))
    if not met.apart:
        yield causes.ONE_HOT.since(seen, COMMON)
        yield causes.TRAILING_ONE.since(seen, COMMON)
        yield causes.CLASS_COUNT.since(seen, COMMON - 0.02, output="?", target="?")
    yield PER_SAMPLE.since(seen, COMMON - 0.05)
    yield causes.LAST_BATCH.since(seen, RARE)


def _without_numbers(met: Meeting) -> Iterator[Evidence]:
    if not met.apart and met.left is None:
        common = "the message has no sizes; this is a common cause"
        if met.framework in ("tensorflow", "keras"):
            graph = f"{common} in a graph, where batch, labels and output meet without their sizes being known"
            yield causes.LAST_BATCH.since(graph, COMMON + 0.03)
            yield PER_SAMPLE.since(graph, COMMON + 0.01)
        yield causes.ODD_SIZE.since(common, COMMON)
        yield causes.OTHER_STRIDE.since(common, COMMON - 0.02)
        release = "the message has no sizes; code that ran with another release, or uncompiled, fails so"
        yield causes.OTHER_RELEASE.since(release, COMMON)
        yield causes.LOST_AXIS.since(common, COMMON - 0.01)


# Expanding, copying, writing into


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
    named = _named_axis(pasted, target, given)
    met = meeting(pasted, target, given, named, stretches=False)
    shapes = ""
    if given is not None and target is not None:
        verb = "cannot be written in place into" if in_place else "cannot become"
        shapes = f"{shaped(given)} {verb} {shaped(target)}"
    where = f": {met.differing}" if met.apart else ""
    headline = (shapes or "a tensor cannot take the shape that is asked for") + where
    meaning = (
        "A tensor is expanded, or copied into a place of a given shape. Only axes of 1 can be stretched, and axes "
        f"can be added in front only; nothing can shrink. Given {shaped(given)}, wanted {shaped(target)}."
    )
    return told(pasted, "SW203", headline, meaning, _of_expanding(pasted, met))


def _of_expanding(pasted: Pasted, met: Meeting) -> Iterator[Evidence]:
    target, given = met.left, met.right
    if target is None or given is None:
        yield from evidence(pasted, met)
        yield causes.LOST_AXIS.since("a common cause of this error", COMMON)
        yield causes.LAST_BATCH.since("a common cause of this error", RARE if met.apart else COMMON)
        if pasted.reading.framework == "torch":
            bare = "the message lacks both shapes, as those of old releases do"
            yield causes.OTHER_RELEASE.since(bare, FITS)
        return
    if _is_permuted(given, target):
        moved = f"{shaped(given)} has sizes of {shaped(target)} on other axes"
        yield causes.SWAPPED.since(moved, NUMBERS)
    yield from _into_array(pasted, given, target)
    if 1 < len(given) < len(target) or (len(given) == 1 < len(target) and given[0] in target[:-1]):
        begins = given == target[: len(given)]
        if begins or given[0] in target[:-1]:
            seen = (
                f"{shaped(given)} is how {shaped(target)} begins" if begins else f"{given[0]} stands further in front"
            )
            yield NO_KEEPDIM.since(f"{seen}, but shapes are aligned at their last axes", NUMBERS)
    for axis, wanted, had in met.apart:
        if axis is None:
            continue
        if axis == 0 and len(target) == len(given):
            seen = f"only the first axis has to change, {had} to {wanted}"
            rest = len(met.apart) == 1
            if len(target) == 2 and {wanted, had} == {1, 2} and (target[1] or 0) > 1000:
                yield STEREO.since(f"{seen}, and the other axis is long: sound", NUMBERS)
            elif len(target) == 3 and {wanted, had} == {1, 3}:
                yield causes.GREY.since(f"{seen}: one colour channel against three", NUMBERS)
                yield NORMALISED.since(f"{seen}: one colour channel against three", NUMBERS, a=had, b=wanted)
                yield causes.OTHER_RELEASE.since("in-place arithmetic once broadcast images of one channel", COMMON)
            elif had > wanted > 1:
                yield from _too_long(target, wanted, had)
            elif had < wanted or wanted == 1:
                rows = rest and 1 not in (wanted, had) and len(target) > 1
                yield causes.LAST_BATCH.since(seen, NUMBERS if rows else FITS)
                yield SLICE.since(seen, FITS if rest and wanted != 1 else RARE, target=wanted, given=had)
        if wanted == 1 and len(target) == len(given):
            yield IN_PLACE.since(f"the result would be {shaped(given)}, larger than {shaped(target)}", FITS)
            if axis == 0:
                yield causes.OTHER_BATCH.since(f"the first axis is {had} against {wanted}", FITS)
        elif axis > 0 and 1 not in (wanted, had):
            yield from _of_table(target, given, axis, wanted, had)
    arrays = pasted.reading.framework == "numpy"
    # what is written into an array is no branch of a network
    branches = {causes.OTHER_STRIDE, causes.NO_PADDING, causes.CLASS_TOKEN, NO_KEEPDIM} if arrays else set()
    yield from (each for each in evidence(pasted, met) if each.cause not in branches)
    for axis, wanted, had in met.apart:
        if axis and arrays:
            written = f"{had} is given on axis {axis}, where the array was made for {wanted}"
            yield causes.OTHER_SETTING.since(written, FITS, expected=wanted, got=had)
    unseen = "nothing in the text speaks for it or against it, and it is frequent"
    yield causes.OTHER_RELEASE.since(unseen, COMMON - 0.05 if arrays else RARE + 0.01)
    if not arrays:
        yield IN_PLACE.since("it is raised by operations in place too", RARE)


def _into_array(pasted: Pasted, given: Shape, target: Shape) -> Iterator[Evidence]:
    """What the two shapes tell where a value is written into an array."""
    seen = f"{shaped(given)} into {shaped(target)}"
    if 0 in given or 0 in target:
        yield NOTHING_LEFT.since(f"{seen}: one of them is empty", NUMBERS + 0.05)
    if pasted.reading.framework != "numpy":
        return
    if len(given) > len(target) and given[: len(target)] == target and given[-1] != 1:
        ragged = f"{seen}: so NumPy words it when entries of a list agree on their first axes and not on the others"
        yield UNEQUAL_SAMPLES.since(ragged, NUMBERS)
        if given[-1] in (3, 4):
            yield causes.COLOUR.since(f"{seen}: colours where the place has none", FITS)
    elif given != target and sizes.squeezed(given) == sizes.squeezed(target):
        yield causes.OTHER_RELEASE.since(f"{seen}: older releases let axes of 1 pass", FITS + 0.06)
    if len(given) == len(target) == 1 and {given[0], target[0]} == {3, 4}:
        yield causes.ALPHA.since(f"{seen}: three colours against four", FITS + 0.06)


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
    yield SLICE.since(seen, COMMON, target=wanted, given=had)
    if len(target) == 2 and max(wanted, had) > 64:
        yield causes.OTHER_LENGTH.since(f"{seen}, if the rows are tokens or steps", FITS + 0.02)


def _of_table(target: Shape, given: Shape, axis: int, wanted: int, had: int) -> Iterator[Evidence]:
    """An axis that is not the first: positions, masks and caches of one row have their length there."""
    at = axis - (len(target) - len(given))
    before = given[:at]
    seen = f"{had} is given on axis {axis}, and {wanted} is asked for"
    if len(given) == 1 and len(target) == 2 and max(wanted, had) <= 1000 and had not in MAXIMA:
        yield PER_CLASS.since(f"a vector of {had} for rows of {wanted}", FITS, given=had, target=wanted)
    elif set(before) <= {1} and max(wanted, had) > 64 and at < 2:
        row = f"{seen}: one row, as tables of positions, masks and caches are"
        if wanted > had:
            weight = NUMBERS + 0.02 if had in MAXIMA else FITS
            usual = f"; {had} is a usual maximum of tokens" if had in MAXIMA else ""
            yield causes.TOO_LONG.since(f"{row}{usual}", weight)
        else:
            yield FULL_BUFFER.since(f"{seen}: more comes than there is room for", FITS, target=wanted, given=had)
        yield causes.OTHER_LENGTH.since(row, FITS + 0.05)
        yield causes.CACHE.since(row, FITS if abs(wanted - had) == 1 else COMMON)
