"""Outputs and targets: their shapes, ranks, batches and classes; arrays of different lengths."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.wording import of_rank, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

SQUEEZED_BATCH = Cause(
    "a batch of one lost its batch axis: a `squeeze()` without an axis takes that one as well",
    "Name the axis: `squeeze(1)` (or `squeeze(-1)`).",
    "Try it with a batch of one.",
    {"torch": "output = output.squeeze(-1)    # in place of output.squeeze()"},
)
OTHER_MAP = Cause(
    "the output map and the label map have different heights or widths: the network's output is smaller (its "
    "stride), or images and masks were resized differently",
    "Bring the output to the mask's size before the loss, or resize both alike.",
    "Print both shapes.",
    {"torch": 'output = F.interpolate(output, size=target.shape[-2:], mode="bilinear")'},
)
LIST_OF_LABELS = Cause(
    "the labels came as a plain list, or as single numbers, which were taken for several targets or for a scalar",
    "Turn them into one array with the shape of the output: `np.array(labels)`, with a last axis where the output "
    "has one.",
    "Print the type and shape of the labels.",
    {"keras": "y = np.array(y).reshape(-1, 1)", "tensorflow": "y = tf.reshape(y, [-1, 1])"},
)
CLASSES_FIRST = Cause(
    "the classes stand on another axis of the output than the loss looks at: torch takes (N, classes, ...), Keras "
    "(N, ..., classes)",
    "Move the class axis to its place.",
    "Print the output's shape, and find the number of classes in it.",
    {"torch": "loss = F.cross_entropy(output.permute(0, 2, 1), target)    # (N, L, C) to (N, C, L)"},
)
WRONG_FLATTEN = Cause(
    "output and target were flattened (or shifted, filtered, cut) differently, so that their rows no longer belong "
    "together",
    "Keep the class axis and flatten all the others alike: `output.reshape(-1, classes)`, `target.reshape(-1)`.",
    "Print both shapes before they are flattened.",
    {"torch": "loss = F.cross_entropy(output.reshape(-1, output.size(-1)), target.reshape(-1))"},
)
NO_LABELS = Cause(
    "there are no labels: every row was filtered out, or one device got an output and no labels",
    "See which batch it is; try one device; leave empty batches out.",
    "Print both lengths for each step and device.",
)
IGNORED_LABEL = Cause(
    "a label stands for void or padding (255, -1, -100) and the loss is not told to leave it out",
    "Set `ignore_index` to it, or map it to a class.",
    "Print the distinct labels.",
    {"torch": "criterion = nn.CrossEntropyLoss(ignore_index=255)"},
)
FROM_ONE = Cause(
    "the labels are counted from 1 and the loss counts from 0",
    "Subtract 1 from the labels.",
    "Print the smallest and the largest label.",
    {"torch": "loss = criterion(output, target - 1)"},
)
CLASS_WEIGHTS = Cause(
    "the class weights were written for another number of classes",
    "Give one weight for each class of the output.",
    "Compare the length of the weights with the output's classes.",
)


def target_shape(pasted: Pasted) -> Told:
    output, target = facts.shape(pasted, "output", "other"), facts.shape(pasted, "target")
    expected = facts.shape(pasted, "expected")
    if output is None and expected is not None:
        return _against(pasted, expected, target, "the target must have shape")
    a, b = facts.size(pasted, "a", "output_count", "expected"), facts.size(pasted, "b", "target_count", "got")
    if output is None and target is None and a is not None and b is not None:
        headline = f"output and target differ: {a} against {b}"
    else:
        headline = f"output {shaped(output)} and target {shaped(target)} do not have the shapes that the loss needs"
    meaning = (
        "The loss compares output and target entry by entry, so both need one shape (or, for class indices, the "
        f"output's without its class axis). Here {shaped(output)} against {shaped(target)}."
    )
    found = _without_shapes(a, b) if output is None or target is None else _of_pair(output, target)
    return told(pasted, "SW801", headline, meaning, found)


def unlike(pasted: Pasted, target: Shape, output: Shape) -> Told:
    """Two shapes that had to be one, most likely of labels and output, in this order."""
    headline = (
        f"shapes {shaped(target)} and {shaped(output)} should be one, most likely of the labels and of the output"
    )
    meaning = (
        "Two shapes were required to be the same, without broadcasting; Keras asks it of labels and output before it "
        f"computes a loss. The first is {shaped(target)}, the second {shaped(output)}."
    )
    evidence = list(_of_pair(output, target))
    if len(output) == len(target) == 2 and pasted.raises("squared", "mse", "absolute", "huber"):
        seen = f"the loss is of numbers: {output[-1]} are predicted, the target has {target[-1]}"
        if output[-1] != target[-1] and None not in (output[-1], target[-1]):
            evidence.append(OTHER_COLUMNS_OUT.since(seen, NUMBERS + 0.02))
    return told(pasted, "SW801", headline, meaning, evidence)


def _against(pasted: Pasted, expected: Shape, target: Shape | None, what: str) -> Told:
    headline = f"{what} {shaped(expected)}, and has {shaped(target)}"
    meaning = (
        "For class indices the target has the output's shape without the class axis: (N,) for (N, classes), (N, H, "
        f"W) for (N, classes, H, W). By the output it must be {shaped(expected)}; it is {shaped(target)}."
    )
    evidence = [
        OTHER_MAP.since(f"{shaped(expected)} against {shaped(target)}", NUMBERS if len(expected) >= 3 else RARE),
        CLASSES_FIRST.since("the wanted shape is read off the output with axis 1 taken for the classes", FITS),
        causes.ONE_HOT.since(f"{shaped(target)} may be one-hot", FITS if len(expected) < 3 else RARE),
        WRONG_FLATTEN.since(f"{shaped(expected)} against {shaped(target)}", COMMON),
    ]
    if target is not None and len(target) == len(expected) == 2 and expected[0] == target[0]:
        evidence.append(CLASSES_FIRST.since(f"{expected[1]} stands where the length {target[1]} should", NUMBERS))
    return told(pasted, "SW801", headline, meaning, evidence)


def _without_shapes(a: Size, b: Size) -> Iterator[Evidence]:
    seen = f"{sized(a)} against {sized(b)}" if a is not None or b is not None else "a common cause of this error"
    small = a is not None and b is not None and max(a, b) <= 1000 and 1 not in (a, b)
    if a and b and not small and max(a, b) == 3 * min(a, b):
        yield causes.MASK_CHANNELS.since(f"{seen}: one is three times the other, as with colours", NUMBERS)
    if a and b and not small and min(a, b) > 1:
        yield OTHER_MAP.since(f"{seen}: numbers of values, as maps of other sides have them", FITS)
    yield causes.CLASS_COUNT.since(seen, FITS if small else COMMON, output=sized(a), target=sized(b))
    yield causes.ONE_HOT.since(seen, FITS if 1 in (a, b) else COMMON)
    yield causes.TRAILING_ONE.since(seen, COMMON)
    yield causes.NOT_POOLED.since(seen, RARE)


def _of_pair(output: Shape, target: Shape) -> Iterator[Evidence]:
    seen = f"output {shaped(output)}, target {shaped(target)}"
    if not target or not output:
        yield LIST_OF_LABELS.since(f"{seen}: one of them has no axis at all", NUMBERS)
        yield causes.LOST_AXIS.since(f"{seen}: one of them has no axis at all", FITS)
    if len(output) != len(target):
        yield from _of_other_rank(output, target, seen)
    else:
        for axis, a, b in sizes.apart(output, target):
            yield from _of_entry(axis, a, b, len(output), seen)
        if sizes.is_reordered(output, target):
            yield causes.SWAPPED.since(f"{seen}: the same sizes in another order", NUMBERS)
            yield causes.CHANNELS_LAST.since(
                f"{seen}: the same sizes in another order", FITS if len(output) >= 4 else RARE
            )
    if len(output) == len(target) == 2 and target[0] == 1 and target[1] == output[0] and (output[0] or 0) > 1:
        numbers = f"{seen}: one number for each of the {output[0]} rows, as class indices are"
        yield causes.ONE_HOT.since(numbers, SAID - 0.05)
    yield WRONG_FLATTEN.since(seen, COMMON - 0.05)
    yield causes.NOT_POOLED.since(seen, RARE)
    yield causes.ONE_HOT.since(seen, RARE + 0.02)


def _of_other_rank(output: Shape, target: Shape, seen: str) -> Iterator[Evidence]:
    short, long = sorted((output, target), key=len)
    if sizes.squeezed(short) == sizes.squeezed(long) or _alike(sizes.squeezed(short), sizes.squeezed(long)):
        if long[-1] == 1 and len(short) > 0:
            yield causes.TRAILING_ONE.since(f"{seen}: they differ in a last axis of 1", SAID - 0.05)
        if long and long[0] == 1 and short and short[0] != 1:
            yield SQUEEZED_BATCH.since(f"{seen}: they differ in a first axis of 1", NUMBERS + 0.05)
            yield causes.LAST_BATCH.since(f"{seen}: a batch of one", COMMON)
        yield causes.EXTRA_AXIS.since(
            f"{seen}: they differ in axes of 1 only", FITS + 0.08 if long[-1] != 1 else FITS - 0.05
        )
        yield causes.LOST_AXIS.since(f"{seen}: they differ in axes of 1 only", COMMON)
    if len(output) >= 3 and len(target) <= 2:
        more = f"{seen}: the output still has {len(output) - len(target)} axes more"
        maps = len(output) >= 4 or None in output[1:-1]
        yield causes.NOT_POOLED.since(more, NUMBERS if maps else FITS + 0.06)
    yield from _of_label_map(output, target, seen)
    per_sample = len(short) == 1 and len(long) >= 3 and short[0] not in (None, 1) and short[0] == long[0]
    if per_sample:
        weights = f"{seen}: a value for each sample, as weights or a reduced loss, meets values for each place"
        yield causes.LOST_AXIS.since(weights, NUMBERS)
    elif len(target) > len(output) and target[-1] in (3, 4) and len(target) >= 3:
        yield causes.MASK_CHANNELS.since(f"{seen}: the target ends with {target[-1]}, as colour images do", NUMBERS)
    side = sizes.root(output[-1]) if len(output) == 2 and len(target) == 1 else None
    if side is not None and side >= 3:
        # 169 is 13 x 13: scores of patches; 100 classes are a square too
        map_of = f"{seen}: {output[-1]} = {side} x {side} may be a map, one value for each place"
        yield causes.NOT_POOLED.since(map_of, FITS + 0.06)
        yield causes.OTHER_INPUT_SIZE.since(f"{map_of}, of a larger input", FITS)
        yield causes.ONE_HOT.since(f"{seen}: one has an axis of classes, the other has indices", FITS + 0.08)
    elif len(short) == 1 and len(long) == 2 and 1 not in long:
        yield causes.ONE_HOT.since(f"{seen}: one has an axis of classes, the other has indices", NUMBERS)
    elif abs(len(short) - len(long)) == 1:
        yield causes.ONE_HOT.since(f"{seen}: one axis more, as one-hot labels have", FITS - 0.05)
    yield causes.TRAILING_ONE.since(seen, FITS if 1 in (*output[-1:], *target[-1:]) else RARE)


def _of_label_map(output: Shape, target: Shape, seen: str) -> Iterator[Evidence]:
    """Class indices for a map: the output's shape without its classes, which stand on axis 1 or on the last."""
    if len(target) != len(output) - 1 or len(target) < 2:
        return
    places = [(output[0], *output[2:]), output[:-1]]
    if any(_alike(target, place) for place in places):
        return
    if all(len(sizes.apart(target, place)) >= 1 and (target[0] in (None, place[0])) for place in places):
        yield OTHER_MAP.since(f"{seen}: without its classes the output has other sides than the target", NUMBERS)


def _alike(short: Shape, long: Shape) -> bool:
    return len(short) == len(long) and not sizes.apart(short, long)


def of_axis(axis: int | None, a: int, b: int, seen: str) -> Iterator[Evidence]:
    """Output and target differ, and the message tells of one axis alone; the ranks are not known."""
    if axis == 0:
        yield causes.LAST_BATCH.since(seen, FITS + 0.05)
        yield WRONG_FLATTEN.since(seen, FITS)
        yield causes.TRAILING_ONE.since(f"{seen}, if one of them has an axis of 1 more", COMMON)
        return
    if axis in (2, 3):
        yield OTHER_MAP.since(seen, FITS + 0.1)
        yield causes.CHANNELS_LAST.since(seen, COMMON)
        return
    yield causes.CLASS_COUNT.since(seen, FITS if 1 not in (a, b) else COMMON, output=a, target=b)
    yield causes.ONE_HOT.since(f"{seen}: class numbers (N,) are aligned with the classes of (N, classes)", FITS + 0.04)
    yield WRONG_FLATTEN.since(seen, COMMON)
    yield OTHER_MAP.since(seen, RARE)


def _of_entry(axis: int, a: int, b: int, rank: int, seen: str) -> Iterator[Evidence]:
    where = f"{seen}: {a} against {b} on axis {axis}"
    if rank == 1 and max(a, b) > 1000:
        yield WRONG_FLATTEN.since(f"{where}: all entries in one axis", FITS + 0.05)
        if max(a, b) == 3 * min(a, b):
            yield causes.MASK_CHANNELS.since(f"{where}: one is three times the other, as with colours", NUMBERS)
        yield OTHER_MAP.since(f"{where}: flattened maps of other sides", FITS)
        yield causes.CLASS_COUNT.since(f"{where}: flattened with another number of classes", COMMON, output=a, target=b)
        return
    if axis == 0 and rank > 1:
        yield causes.LAST_BATCH.since(where, FITS + 0.05)
        yield causes.SPLIT_BATCH.since(where, FITS if sizes.ratio(a, b) and 1 not in (a, b) else RARE)
        yield WRONG_FLATTEN.since(where, FITS)
        yield causes.OTHER_BATCH.since(where, COMMON)
    elif axis == rank - 1 or (axis == 1 and rank >= 4):
        if 1 in (a, b):
            yield causes.ONE_HOT.since(f"{where}: one column against one for each class", FITS + 0.08)
            yield BINARY_OUTPUT.since(f"{where}: one column against one for each class", FITS + 0.06)
            if rank >= 4:
                yield causes.MASK_CHANNELS.since(where, FITS + 0.1 if b in (3, 4) else FITS)
        yield causes.CLASS_COUNT.since(
            f"{where}, the axis of classes", NUMBERS if 1 not in (a, b) else FITS, output=a, target=b
        )
        if rank >= 4 and {a, b} & {3, 4}:
            yield causes.MASK_CHANNELS.since(f"{where}: {3 if 3 in (a, b) else 4} may be colours", FITS)
        if rank == 4 and axis == rank - 1:
            yield OTHER_MAP.since(where, FITS)
        if rank == 2 and min(a, b) > 1:
            yield OTHER_COLUMNS_OUT.since(where, COMMON)
    else:
        yield OTHER_MAP.since(where, NUMBERS if rank >= 4 else FITS if rank == 3 else RARE)
        yield causes.OTHER_LENGTH.since(f"{where}, if axis {axis} counts steps", FITS + 0.06 if rank == 3 else RARE)


BINARY_OUTPUT = Cause(
    "the last layer's number of outputs does not belong to this loss: one output (sigmoid) is for binary labels, "
    "one for each class (softmax) for one-hot or sparse labels",
    "Give the last layer as many outputs as the labels have columns, and choose the loss that goes with them.",
    "Print the last layer and a few labels.",
)
OTHER_COLUMNS_OUT = Cause(
    "the target holds more (or fewer) quantities than the model predicts: a label column too many, another data set",
    "Select the columns that are predicted, or give the last layer as many outputs.",
    "Print a row of the target.",
)


def target_rank(pasted: Pasted) -> Told:
    output, target = facts.shape(pasted, "output"), facts.shape(pasted, "target")
    got = len(target) if target is not None else facts.size(pasted, "got")
    expected = facts.word(pasted, "expected") or sized(facts.size(pasted, "expected"))
    message = pasted.reading.message.lower()
    spatial = "spatial" in message
    inputs = "input tensors" in message
    subject = "the inputs of the loss" if inputs else "the target"
    came = f"{shaped(output)}" if inputs else shaped(target) if target is not None else f"one with {of_rank(got)}"
    if not inputs and target is None and got is None:
        came = "one with more (or fewer) axes"
    headline = (
        f"{subject} of the loss has another rank than it takes{f' ({expected})' if expected != '?' else ''}: {came}"
        if not inputs
        else (
            f"a {expected}-D target goes with 2-D inputs in this loss, and the inputs have "
            f"{of_rank(len(output or ()))}: {came}"
        )
    )
    meaning = (
        "A loss over class indices takes one index per sample or pixel: a target with the output's axes but the one "
        "of the classes. (N,) for (N, classes); (N, H, W) for (N, classes, H, W)."
        if not inputs
        else "This loss compares two batches of vectors, (N, features) each, with one target per pair. Here the "
        f"inputs have shape {came}."
    )
    if inputs:
        evidence = [
            causes.NOT_POOLED.since(f"{came} has an axis of time or place more", NUMBERS),
            WRONG_FLATTEN.since(came, FITS),
            causes.EXTRA_AXIS.since(came, COMMON),
        ]
    else:
        evidence = list(_of_target_rank(spatial, output, target, got))
        wanted = facts.size(pasted, "expected")
        if wanted is not None and got is not None and wanted > got and not spatial:
            more = f"the output has {of_rank(wanted)}, the target {got}"
            evidence.append(causes.NOT_POOLED.since(more, NUMBERS + 0.05))
    return told(pasted, "SW802", headline, meaning, evidence)


def _of_target_rank(spatial: bool, output: Shape | None, target: Shape | None, got: Size) -> Iterator[Evidence]:
    seen = shaped(target) if target is not None else f"{sized(got)} axes" if got is not None else "the message says so"
    if spatial:
        more = got is not None and got > 3
        one = target is not None and 1 in target[1:]
        if more:
            yield causes.MASK_CHANNELS.since(f"{seen}: an axis more than (N, H, W)", NUMBERS - (0.08 if one else 0))
            yield MASK_OF_ONE.since(f"{seen}: an axis more than (N, H, W)", NUMBERS if one else FITS)
            yield causes.ONE_HOT.since(f"{seen}: an axis more than (N, H, W)", FITS - 0.02)
        else:
            yield NO_MASK.since(f"{seen}: fewer axes than (N, H, W)", NUMBERS)
            yield causes.MASK_CHANNELS.since("masks that are no index images get another rank", FITS)
            yield causes.NOT_POOLED.since(
                "or the output should be (N, classes), and still has height and width", FITS - 0.02
            )
        return
    if target and output and len(target) == len(output) and target[-1] != 1:
        yield causes.ONE_HOT.since(f"target {seen} has the rank of the output {shaped(output)}", NUMBERS)
    wide = target is not None and len(target) == 2 and target[-1] not in (1, None)
    yield causes.TRAILING_ONE.since(
        f"{seen}: labels (N, 1)", RARE if wide else NUMBERS if target is not None else FITS + 0.02
    )
    yield causes.ONE_HOT.since(f"{seen}: labels (N, classes)", NUMBERS if wide else FITS)
    yield SEVERAL_LABELS.since(f"{seen}: several labels for one sample", FITS - 0.03)
    if target == ():
        yield causes.LOST_AXIS.since("the target has no axis at all", NUMBERS)


MASK_OF_ONE = Cause(
    "the mask keeps a channel axis of 1: (N, 1, H, W) in place of (N, H, W)",
    "Take it off before the loss.",
    "Print the mask's shape.",
    {"torch": "loss = criterion(output, target.squeeze(1).long())"},
)
NO_MASK = Cause(
    "the labels are no label maps: not (N, H, W), because the mask was read flattened, as lines, as one label per "
    "image, or without its height and width",
    "Read the masks as greyscale index images, one class index per pixel.",
    "Print the shape and the distinct values of a mask.",
)
SEVERAL_LABELS = Cause(
    "each sample has several labels (steps, segments, tags) where the loss takes one",
    "Flatten steps and samples together with the output, or use a loss for several labels (BCEWithLogitsLoss).",
    "Print the target's shape and a few rows.",
)


def target_batch(pasted: Pasted) -> Told:
    a, b = facts.size(pasted, "output"), facts.size(pasted, "target")
    output, target = facts.shape(pasted, "output"), facts.shape(pasted, "target")
    if output and target:
        a, b = output[0], target[0]
    shapes = f" ({shaped(output)} and {shaped(target)})" if output is not None and target is not None else ""
    headline = f"output and target have different numbers of rows: {sized(a)} against {sized(b)}{shapes}"
    meaning = (
        "The loss takes one target for each row of the output; the first axis (after flattening, if they are "
        f"flattened) is {sized(a)} for the output and {sized(b)} for the target."
    )
    return told(pasted, "SW803", headline, meaning, _of_rows(pasted, a, b, output))


def _of_rows(pasted: Pasted, a: Size, b: Size, output: Shape | None) -> Iterator[Evidence]:
    if a is None or b is None:
        yield causes.LAST_BATCH.since("the message says so", FITS)
        yield WRONG_FLATTEN.since("the message says so", FITS - 0.02)
        yield causes.NOT_POOLED.since("the message says so", COMMON)
        return
    seen, times = f"{a} rows against {b}", sizes.ratio(a, b)
    if 0 in (a, b):
        yield NO_LABELS.since(f"{seen}: one of them is empty", NUMBERS)
        yield causes.SPLIT_BATCH.since(f"{seen}: one of them is empty", NUMBERS - 0.02)
        yield WRONG_FLATTEN.since(seen, COMMON)
        return
    if output is not None and len(output) >= 2 and output[-1] and b == a * output[-1]:
        flat = f"{b} = {a} x {output[-1]}: the labels are as many as rows times classes"
        yield causes.ONE_HOT.since(flat, SAID - 0.03)
    if output is not None and len(output) > 2:
        yield causes.NOT_POOLED.since(f"the output {shaped(output)} has axes of place or time", FITS + 0.05)
    if times:
        yield WRONG_FLATTEN.since(
            f"{max(a, b)} is {times} times {min(a, b)}: another axis was folded into one", FITS + 0.03
        )
        yield causes.ONE_HOT.since(f"{max(a, b)} is {times} times {min(a, b)}", FITS - 0.05 if b > a else RARE)
        yield causes.SPLIT_BATCH.since(f"{max(a, b)} is {times} times {min(a, b)}", COMMON if times <= 8 else RARE)
        yield causes.LAST_BATCH.since(seen, FITS)
        yield causes.OTHER_INPUT_SIZE.since(
            f"{seen}: a flatten with a fixed width takes several rows for one", FITS - 0.06
        )
    else:
        yield causes.LAST_BATCH.since(f"{seen}, in no simple ratio", FITS + 0.05)
        yield WRONG_FLATTEN.since(f"{seen}, in no simple ratio", FITS)
        yield causes.OTHER_LENGTH.since(f"{seen}, if the rows are tokens or steps", FITS if max(a, b) > 64 else COMMON)
        yield causes.OTHER_INPUT_SIZE.since("a flatten with a fixed width changes the number of rows", COMMON + 0.05)
        yield causes.SWAPPED.since(f"{seen}: the batch may stand on another axis of the output", COMMON - 0.02)
    if pasted.runs("data_parallel", "parallel_apply"):
        yield causes.SPLIT_BATCH.since("it was raised with DataParallel", FITS + 0.1)


def classes(pasted: Pasted) -> Told:
    index, count = facts.size(pasted, "index"), facts.size(pasted, "classes")
    output, target = facts.shape(pasted, "output"), facts.shape(pasted, "target")
    weight = facts.shape(pasted, "weight")
    if facts.word(pasted, "what") == "weight":
        many = (
            f"{sized(count)} classes, weights of shape {shaped(weight)}"
            if weight is not None
            else "their numbers differ"
        )
        headline = f"there must be one class weight for each class: {many}"
        meaning = f"The loss weighs each class, so it needs as many weights as the output has classes. Here: {many}."
        got = weight[0] if weight else None
        evidence = [
            CLASS_WEIGHTS.since(many, NUMBERS),
            causes.CLASS_COUNT.since(many, FITS, output=sized(count), target=sized(got)),
            CLASSES_FIRST.since("the classes are counted on axis 1 of the output", COMMON),
        ]
        return told(pasted, "SW804", headline, meaning, evidence)
    if output is not None and target is not None:
        headline = f"output {shaped(output)} and target {shaped(target)} count the classes differently"
    else:
        of = f" ({count} classes, 0 to {count - 1})" if count else ""
        headline = (
            f"label {index} is outside the classes{of}" if index is not None else "a label is outside the classes"
        )
    meaning = (
        "Labels are class indices from 0 to the number of outputs less one; the number of classes is the size of "
        "the output's class axis."
    )
    return told(pasted, "SW804", headline, meaning, _of_classes(index, count, output, target))


def _of_classes(index: Size, count: Size, output: Shape | None, target: Shape | None) -> Iterator[Evidence]:
    seen = f"label {index}" if index is not None else "the message says so"
    if index is not None and (index < 0 or index in (254, 255)):
        yield IGNORED_LABEL.since(f"{index} is a usual mark for void or padding", NUMBERS)
    yield causes.CLASS_COUNT.since(
        seen,
        FITS + 0.08,
        output=sized(count),
        target=f"at least {index + 1}" if index is not None and index >= 0 else "others",
    )
    yield FROM_ONE.since(f"{seen}: one beyond the last class, if there are {index}" if index else seen, FITS)
    yield IGNORED_LABEL.since(seen, COMMON)
    if output is not None and target is not None:
        yield from _of_pair(output, target)


# Arrays that are fed together

SAMPLES_DIFFER = Cause(
    "inputs and labels (or the several inputs) do not hold the same samples: one was filtered, split, shuffled or "
    "reshaped on its own",
    "Split and filter them together, so that both have one row for each sample.",
    "Print `len()` of each.",
)
SAMPLES_NOT_FIRST = Cause(
    "the first axis of one of them does not count the samples: it is transposed, flattened, or lacks its batch axis",
    "Put the samples on the first axis of each array.",
    "Print the shape of each array.",
)
LIST_OF_INPUTS = Cause(
    "a list is given where an array was meant (or the other way round): each entry of a list is taken for an input "
    "of its own",
    "Turn the list into one array: `np.array(x)`.",
    "Print the type and shape of what is passed.",
)


def data_lengths(pasted: Pasted) -> Told:
    return of_arrays(pasted, facts.size(pasted, "x"), facts.size(pasted, "y"), facts.word(pasted, "lengths"))


def of_arrays(pasted: Pasted, x: Size, y: Size, lengths: str = "") -> Told:
    said = f"{x} against {y}" if x is not None and y is not None else lengths
    headline = "the arrays do not have one number of samples" + (f": {said}" if said else "")
    here = f" Here: {said}." if said else ""
    meaning = f"What is fed together (inputs, labels, weights, lengths) needs one row for each sample.{here}"
    times = sizes.ratio(x, y)
    evidence = [
        SAMPLES_DIFFER.since(said or "the message says so", FITS + 0.08),
        SAMPLES_NOT_FIRST.since(
            f"{max(x or 0, y or 0)} is {times} times {min(x or 0, y or 0)}" if times else said or "a common cause",
            FITS + 0.1 if times else COMMON + 0.05,
        ),
        LIST_OF_INPUTS.since(said or "a common cause", FITS if 1 in (x, y) else COMMON),
        causes.LAST_BATCH.since(said or "a common cause", RARE),
    ]
    return told(pasted, "SW805", headline, meaning, evidence)
