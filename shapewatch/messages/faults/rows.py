"""Rows that belong together: those of output and target, and of arrays that are fed side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import gcd

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.fed import EMPTY
from shapewatch.messages.faults.relations import MERGED_SAMPLES
from shapewatch.messages.faults.targets import (
    NO_LABELS,
    NO_OUTPUT,
    OTHER_MAP,
    OTHER_NUMBER_OF_LABELS,
    WITHOUT_BATCH,
    WRONG_FLATTEN,
    of_some_images,
)
from shapewatch.messages.faults.wording import shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size


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
        yield (NO_LABELS if b == 0 else NO_OUTPUT).since(f"{seen}: one of them is empty", NUMBERS)
        yield causes.SPLIT_BATCH.since(f"{seen}: one of them is empty", NUMBERS - 0.02)
        yield WRONG_FLATTEN.since(seen, COMMON)
        return
    if output is not None and len(output) >= 2 and output[-1] and b == a * output[-1]:
        flat = f"{b} = {a} x {output[-1]}: the labels are as many as rows times classes"
        yield causes.ONE_HOT.since(flat, SAID - 0.03)
    if b == 3 * a and a >= 256:
        colours = f"{b} is three times {a}: a label for each colour of each pixel"
        yield causes.MASK_CHANNELS.since(colours, NUMBERS)
    if times and a > b and (side := sizes.root(times)) is not None and side >= 3:
        places = f"{a} = {b} x {side} x {side}: a row for each place of a map"
        yield causes.NOT_POOLED.since(places, FITS + 0.08)
    if a == 3 * b and b > 1:
        folded = f"{a} = 3 x {b}: three rows for each label, as where the three colours are flattened as one"
        yield causes.COLOUR.since(folded, FITS + 0.02)
    if output is not None and len(output) > 2:
        yield causes.NOT_POOLED.since(f"the output {shaped(output)} has axes of place or time", FITS + 0.05)
    if output is None or output[-1] != times:
        yield from of_some_images(a, b, seen)
    if times:
        yield WRONG_FLATTEN.since(
            f"{max(a, b)} is {times} times {min(a, b)}: another axis was folded into one", FITS + 0.03
        )
        if times >= 16:
            several = ("labels", "row of the output") if b > a else ("answers", "label")
            tokens = f"{max(a, b)} = {min(a, b)} x {times}: {times} {several[0]} for each {several[1]}"
            batch = a == 1 and b <= 512 and sizes.is_power_of_two(b)
            yield PER_TOKEN.since(tokens, FITS - 0.04 if batch or b < a else FITS + 0.02)
        if a == 1 and (output is None or len(output) <= 2):
            alone = f"{seen}: a batch of one, and {b} may be the first axis of its own labels or mask"
            yield WITHOUT_BATCH.since(alone, FITS + (0.06 if b >= 16 and b % 8 == 0 else 0.01))
        if b == 1:
            own = f"{seen}: one label, and {a} may be the first axis of its own sample"
            yield causes.MISSING_BATCH.since(own, FITS + 0.01)
        if a == 1 and output is not None and len(output) == 2:
            alone = f"{seen}: one row of {output[-1]} scores for {b} samples"
            yield MERGED_SAMPLES.since(alone, FITS + 0.04)
        if 2 <= a <= 8 and 8 <= b <= 512 and times >= 8 and sizes.is_power_of_two(b):
            turned = f"{seen}: {b} is a usual batch, and {a} may count layers, directions or classes on the first axis"
            yield causes.SWAPPED.since(turned, FITS - 0.04)
        yield causes.ONE_HOT.since(f"{max(a, b)} is {times} times {min(a, b)}", FITS - 0.05 if b > a else RARE)
        if b > a > 1 and 2 < times < 16:
            each = f"{b} = {a} x {times}: {times} labels for each row of the output"
            yield OTHER_NUMBER_OF_LABELS.since(each, COMMON + 0.05, times=times)
        yield causes.SPLIT_BATCH.since(f"{max(a, b)} is {times} times {min(a, b)}", COMMON if times <= 8 else RARE)
        if a > b > 1 and times <= MOST_EACH:
            views = f"{a} = {b} x {times}: {times} outputs for each label"
            odd = not sizes.is_power_of_two(times)  # devices, and sides that are twice as long, make powers of two
            yield causes.SEVERAL_EACH.since(views, FITS + 0.02 if odd and times != 3 else FITS - 0.07)
        yield causes.LAST_BATCH.since(seen, RARE if times > 16 else FITS if times == 2 else FITS - 0.06)
        # a larger input, once flattened, fills several rows; of sides that are twice as long, four
        likely = FITS - 0.06 if a < b or b == 1 else FITS + 0.04 if sizes.root(times) else FITS + 0.01
        folded = f"{seen}: a flatten with a fixed width takes several rows for one"
        yield causes.OTHER_INPUT_SIZE.since(folded, likely)
    else:
        many = max(a, b) >= 3 * min(a, b)
        if many:
            counted = "labels for each row of the output" if b > a else "answers for each label"
            ragged = f"{seen}, {sizes.in_ratio(a, b)}: a ragged number of {counted}"
            yield PER_TOKEN.since(f"{ragged}, as nodes, tokens or objects are", FITS + 0.08)
        if (steps := sizes.steps_apart(a, b)) and abs(steps[1] - steps[2]) == 1 and steps[0] >= 4:
            one = f"{seen}: {steps[0]} sequences of {steps[1]} and of {steps[2]} steps, one more or less"
            shifted = FITS + 0.03 if max(a, b) <= 256 and sizes.is_power_of_two(max(a, b)) else FITS + 0.08
            yield causes.OTHER_LENGTH.since(f"{one} (a shift, a beginning or an end)", shifted)
        if output is not None and len(output) == 2 and (output[-1] or 0) >= 1000:
            words = f"{seen}, and {output[-1]} scores for each, as many as a vocabulary has words: rows are tokens"
            yield causes.OTHER_LENGTH.since(words, FITS + 0.08)
        yield from _of_maps(a, b, output)
        common = gcd(a, b)
        if common >= 2 and min(a, b) // common >= 8 and (common <= 8 or sizes.is_power_of_two(common) or b < a / 2):
            texts = f"{a} = {common} x {a // common} and {b} = {common} x {b // common}: {common} texts of two lengths"
            yield causes.OTHER_LENGTH.since(f"{texts}, if the rows are tokens", FITS + 0.06)
            if a > 2 * b:
                yield CAUSAL_LABELS.since(f"{texts}, of the question and of the answer", FITS + 0.05)
        if a > b and a // common <= 100 and common >= 16:
            viewed = f"{a} = {common} x {a // common} and {b} = {common} x {b // common}"
            cut = f"{viewed}: one output for each label, cut into other rows"
            yield VIEWED_AS.since(cut, FITS + 0.02, taken=b // common, got=a // common)
        if abs(a - b) == 1 and min(a, b) > 8:
            yield causes.OTHER_LENGTH.since(f"{seen}: one more or less, if the rows are steps", FITS - 0.05)
        if a < b <= 512 and 2 <= a <= 20 and sizes.is_power_of_two(b) and b >= 8:
            turned = f"{seen}: {b} is a usual batch, and {a} may count classes, on the output's first axis"
            yield causes.SWAPPED.since(turned, FITS + 0.03)
        full = a > b and (a in ROUND_BATCHES or (8 <= a <= 512 and sizes.is_power_of_two(a)))
        left = f"{seen}, {sizes.in_ratio(a, b)}" + (
            f": {a} is a usual batch, and {b} may be what is left" if full else ""
        )
        yield causes.LAST_BATCH.since(
            left, FITS + 0.05 if full and not many else FITS + 0.04 if full else FITS - 0.01 if many else FITS + 0.05
        )
        yield WRONG_FLATTEN.since(f"{seen}, {sizes.in_ratio(a, b)}", FITS)
        yield causes.OTHER_LENGTH.since(f"{seen}, if the rows are tokens or steps", FITS if max(a, b) > 64 else COMMON)
        yield causes.OTHER_INPUT_SIZE.since("a flatten with a fixed width changes the number of rows", COMMON + 0.05)
        turned = f"{seen}: the batch may stand on another axis of the output"
        yield causes.SWAPPED.since(turned, COMMON - 0.02)
        if sizes.is_power_of_two(b) and 8 <= b <= 512 and 10 <= a <= 1000 and not sizes.is_power_of_two(a):
            unrolled = f"{turned}: {b} is a usual batch, and {a} may count steps"
            yield causes.SWAPPED.since(unrolled, FITS - 0.02)
    if pasted.runs("data_parallel", "parallel_apply"):
        yield causes.SPLIT_BATCH.since("it was raised with DataParallel", FITS + 0.1)


def _of_maps(a: int, b: int, output: Shape | None) -> Iterator[Evidence]:
    """A row for each place of a square map, on both sides; of the labels perhaps one for each class as well."""
    classes = output[-1] if output is not None and len(output) == 2 else None
    for each in (1, classes or 1):
        places, side = b // each, sizes.root(a)
        other = sizes.root(places)
        if b % each or side is None or other is None or not 8 <= min(side, other) < max(side, other):
            continue
        maps = f"{a} = {side} x {side} and {b} = {other} x {other}" + (f" x {each} classes" if each > 1 else "")
        yield OTHER_MAP.since(f"{maps}: maps of other sides, flattened", NUMBERS)
        if each > 1:
            yield causes.ONE_HOT.since(f"{maps}: a label for each class of each place", FITS + 0.1)
            wrong = f"{maps}: the labels have the output's classes, as where they were made of the output by mistake"
            yield causes.OTHER_VALUE.since(wrong, FITS + 0.04)


ROUND_BATCHES = frozenset({10, 20, 50, 100, 200})
"""Sizes of a batch that are no powers of two."""
MOST_EACH = 32
"""No sample has more views, crops or frames as a rule."""

CAUSAL_LABELS = Cause(
    "the labels are another text than the input: a causal (decoder-only) model scores every token of its input, so "
    "its labels are the input's own tokens, where an encoder-decoder takes question and answer apart",
    "Join prompt and answer into one input, and give it as labels, with -100 on the prompt and the padding.",
    "Compare the token lengths of inputs and labels.",
    {"torch": "labels = input_ids.clone()\nlabels[:, :prompt_length] = -100"},
)
VIEWED_AS = Cause(
    "the output is flattened with a number of classes (or a width) that is written down and is not its own, as with "
    "`view(-1, {taken})` of rows of {got} (or multiples of these): the rows that come out are more than the labels",
    "Take the number from the output: `output.reshape(-1, output.size(-1))`.",
    "Print the output's shape before it is flattened, and look for the number in the line that does it.",
    {"torch": "loss = F.cross_entropy(output.reshape(-1, output.size(-1)), target.reshape(-1))"},
)
PER_TOKEN = Cause(
    "labels and answers are counted differently, for each token (node, point, pixel, step, object) on one side and for "
    "each sample (sequence, graph, image) on the other: the labels are of another task than the model's head, the "
    "head pools what it should keep, or rows for sampled neighbours stand behind those that have labels",
    "Use the head for the task (a label for each token or node, or one for each sequence or graph), or give one label "
    "for each sample; of sampled neighbourhoods keep the first `batch_size` rows.",
    "Print the shapes of output and labels before they are flattened.",
)


# Arrays that are fed together

SAMPLES_DIFFER = Cause(
    "inputs and labels (or the several inputs) do not hold the same samples: one was filtered, split, shuffled, cut "
    "into windows or reshaped on its own, or is the other part of a split (training against test)",
    "Split and filter them together, so that both have one row for each sample; `train_test_split` gives x_train, "
    "x_test, y_train, y_test, in this order.",
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


MANY_INPUTS = 8
"""Few models have more inputs."""

ONLY_WHOLE_BATCHES = Cause(
    "one of them was computed batch by batch, and only whole batches were kept (`steps = len(x) // batch_size`, "
    "`drop_remainder`), so the rest of the samples is missing in it",
    "Compute it for the last, smaller batch too, or cut the others to the same number.",
    "Compare the missing rows with the batch size.",
    {"keras": "steps = math.ceil(len(x) / batch_size)"},
)


def data_lengths(pasted: Pasted) -> Told:
    x, y, weights = (facts.size(pasted, name) for name in ("x", "y", "sample_weight"))
    odd = weights if weights is not None and x == y else y
    lengths = facts.word(pasted, "lengths")
    first_axes = re.findall(r"\((\d+)", lengths) or re.findall(r"\d+", lengths)
    if x is None and (counted := [int(each) for each in first_axes]):
        x, odd = counted[0], next((each for each in counted if each != counted[0]), None)
    return of_arrays(pasted, x, odd, lengths)


def of_arrays(pasted: Pasted, x: Size, y: Size, lengths: str = "") -> Told:
    of_list = facts.word(pasted, "what") == "a list"
    lengths = f"{sized(x)} for each of many inputs" if of_list else lengths
    said = lengths or (f"{x} against {y}" if x is not None and y is not None else "")
    headline = "the arrays do not have one number of samples" + (f": {said}" if said else "")
    here = f" Here: {said}." if said else ""
    meaning = f"What is fed together (inputs, labels, weights, lengths) needs one row for each sample.{here}"
    return told(pasted, "SW805", headline, meaning, _of_counts(x, y, said, of_list))


def _of_counts(x: Size, y: Size, said: str, of_list: bool = False) -> Iterator[Evidence]:
    if 0 in (x, y):
        yield EMPTY.since(f"{said}: one of them is empty", NUMBERS + 0.02)
    times = sizes.ratio(x, y)
    if said.count(",") >= MANY_INPUTS or of_list:
        yield LIST_OF_INPUTS.since("so many inputs are counted, as a list of samples has entries", NUMBERS)
    if x and y and (batch := _whole_batches(min(x, y), max(x, y))):
        whole = f"{min(x, y)} = {min(x, y) // batch} x {batch}, and {max(x, y) - min(x, y)} are left of {max(x, y)}"
        yield ONLY_WHOLE_BATCHES.since(whole, FITS + 0.12)
    yield from (
        SAMPLES_DIFFER.since(said or "the message says so", FITS + 0.08),
        SAMPLES_NOT_FIRST.since(
            f"{max(x or 0, y or 0)} is {times} times {min(x or 0, y or 0)}" if times else said or "a common cause",
            FITS + 0.1 if times else COMMON + 0.05,
        ),
        LIST_OF_INPUTS.since(said or "a common cause", FITS if 1 in (x, y) else COMMON),
        causes.LAST_BATCH.since(said or "a common cause", RARE),
    )


def _whole_batches(few: int, many: int) -> int | None:
    """The batch size with which the smaller number is what whole batches hold of the larger: a power of two, as batch
    sizes are, and larger than what is missing."""
    batch = few & -few
    batch = batch // 2 if batch == few else batch
    return batch if batch >= 8 and many - few < batch else None
