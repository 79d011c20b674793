"""Outputs and targets: their shapes, and how they are built."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, rows, sizes, targets, weights
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.wording import shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

TARGET_LENGTHS = Cause(
    "the lengths that are told of the targets are not theirs: counted with something else in them (a file's ending, "
    "blanks, padding), or the targets were cut or encoded after they were counted",
    "Count each target after it is encoded: `len(encoded)`.",
    "Print a target, its encoded form and its length.",
)


def target_shape(pasted: Pasted) -> Told:
    if facts.word(pasted, "op") == "ctc_loss":
        return _of_lengths(pasted)
    output, target = facts.shape(pasted, "output", "other"), facts.shape(pasted, "target")
    expected = facts.shape(pasted, "expected")
    if output is None and expected is not None:
        return _against(pasted, expected, target, "the target must have shape")
    a, b = facts.size(pasted, "a", "output_count", "expected"), facts.size(pasted, "b", "target_count", "got")
    if output is not None and target is not None and _are_other_rows(pasted, output, target):
        return rows.target_batch(pasted)
    if output is not None and target is not None:
        return of_shapes(pasted, output, target)
    if output is None and target is not None and "categorical" in facts.word(pasted, "loss"):
        return _of_indices(pasted, target)
    headline = (
        f"output and target differ: {a} against {b}"
        if output is None and target is None and a is not None and b is not None
        else f"output {shaped(output)} and target {shaped(target)} do not have the shapes that the loss needs"
    )
    return told(pasted, "SW801", headline, _compared(output, target), _without_shapes(a, b))


def _are_other_rows(pasted: Pasted, output: Shape, target: Shape) -> bool:
    """A loss of class numbers: (rows, classes) and (rows,), of which the rows differ."""
    except_last = "except for the last dimension" in pasted.reading.message
    known = None not in (*output, *target)
    return except_last and known and len(output) == 2 and len(target) == 1 and output[0] != target[0]


def of_shapes(pasted: Pasted, output: Shape, target: Shape) -> Told:
    headline = f"output {shaped(output)} and target {shaped(target)} do not have the shapes that the loss needs"
    meaning = _compared(output, target)
    if facts.word(pasted, "what") == "target" and output[:1] != (None,) and len(output) == len(target):
        # Keras 2 leaves the batch out of both
        output, target = (None, *output), (None, *target)
    evidence = list(targets.of_pair(output, target))
    if "sparse" in facts.word(pasted, "loss") and output == target:
        same = f"labels {shaped(target)} have the output's own shape, as one-hot labels have"
        evidence.append(causes.ONE_HOT.since(same, SAID - 0.05))
    if "checking" in pasted.reading.message:
        early = "Keras 1 and 2 check targets by the name of the loss, and know not every loss, output or custom layer"
        evidence.append(causes.OTHER_RELEASE.since(early, FITS + 0.01))
    return told(pasted, "SW801", headline, meaning, evidence)


def _of_indices(pasted: Pasted, target: Shape) -> Told:
    headline = f"the labels have shape {shaped(target)}, and the loss takes one column for each class"
    meaning = "Categorical cross entropy takes one-hot labels, (samples, classes); class numbers have one column."
    seen = f"labels {shaped(target)}: one column"
    evidence = [
        causes.ONE_HOT.since(f"{seen}, as class numbers have", SAID - 0.05),
        targets.BINARY_OUTPUT.since(f"{seen}: with two classes it may be the binary loss that is meant", FITS + 0.1),
        targets.NOT_THE_LABELS.since(seen, RARE),
    ]
    return told(pasted, "SW801", headline, meaning, evidence)


def _compared(output: Shape | None, target: Shape | None) -> str:
    return (
        "The loss compares output and target entry by entry, so both need one shape (or, for class indices, the "
        f"output's without its class axis). Here {shaped(output)} against {shaped(target)}."
    )


def _of_lengths(pasted: Pasted) -> Told:
    longest, room = facts.size(pasted, "expected"), facts.size(pasted, "got")
    headline = f"the targets have {sized(room)} entries each, and one is said to have {sized(longest)}"
    meaning = "CTC takes a row of entries for each target, and how many of them count; no target is longer than a row."
    seen = f"{sized(longest)} are counted where there is room for {sized(room)}"
    evidence = [
        TARGET_LENGTHS.since(seen, FITS + 0.04),
        causes.OTHER_LENGTH.since(f"{seen}: the rows are cut or padded to another length", COMMON + 0.05),
        causes.LAST_BATCH.since("lengths and targets may be of different batches", RARE),
    ]
    return told(pasted, "SW801", headline, meaning, evidence)


OTHER_OUTPUTS = Cause(
    "the model gives several outputs (or one) and the labels are one (or several): lists, tuples and dicts have to be "
    "built alike on both sides",
    "Give one array of labels for each output, in the outputs' order or by their names; or return one output.",
    "Print the structure of what the model returns and of what is passed as labels.",
    {"keras": "model.fit(x, {'first': y1, 'second': y2})    # the names of the output layers"},
)

LIST_FOR_ARRAY = Cause(
    "the labels are a Python list (or a list in a list) where an array is meant",
    "Turn them into an array: `np.array(y)`.",
    "Print the type of the labels.",
    {"keras": "y = np.array(y)"},
)


def structure(pasted: Pasted) -> Told:
    headline = "labels and outputs are not built alike: other lists, tuples or dicts, or one where there is none"
    meaning = "Before any shape is looked at, the labels must have the structure of the model's outputs, leaf for leaf."
    evidence = [
        OTHER_OUTPUTS.since("the two structures differ", FITS + 0.06),
        LIST_FOR_ARRAY.since("a list counts as a structure", FITS),
        causes.OTHER_RELEASE.since("Keras 3 compares structures that earlier releases flattened", COMMON),
    ]
    return told(pasted, "SW801", headline, meaning, evidence)


def unlike(pasted: Pasted, target: Shape, output: Shape) -> Told:
    """Two shapes that had to be one, most likely of labels and output, in this order."""
    weight = _may_be_a_weight(target, output)
    whose = "of the labels and of the output, or of a weight as it is saved and as it is built"
    headline = (
        f"shapes {shaped(target)} and {shaped(output)} should be one, "
        f"{whose if weight else 'most likely of the labels and of the output'}"
    )
    computed = facts.word(pasted, "op", "node").rpartition("/")[2].lower() in ("sub", "squareddifference", "mul")
    required = (
        "Labels and output meet element by element in the loss, and their shapes do not fit."
        if computed
        else "Two shapes were required to be the same, without broadcasting; Keras asks it of labels and output before "
        "it computes a loss."
    )
    meaning = f"{required} The first is {shaped(target)}, the second {shaped(output)}."
    evidence = list(targets.of_pair(output, target))
    if weight:
        evidence += weights.of_weights(pasted, [("", target, output)])
    if facts.word(pasted, "op", "node").endswith("Equal"):
        compared = "they are tested for equality, as an accuracy does"
        evidence.append(targets.NAMED_METRIC.since(compared, FITS + 0.02))
    if len(output) == len(target) == 2 and pasted.raises("squared", "mse", "absolute", "huber"):
        seen = f"the loss is of numbers: {output[-1]} are predicted, the target has {target[-1]}"
        if output[-1] != target[-1] and None not in (output[-1], target[-1]):
            evidence.append(targets.OTHER_COLUMNS_OUT.since(seen, NUMBERS + 0.02))
    return told(pasted, "SW801", headline, meaning, evidence)


def _may_be_a_weight(one: Shape, other: Shape) -> bool:
    """Two matrices that differ in their outputs alone, whose inputs are as many as an encoder gives."""
    return len(one) == len(other) == 2 and one[0] == other[0] and sizes.is_width(one[0]) and one[1] != other[1]


def _against(pasted: Pasted, expected: Shape, target: Shape | None, what: str) -> Told:
    headline = f"{what} {shaped(expected)}, and has {shaped(target)}"
    meaning = (
        "For class indices the target has the output's shape without the class axis: (N,) for (N, classes), (N, H, "
        f"W) for (N, classes, H, W). By the output it must be {shaped(expected)}; it is {shaped(target)}."
    )
    two = target is not None and len(target) == len(expected) == 2 and None not in (expected[1], target[1])
    evidence = [
        targets.OTHER_MAP.since(
            f"{shaped(expected)} against {shaped(target)}", NUMBERS if len(expected) >= 3 else RARE
        ),
        targets.CLASSES_FIRST.since("the wanted shape is read off the output with axis 1 taken for the classes", FITS),
        causes.ONE_HOT.since(f"{shaped(target)} may be one-hot", FITS if len(expected) < 3 else RARE),
        targets.WRONG_FLATTEN.since(f"{shaped(expected)} against {shaped(target)}", COMMON),
    ]
    if target is not None and len(target) == len(expected) + 1 >= 3 and None not in target:
        longer = f"{shaped(target)} has an axis more than {shaped(expected)}"
        if sizes.squeezed(target) == sizes.squeezed(expected):
            evidence.append(targets.MASK_OF_ONE.since(f"{longer}, of 1", SAID - 0.05))
        elif target[-1] in (3, 4) or target[1] in (3, 4):
            evidence.append(causes.MASK_CHANNELS.since(f"{longer}: colours", NUMBERS + 0.04))
        else:
            evidence.append(causes.ONE_HOT.since(f"{longer}, as one-hot labels have", NUMBERS + 0.04))
    if target is not None and len(target) < len(expected):
        more = f"{shaped(target)} has a label for each sample, and the output an axis more: steps, tokens or places"
        evidence.append(causes.NOT_POOLED.since(more, FITS + 0.08))
    elif target is not None and two and expected[0] == target[0]:
        steps = f"{expected[1]} against {target[1]} on axis 1, if both count tokens or steps"
        evidence.append(causes.OTHER_LENGTH.since(steps, FITS + 0.02))
    if target is not None and expected[:1] == (1,) and target == expected[1:]:
        evidence.append(
            targets.WITHOUT_BATCH.since(f"{shaped(target)} is {shaped(expected)} without its batch", SAID - 0.05)
        )
    if target is not None and two and expected[0] == target[0]:
        evidence.append(
            targets.CLASSES_FIRST.since(f"{expected[1]} stands where the length {target[1]} should", NUMBERS)
        )
    return told(pasted, "SW801", headline, meaning, evidence)


def _without_shapes(a: Size, b: Size) -> Iterator[Evidence]:
    seen = f"{sized(a)} against {sized(b)}" if a is not None or b is not None else "a common cause of this error"
    small = a is not None and b is not None and max(a, b) <= 1000 and 1 not in (a, b)
    if a and b and not small and max(a, b) == 3 * min(a, b):
        yield causes.MASK_CHANNELS.since(f"{seen}: one is three times the other, as with colours", NUMBERS)
    yield from targets.left_over(a, b, seen)
    if a and b and not small and min(a, b) > 1:
        yield targets.OTHER_MAP.since(f"{seen}: numbers of values, as maps of other sides have them", FITS)
    yield causes.CLASS_COUNT.since(seen, FITS if small else COMMON, output=sized(a), target=sized(b))
    yield causes.ONE_HOT.since(seen, FITS if 1 in (a, b) else COMMON)
    yield causes.TRAILING_ONE.since(seen, COMMON)
    yield causes.NOT_POOLED.since(seen, RARE)
