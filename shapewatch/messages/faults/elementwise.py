"""Two values are added, multiplied or compared element by element, or copied into another's shape."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, labels, roles, rows, sizes, weights
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
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
        return rows.of_arrays(pasted, *_rows(pasted, left, right))
    if left is not None and right is not None and pasted.runs("boolean_mask"):
        return of_mask(pasted, right, left)
    if left and right and pasted.runs("load_weights", "load_model", "set_weights", "restore"):
        return weights.of_pair(pasted, left, right)
    if left is not None and right is not None and (_is_loss(pasted) or _are_labels(pasted, left, right)):
        # torch computes output - target, TensorFlow and Keras target - output
        return labels.unlike(pasted, *((right, left) if pasted.reading.framework == "torch" else (left, right)))
    named = named_axis(pasted, left, right)
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
    and output: they have one batch, or one that is not known yet."""
    return bool(_must_be_one(pasted) and len(left) > 1 < len(right)) and left[0] == right[0] != 1


def _must_be_one(pasted: Pasted) -> bool:
    asserted = re.match(r"\W*shapes\b", pasted.reading.message, re.IGNORECASE)
    return asserted is not None and pasted.reading.framework != "torch"


def _rows(pasted: Pasted, left: Shape | None, right: Shape | None) -> tuple[Size, Size]:
    if left and right:
        return left[0], right[0]
    return facts.size(pasted, "a"), facts.size(pasted, "b")


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
        if met.framework in roles.CHANNELS_LAST_FRAMEWORKS and _differ_on_the_last(met.left, met.right):
            columns = "rows of one batch, with one column against several: labels and output, if a loss compares them"
            yield causes.ONE_HOT.since(columns, FITS + 0.08)
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


def _differ_on_the_last(left: Shape, right: Shape) -> bool:
    return len(left) == len(right) > 1 and left[:-1] == right[:-1]


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
