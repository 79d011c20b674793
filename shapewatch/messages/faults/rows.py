"""Rows that belong together: those of output and target, and of arrays that are fed side by side."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.labels import WRONG_FLATTEN
from shapewatch.messages.faults.wording import shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

NO_LABELS = Cause(
    "there are no labels: every row was filtered out, or one device got an output and no labels",
    "See which batch it is; try one device; leave empty batches out.",
    "Print both lengths for each step and device.",
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
        if times >= 16 and b > a:
            tokens = f"{b} = {a} x {times}: {times} labels for each row of the output"
            yield PER_TOKEN.since(tokens, FITS + 0.02)
        yield causes.ONE_HOT.since(f"{max(a, b)} is {times} times {min(a, b)}", FITS - 0.05 if b > a else RARE)
        yield causes.SPLIT_BATCH.since(f"{max(a, b)} is {times} times {min(a, b)}", COMMON if times <= 8 else RARE)
        yield causes.LAST_BATCH.since(seen, FITS if times <= 16 else RARE)
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


PER_TOKEN = Cause(
    "there is a label for each token (pixel, step) and one answer for each sample: the labels are of another task than "
    "the model's head, or the head pools what it should keep",
    "Use the head for the task (a label for each token, or one for each sequence), or give one label for each sample.",
    "Print the shapes of output and labels before they are flattened.",
)


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
    x, y, weights = (facts.size(pasted, name) for name in ("x", "y", "sample_weight"))
    odd = weights if weights is not None and x == y else y
    return of_arrays(pasted, x, odd, facts.word(pasted, "lengths"))


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
