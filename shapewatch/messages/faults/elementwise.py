"""Two values are added, multiplied or compared element by element, or copied into another's shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from shapewatch.messages.faults import (
    causes,
    facts,
    labels,
    model_input,
    roles,
    rows,
    samples,
    sizes,
    targets,
    weights,
)
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.expanding import MOST_COLUMNS, OTHER_SCALER, is_mask
from shapewatch.messages.faults.indexing import of_mask
from shapewatch.messages.faults.meeting import (
    LOSSES,
    METRICS,
    SKIPS,
    Meeting,
    evidence,
    meeting,
    named_axis,
)
from shapewatch.messages.faults.wording import listed, shaped
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

REFUSED_BROADCAST = Cause(
    "this release (or this layer) does not stretch axes of 1 or add missing ones; newer or other releases do",
    "Use the release that the project names, or bring both to one shape first (reshape to (1, 1, C), then repeat), or "
    "multiply in a Lambda with the backend's own product.",
    "Compare the installed version with the one that the code was written for.",
)
MATRIX_PRODUCT = Cause(
    "`*` multiplies element by element, where a matrix product was meant: as matrices, the two fit",
    "Write the matrix product: `@`, or `matmul`.",
    "Say which axis of the one is to be summed over with which of the other.",
    {"torch": "y = a @ b", "tensorflow": "y = tf.matmul(a, b)", "keras": "y = keras.ops.matmul(a, b)"},
)
VECTOR_FOR_MATRIX = Cause(
    "one of the two lacks an axis, a vector where a matrix is asked for: both operands of a product (`matmul`), or of "
    "what compares their shapes, have one number of axes",
    "Give it the axis that it lacks: a row `x[None]`, or a column `x[:, None]`.",
    "Print both shapes, and say what each axis is.",
    {"tensorflow": "x = tf.expand_dims(x, 0)"},
)
PER_SAMPLE = Cause(
    "a loss or metric compares tensors of different layouts: labels, logits and weights do not have one shape",
    "Print the shapes of output, target and weight, and bring them to one.",
)


_KERAS_2 = re.compile(r"Operands could not be broadcast together with shapes \((?:None|\d+), ")
"""The merge layers of Keras 2 word it as NumPy does, with a capital and with blanks between the sizes."""


def elementwise(pasted: Pasted) -> Told:
    if _KERAS_2.match(pasted.reading.message):
        facts_of_one = {**pasted.reading.facts, "batch_left_out": True}
        pasted = replace(pasted, reading=replace(pasted.reading, framework="keras", facts=facts_of_one))
    left, right = facts.shape(pasted, "left"), facts.shape(pasted, "right")
    inputs = facts.shapes(pasted, "inputs")
    if left is None and right is None and len(inputs) > 1:
        left, right = _two_that_differ(inputs)
    if pasted.runs("from_tensor_slices", "from_tensors"):
        return rows.of_arrays(pasted, *_rows(pasted, left, right))
    if left is not None and right is not None and pasted.runs("boolean_mask"):
        return of_mask(pasted, right, left)
    if left and right and _is_loading(pasted):
        return weights.of_pair(pasted, left, right)
    if left and right and _reads_as_a_weight(pasted, left, right):
        return weights.of_likely_pair(pasted, left, right)
    if left and right and _has_lost_its_operation(pasted, left, right):
        return _without_operation(pasted, left, right)
    if left is not None and right is not None and "EnsureShape" in facts.word(pasted, "op", "node"):
        return model_input.ensured(pasted, left, right)
    if left and right and facts.word(pasted, "op", "node").rpartition("/")[2] == "Equal" and left[:1] == right[:1]:
        return labels.unlike(pasted, left, right)
    if left is not None and right is not None and (_is_loss(pasted) or _are_labels(pasted, left, right)):
        # torch computes output - target, TensorFlow and Keras target - output
        return labels.unlike(pasted, *((right, left) if pasted.reading.framework == "torch" else (left, right)))
    named = named_axis(pasted, left, right)
    met = meeting(pasted, left, right, named)
    headline = _headline(met, pasted.reading.message)
    if _is_loss(pasted):
        return told(pasted, "SW801", headline, _meaning(met, named), _in_loss(met))
    return told(pasted, "SW201", headline, _meaning(met, named), _evidence(pasted, met))


def _two_that_differ(inputs: tuple[Shape, ...]) -> tuple[Shape, Shape]:
    """Of several operands two that cannot be stretched to one shape, or the first two."""
    pairs = [(one, other) for at, one in enumerate(inputs) for other in inputs[at + 1 :]]
    return next((pair for pair in pairs if not sizes.stretchable(*pair)), pairs[0])


def _is_loss(pasted: Pasted) -> bool:
    """Whether it was raised while a loss or a metric was computed, by the lines that raised or the node's name."""
    # of `compile_loss/mse/sub` the last three: a program may put its whole graph into a scope of that name
    node = "/".join(facts.word(pasted, "node").removesuffix("/BroadcastGradientArgs").lower().split("/")[-3:])
    return pasted.raises(*LOSSES, *METRICS) or any(word in node for word in LOSSES)


def _is_loading(pasted: Pasted) -> bool:
    return pasted.runs("load_weights", "load_model", "set_weights", "restore")


def _reads_as_a_weight(pasted: Pasted, left: Shape, right: Shape) -> bool:
    """`Shapes (a, c) and (b, c) are incompatible`, of as many rows as flattened maps have: a dense layer's weights."""
    if facts.word(pasted, "op") != "is_compatible_with" or len(left) != 2 or len(right) != 2 or left[1] != right[1]:
        return False
    return min(left[0] or 0, right[0] or 0) > MOST_ROWS_FED and (left[1] or 0) >= 16


MOST_ROWS_FED = 4096
"""More samples than this are seldom compared at once."""


def _has_lost_its_operation(pasted: Pasted, left: Shape, right: Shape) -> bool:
    """`Dimension 1 in both shapes must be equal`, cut off before the operation, of two matrices (or filters) all of
    whose sizes are known and one differs. TensorFlow words so what is packed, merged and assigned alike."""
    if facts.word(pasted, "op", "node") or "in both shapes" not in pasted.reading.message.lower():
        return False
    known = None not in (*left, *right) and len(left) == len(right) > 1 != left[0]
    turned = len(left) == 4 and sizes.is_reordered(left, right)
    return known and pasted.reading.framework == "tensorflow" and (len(sizes.apart(left, right)) == 1 or turned)


def _without_operation(pasted: Pasted, left: Shape, right: Shape) -> Told:
    axis, a, b = sizes.apart(left, right)[0]
    headline = f"{shaped(left)} and {shaped(right)} must have one shape, and axis {axis} differs: {a} against {b}"
    meaning = (
        "The text ends before the operation. TensorFlow says this of values that are packed into one, or merged, and "
        "of a saved weight that is assigned to the model's."
    )
    return told(pasted, "SW201", headline, meaning, _of_packed_or_saved(pasted, left, right, axis))


def _of_packed_or_saved(pasted: Pasted, left: Shape, right: Shape, axis: int) -> Iterator[Evidence]:
    seen = f"{shaped(left)} and {shaped(right)}"
    batch = left[0] or 0
    # what is fed to a graph seldom has more samples than this, and a layer seldom has fewer inputs
    few = batch <= MOST_SAMPLES
    if axis == len(left) - 1:
        joined = f"{seen} differ on the last axis alone, along which they may be joined"
        yield samples.OLD_ORDER.since(joined, FITS + (0.08 if few else 0.01))
        unequal = f"{seen}: values of one batch and of two widths, if they are packed (stacked, a list made a tensor)"
        yield samples.LENGTHS.since(unequal, FITS - (0.03 if few else 0.2))
    for each in weights.of_weights(pasted, [("", right, left)]):
        yield replace(each, weight=each.weight - (0.03 if few else 0.0))


MOST_SAMPLES = 64


def _are_labels(pasted: Pasted, left: Shape, right: Shape) -> bool:
    """TensorFlow says `Shapes ... are incompatible` of two shapes that must be one, and Keras nearly always of labels
    and output: they have one batch, or one that is not known yet."""
    return bool(_must_be_one(pasted) and len(left) > 1 < len(right)) and left[0] == right[0] != 1


def _must_be_one(pasted: Pasted) -> bool:
    asserted = re.match(r"\W*shapes\b", pasted.reading.message, re.IGNORECASE)
    return asserted is not None and pasted.reading.framework != "torch"


def _rows(pasted: Pasted, left: Shape | None, right: Shape | None) -> tuple[Size, Size]:
    if left and right:
        return left[0], right[0]
    return facts.size(pasted, "a"), facts.size(pasted, "b")


_SYMBOL = re.compile(r"\b[su]\d{1,4}\b")


def _hidden(met: Meeting) -> list[int]:
    """Where two sizes meet that a tracer knows by name alone (`s27`), so that they may differ or not."""
    if met.framework != "torch" or met.left is None or met.right is None or len(met.left) != len(met.right):
        return []
    return [axis for axis, pair in enumerate(zip(met.left, met.right, strict=True)) if None in pair and 1 not in pair]


def _headline(met: Meeting, message: str) -> str:
    if met.left is not None and met.right is not None:
        shapes = f"{shaped(met.left)} and {shaped(met.right)} meet element by element and do not fit"
        if not met.apart and (hidden := _hidden(met)):
            names = listed(dict.fromkeys(_SYMBOL.findall(message)))
            where = listed(f"axis {axis}" for axis in hidden)
            return f"{shapes}: of {where} the sizes are known by name alone ({names})"
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
        if not met.apart and _hidden(met):
            return f"{rule} A tracer could not tell that two sizes, which it knows by name alone, are equal."
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
    hidden = not met.apart and _hidden(met)
    if hidden:
        named = "sizes that a tracer knows by name alone: it cannot tell that they are equal"
        yield causes.COMPILED.since(named, NUMBERS)
        yield causes.LAST_BATCH.since("two inputs may have been traced with different batches", FITS)
        yield causes.OTHER_RELEASE.since(f"{named}; exporters differ from release to release", FITS + 0.02)
    elif facts.flag(pasted, "traced"):
        traced = "the message is that of tensors without values, on which code is traced, compiled or exported"
        yield causes.COMPILED.since(traced, COMMON + 0.03)
    yield from _of_two_matrices(pasted, met)
    of_one_rank = facts.word(pasted, "op") == "assert_same_rank"
    if of_one_rank and met.left is not None and met.right is not None:
        ranks = f"{shaped(met.left)} and {shaped(met.right)} have not as many axes"
        yield VECTOR_FOR_MATRIX.since(ranks, FITS + 0.08 if 1 in map(len, (met.left, met.right)) else RARE)
        yield causes.LOST_AXIS.since(ranks, FITS)
        yield causes.MISSING_BATCH.since(ranks, COMMON + 0.02)
        yield causes.EXTRA_AXIS.since(ranks, COMMON)
    elif not hidden and met.left is not None and met.right is not None and sizes.stretchable(met.left, met.right):
        refused = "where they differ, one of the two has size 1 or no axis at all"
        batch = [axis for axis, _, _ in sizes.apart(met.left, met.right)] == [0] and met.rank != 1
        yield REFUSED_BROADCAST.since(refused, FITS + 0.02 if batch else NUMBERS + 0.05)
        if batch:
            yield causes.LAST_BATCH.since(f"{refused}, on the axis of the batch alone", FITS + 0.05)
        yield causes.OTHER_RELEASE.since(refused, FITS)
        yield causes.LOST_AXIS.since(refused, COMMON)
        if met.framework in roles.CHANNELS_LAST_FRAMEWORKS and _differ_on_the_last(met.left, met.right):
            columns = "rows of one batch, with one column against several: labels and output, if a loss compares them"
            yield causes.ONE_HOT.since(columns, FITS + 0.08)
    if _is_flattened(met):
        flat = f"{shaped(met.left)} and {shaped(met.right)} hold as many values: one of the two was flattened"
        first_axes = 1 in map(len, (met.left or (), met.right or ())) and met.framework in ("tensorflow", "keras")
        if first_axes:
            yield targets.NAMED_METRIC.since(f"{flat}, whole, as metrics do", NUMBERS - 0.02)
            yield causes.OTHER_RELEASE.since(f"{flat}; which of the two a metric flattens differs by release", FITS)
    if _differ_by_colours(met):
        colours = f"{shaped(met.left)} and {shaped(met.right)} differ in their last axis alone, by colours"
        yield causes.GREY.since(colours, FITS + 0.06)
    yield from _without_colours(met)
    yield from _of_scaler(pasted, met)
    yield from _of_mask(met)
    if _must_be_one(pasted) and met.rank is not None and met.rank >= 3:
        asserted = "two shapes that must be one without broadcasting, as a loss asks of labels and output"
        yield targets.OTHER_MAP.since(asserted, FITS + 0.08)
    if pasted.runs(*SKIPS):
        yield causes.OTHER_STRIDE.since("the names in the lines above it speak of a skip connection", FITS)
    yield from _without_numbers(met)
    if met.apart:
        _, a, b = met.apart[-1]
        unseen = "nothing in the text speaks for it or against it, and it is frequent"
        yield causes.OTHER_SETTING.since(unseen, RARE - 0.05, expected=a, got=b)
        yield causes.OTHER_RELEASE.since(unseen, RARE - 0.06)


def _of_two_matrices(pasted: Pasted, met: Meeting) -> Iterator[Evidence]:
    """A product element by element of what fits as a matrix product."""
    one, other = met.left or (), met.right or ()
    inner = len(one) == len(other) == 2 and one[1] is not None and one[1] == other[0]
    if facts.word(pasted, "op").lower() in ("mul", "multiply") and inner:
        yield MATRIX_PRODUCT.since(f"{shaped(one)} times {shaped(other)} is a matrix product that fits", FITS + 0.12)


def _is_flattened(met: Meeting) -> bool:
    """Whether neighbouring axes of one make an axis of the other."""
    if met.left is None or met.right is None:
        return False
    return sizes.is_merged(*sorted((met.left, met.right), key=len))


def _differ_by_colours(met: Meeting) -> bool:
    if (
        met.left is None
        or met.right is None
        or len(met.left) != 4
        or met.framework not in roles.CHANNELS_LAST_FRAMEWORKS
    ):
        return False
    return _differ_on_the_last(met.left, met.right) and {met.left[-1], met.right[-1]} == {1, 3}


def _without_colours(met: Meeting) -> Iterator[Evidence]:
    """(H, W) beside (H, W, 3): a mask, or a grey image. In a graph, the first axis is a batch."""
    if met.framework != "numpy":
        return
    short, long = sorted((met.left or (), met.right or ()), key=len)
    if len(short) == 2 and short == long[:-1] and long[-1] in (1, 3, 4) and min(size or 0 for size in short) >= 16:
        flat = f"{shaped(short)} is {shaped(long)} without its colours: a mask or a grey image beside one with them"
        yield causes.MISSING_CHANNELS.since(flat, NUMBERS + 0.04)
        yield causes.GREY.since(flat, NUMBERS - 0.04)


def _of_mask(met: Meeting) -> Iterator[Evidence]:
    """(batch, 1, 1, keys) beside (batch, heads, queries, keys)."""
    if met.left is None or met.right is None:
        return
    for given, scores in ((met.left, met.right), (met.right, met.left)):
        if len(given) == 4 and given[1:3] == (1, 1) and is_mask(given, scores):
            keys = f"{shaped(given)} reads as a mask of the keys, and {shaped(scores)} as attention's scores"
            yield causes.OTHER_LENGTH.since(keys, NUMBERS + 0.05)
            yield causes.TOO_LONG.since(keys, FITS)


def _of_scaler(pasted: Pasted, met: Meeting) -> Iterator[Evidence]:
    """A value for each column beside a table of another number of columns."""
    if met.framework != "numpy" or not met.left or not met.right or (len(met.left), len(met.right)) != (2, 1):
        return
    if met.apart and max(met.right[0] or 0, met.left[1] or 0) <= MOST_COLUMNS and met.left[0] != met.right[0]:
        columns = f"{shaped(met.right)} holds a value for each column, and {shaped(met.left)} has others"
        in_place = facts.shape(pasted, "third") == met.left
        yield OTHER_SCALER.since(columns, NUMBERS if in_place else COMMON + 0.02)


def _differ_on_the_last(left: Shape, right: Shape) -> bool:
    return len(left) == len(right) > 1 and left[:-1] == right[:-1]


def _in_loss(met: Meeting) -> Iterator[Evidence]:
    """Output against target, of which the message tells one axis, or nothing."""
    seen = "the line that raised computes a loss"
    for axis, a, b in met.apart:
        yield from targets.of_axis(axis, a, b, f"{a} against {b}" + ("" if axis is None else f" on axis {axis}"))
    if not met.apart:
        yield causes.ONE_HOT.since(seen, COMMON)
        yield causes.TRAILING_ONE.since(seen, COMMON)
        yield causes.CLASS_COUNT.since(seen, COMMON - 0.02, output="?", target="?")
    yield PER_SAMPLE.since(seen, COMMON - 0.05)
    rest = next(((max(a, b), min(a, b)) for _, a, b in met.apart if a and b and _may_be_the_rest(a, b)), None)
    if rest is not None:
        whole = "{} is a usual batch, and {} may be what is left for the last one".format(*rest)
        yield causes.LAST_BATCH.since(whole, COMMON + 0.02)
    else:
        yield causes.LAST_BATCH.since(seen, RARE)


def _may_be_the_rest(a: int, b: int) -> bool:
    """Whether one of two sizes is a power of two, as batches are, and the other is less and no part of it."""
    whole, rest = max(a, b), min(a, b)
    return whole >= 8 and whole & (whole - 1) == 0 and bool(whole % rest)


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
