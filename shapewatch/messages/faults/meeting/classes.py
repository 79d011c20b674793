"""Sizes that may count classes: of labels and scores, of a checkpoint's head, of a detector's boxes."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, Cause, Evidence
from shapewatch.messages.faults.meeting.nouns import Meeting

OTHER_CLASSES = Cause(
    "the number of classes is not the same on both sides (model, labels, class weights, a data set's setting), or that "
    "of key points or joints: {a} against {b}",
    "Set the number of classes alike for the data, the model and all that is made for each class.",
    "Search the configuration for {a} and {b}.",
)
OPTIMISER = Cause(
    "the optimiser's state (momenta) was loaded from a run of another model, or its parameters were changed after it "
    "was made",
    "Start with a fresh optimiser, or load model and optimiser from one checkpoint.",
    "Compare the model's configuration (classes, widths) with that of the checkpoint that is resumed.",
)

CLASS_COUNTS = {
    20: "VOC", 21: "VOC with its background", 80: "COCO", 81: "COCO with its background", 90: "COCO", 91: "COCO",
    100: "CIFAR-100", 150: "ADE20K", 151: "ADE20K with its background", 171: "COCO-Stuff", 174: "Something-Something",
    400: "Kinetics", 600: "Kinetics-600", 1000: "ImageNet", 1203: "LVIS", 21841: "ImageNet-22k",
}  # fmt: skip
"""Numbers of classes that checkpoints come with."""


def of_class_counts(met: Meeting, a: int, b: int) -> Iterator[Evidence]:
    """On the first axis of a weight or a bias stand the outputs, and of a head's the classes."""
    known = [size for size in (a, b) if size in CLASS_COUNTS]
    if met.rank is not None or not known or 1 in (a, b):
        return
    seen = f"{a} against {b}: {known[0]} is the number of classes of {CLASS_COUNTS[known[0]]}"
    batch = max(a, b) not in CLASS_COUNTS and sizes.is_power_of_two(max(a, b))
    # what is left of a full batch may be any number, and 100 are a usual batch as well
    less = 0.16 if batch else 0.12 if max(a, b) == 100 else 0.0
    yield OTHER_CLASSES.since(seen, FITS + 0.02 - less, a=a, b=b)
    yield OPTIMISER.since(f"{seen}, and a head's momenta are loaded with a checkpoint", FITS - 0.02 - less)


def of_known_classes(a: int, b: int, seen: str) -> Iterator[Evidence]:
    """Scores of boxes or tokens, (batch, boxes, classes), of a model that is built as its checkpoint was."""
    known = [size for size in (a, b) if size in CLASS_COUNTS]
    # one step more or less is likelier in a long row than a class
    if known and max(a, b) <= 1000 and 1 not in (a, b) and (abs(a - b) > 1 or max(a, b) < 200):
        named = f"{seen}: {known[0]} is the number of classes of {CLASS_COUNTS[known[0]]}"
        yield OTHER_CLASSES.since(named, FITS - 0.04, a=a, b=b)


def of_classes(a: int, b: int, seen: str) -> Iterator[Evidence]:
    """On the second axis stand the classes of scores, if these are scores."""
    low, high = sorted((a, b))
    doubled = sizes.is_power_of_two(sizes.ratio(a, b))
    if min((grid[0] if (grid := sizes.grid(size)) else 0) for size in (a, b)) >= 14:
        return  # patches of two image encoders
    if high - low == 1 and 5 <= low <= 200 and not (sizes.is_power_of_two(low) or sizes.is_power_of_two(high)):
        background = f"{seen}: with a background class and without, if axis 1 holds the classes"
        known = low in CLASS_COUNTS and high in CLASS_COUNTS
        yield OTHER_CLASSES.since(background, FITS - 0.06 if known else COMMON + 0.02, a=a, b=b)
    if low >= 5 and 2 <= high - low <= 3 and not doubled:
        yield OTHER_CLASSES.since(f"{seen}, if axis 1 holds the classes", COMMON - 0.015, a=a, b=b)
    if low < 2 or high > 1000 or high - low <= 3 or (a % 8 == 0 and b % 8 == 0) or doubled:
        return
    boxes = [size for size in (a, b) if size - 5 in CLASS_COUNTS]
    if boxes:
        each = f"{seen}: {boxes[0]} = 5 + {boxes[0] - 5}, a detector's box, score and classes"
        yield OTHER_CLASSES.since(each, FITS, a=a, b=b)
    if low in (2, 4):
        small = f"{seen}: {low} may be a small batch, one value for each of whose samples is aligned with axis 1"
        yield causes.LAST_BATCH.since(small, COMMON + 0.005)
    batch, other = (a, b) if sizes.is_power_of_two(a) and a >= 8 else (b, a)
    if sizes.is_power_of_two(batch) and 8 <= batch <= 256 and other < 1000 and not sizes.is_power_of_two(other):
        looks = f"{seen}: {batch} is a usual batch size, {other} may count classes"
        yield causes.ONE_HOT.since(f"{looks}; (N,) is aligned with (N, classes)", COMMON + 0.06)
    yield OTHER_CLASSES.since(f"{seen}, if axis 1 holds the classes", COMMON + 0.01, a=a, b=b)
