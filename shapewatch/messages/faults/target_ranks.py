"""The target of a loss has another rank than it takes."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.targets import MASK_OF_ONE, NOT_THE_LABELS, OUTPUT_IS_FLAT, WRONG_FLATTEN
from shapewatch.messages.faults.wording import of_rank, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size


def probabilities(pasted: Pasted) -> Told:
    """`cross_entropy` takes a target of the output's shape for probabilities, which are no integers."""
    headline = "the target has the output's shape, so it is taken for probabilities, and holds integers"
    meaning = (
        "A target with the shape of the output means a probability for each class, in floating point; class indices "
        "have the output's shape without its class axis. The target here has the output's shape, and integers in it."
    )
    seen = "target and output have one shape"
    evidence = [
        causes.ONE_HOT.since(f"{seen}, as with one-hot labels", FITS + 0.06),
        causes.LOST_AXIS.since(f"{seen}: (N,) for both, if the output lost its class axis (or its batch)", FITS),
        causes.TRAILING_ONE.since(f"{seen}: with one output for each row it may be (N, 1)", FITS - 0.05),
        SEVERAL_LABELS.since(f"{seen}: several labels for each row", COMMON),
    ]
    return told(pasted, "SW802", headline, meaning, evidence)


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
    untold = "the message tells no shapes"
    seen = shaped(target) if target is not None else f"{sized(got)} axes" if got is not None else untold
    if spatial:
        more = got is not None and got > 3
        one = target is not None and 1 in target[1:]
        known = target is not None and len(target) == 4 and None not in target
        one_hot = known and target is not None and not {1, 3, 4} & {target[1], target[-1]}
        if more:
            longer = f"{seen}: an axis more than (N, H, W)"
            yield causes.MASK_CHANNELS.since(longer, FITS if one_hot else NUMBERS - (0.08 if one else 0))
            yield MASK_OF_ONE.since(longer, NUMBERS if one else FITS if not known else COMMON)
            yield causes.ONE_HOT.since(longer, NUMBERS if one_hot else FITS - 0.02)
        else:
            yield NO_MASK.since(f"{seen}: fewer axes than (N, H, W)", NUMBERS)
            yield causes.MASK_CHANNELS.since("masks that are no index images get another rank", FITS)
            yield causes.NOT_POOLED.since(
                "or the output should be (N, classes), and still has height and width", FITS - 0.02
            )
        return
    if target is not None and len(target) >= 3 and target[-1] != 1:
        yield from _of_large_target(target, seen)
    if target and output and len(target) == len(output) and target[-1] != 1:
        yield causes.ONE_HOT.since(f"target {seen} has the rank of the output {shaped(output)}", NUMBERS)
    if target and output and len(target) == len(output) - 1 and (output[-1] or 0) > 1:
        classes = f"output {shaped(output)}, target {seen}: class numbers for a loss that takes one-hot labels"
        yield causes.ONE_HOT.since(classes, NUMBERS + 0.02)
    wide = target is not None and len(target) == 2 and target[-1] not in (1, None)
    yield IN_A_COLUMN.since(
        f"{seen}: labels (N, 1)",
        FITS + 0.02 if target is None else RARE if wide or (len(target) >= 3 and target[-1] != 1) else NUMBERS,
    )
    yield causes.ONE_HOT.since(f"{seen}: labels (N, classes)", NUMBERS if wide else FITS)
    yield SEVERAL_LABELS.since(f"{seen}: several labels for one sample", FITS - 0.03)
    if target == ():
        yield causes.LOST_AXIS.since("the target has no axis at all", NUMBERS)


def _of_large_target(target: Shape, seen: str) -> Iterator[Evidence]:
    """A map or a sequence is the target of a model that gives less."""
    if len(target) >= 4:
        images = f"{seen}: the shape of a batch of images or maps"
        yield NOT_THE_LABELS.since(images, FITS + 0.12)
        yield OUTPUT_IS_FLAT.since(images, FITS + 0.1)
    else:
        yield causes.LAST_STEP_ONLY.since(f"{seen}: a label for each step", FITS + 0.06)
        yield OUTPUT_IS_FLAT.since(f"{seen}: a label for each place or step", FITS + 0.04)


IN_A_COLUMN = Cause(
    "the labels stand in a column, (N, 1), as a table or a stack of single numbers gives them, where class numbers are "
    "(N,)",
    "Take the axis of 1 off the labels.",
    "Print the shape of the labels.",
    {
        "torch": "loss = criterion(output, target.squeeze(1).long())",
        "keras": "y = np.squeeze(y, -1)",
        "tensorflow": "y = tf.squeeze(y, -1)",
    },
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
