"""Labels outside the classes, and what is made for each class."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.targets import BINARY_OUTPUT, CLASSES_FIRST, of_pair
from shapewatch.messages.faults.vocabularies import COUNTED_APART, OTHER_VOCABULARY
from shapewatch.messages.faults.wording import shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

IGNORED_LABEL = Cause(
    "a label stands for void or padding (255, -1, -100) and the loss is not told to leave it out",
    "Set `ignore_index` to it, or map it to a class.",
    "Print the distinct labels.",
    {"torch": "criterion = nn.CrossEntropyLoss(ignore_index=255)"},
)
CLASS_WEIGHTS = Cause(
    "the class weights were written for another number of classes",
    "Give one weight for each class of the output.",
    "Compare the length of the weights with the output's classes.",
)


def classes(pasted: Pasted) -> Told:
    index, count = facts.size(pasted, "index"), facts.size(pasted, "classes")
    output, target = facts.shape(pasted, "output"), facts.shape(pasted, "target")
    weight = facts.shape(pasted, "weight")
    if facts.word(pasted, "what") == "names":
        return _names(pasted, count, facts.size(pasted, "names"))
    if facts.word(pasted, "what") == "predictions":
        return _of_predictions(pasted, count, output)
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
        if count and weight is not None and len(weight) > 1 and sizes.squeezed(weight) == (count,):
            beside = f"{shaped(weight)} holds {count} weights, with an axis of 1 beside them"
            evidence.append(causes.EXTRA_AXIS.since(beside, NUMBERS + 0.06))
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


MANY_CLASSES = 1000
"""From here on labels are tokens as often as classes."""

PIXEL_VALUES = Cause(
    "the masks are images whose grey values (0 to 255) are taken for classes, or values between the classes, as a "
    "resize with interpolation or a JPEG file makes them",
    "Map the values to class indices (0 to classes - 1) when loading, e.g. `mask // 255` for two classes; resize masks "
    "with the nearest neighbour, and keep them as PNG.",
    "Print the distinct values of a mask.",
)
OWN_CLASSES = Cause(
    "the model was trained for classes of its own, or gives features and no scores, and ImageNet's names are looked up "
    "for its outputs",
    "Name the classes from the training data (`class_indices`, `class_names`), or use the model with its own top.",
    "Print the model's output shape.",
    {"keras": "name = class_names[predictions.argmax(axis=-1)[0]]"},
)


def _of_predictions(pasted: Pasted, count: Size, output: Shape | None) -> Told:
    headline = f"predictions of shape {shaped(output)} are decoded as scores of {sized(count)} classes"
    meaning = "The names of the classes are those of ImageNet: (samples, 1000) is decoded, and nothing else."
    seen = f"{shaped(output)} against (samples, {sized(count)})"
    rank = output is not None and len(output) != 2
    evidence = [
        OWN_CLASSES.since(seen, FITS + 0.1 if not rank else FITS),
        causes.NOT_POOLED.since(f"{seen}: a model without its top gives maps", NUMBERS if rank else RARE),
        causes.MISSING_BATCH.since(f"{seen}: the row of one sample", NUMBERS if output and len(output) == 1 else RARE),
        causes.OTHER_VALUE.since(seen, COMMON),
    ]
    return told(pasted, "SW804", headline, meaning, evidence)


ONE_NAME = Cause(
    "a single class name in parentheses without a comma is a text, and its letters are counted",
    "Write the comma: `CLASSES = ('person',)`.",
    "Print the length of the class names.",
)


def _names(pasted: Pasted, count: Size, names: Size) -> Told:
    headline = f"the model's head is for {sized(count)} classes, and the data set names {sized(names)}"
    meaning = "The number of classes is set once for the model's head and once for the data set; both must be alike."
    evidence = [
        causes.CLASS_COUNT.since(f"{sized(names)} names against {sized(count)}", SAID, output=count, target=names),
        ONE_NAME.since(f"{sized(names)} may be the letters of one name", FITS),
        causes.OTHER_RELEASE.since("the library installed may be another copy than the one that was changed", COMMON),
    ]
    return told(pasted, "SW804", headline, meaning, evidence)


def _of_classes(index: Size, count: Size, output: Shape | None, target: Shape | None) -> Iterator[Evidence]:
    seen = f"label {index}" if index is not None else "the message says so"
    if index is not None and (index < 0 or index in (254, 255)):
        yield IGNORED_LABEL.since(f"{index} is a usual mark for void or padding", NUMBERS)
    if index is not None and index < 0:
        below = f"label {index} is below the first class, 0"
        yield causes.FROM_ONE.since(below, FITS + 0.1)
    yield causes.CLASS_COUNT.since(
        seen,
        FITS + 0.08,
        output=sized(count),
        target=f"at least {index + 1}" if index is not None and index >= 0 else "others",
    )
    if index is not None and 32 <= index <= 255:
        grey = f"{seen}: few data have as many classes, and grey values go to 255"
        white = index == 255 and (count is None or count < 255)
        yield PIXEL_VALUES.since(grey, FITS + 0.1 if white else FITS + 0.04)
    if count == 1 and index:
        alone = f"{seen}: the only class of one output is 0"
        yield BINARY_OUTPUT.since(alone, NUMBERS)
    if index is not None and index >= MANY_CLASSES and index < 1_000_000:
        words = f"{seen}: more than there are classes in most data; tokens and words are as many"
        yield OTHER_VOCABULARY.since(words, FITS + 0.04)
        if count in (None, index):
            yield COUNTED_APART.since(f"{words}, and one alone may be beyond", FITS + 0.02)
    beyond = f"{seen}: one beyond the last class, if there are {index}"
    shifted = f"{seen}: 0 less 1" if index == -1 else beyond if index else seen
    far = index is not None and index > 0 and (index == 255 or (count is not None and index > count))
    yield causes.FROM_ONE.since(shifted, RARE if far else FITS)
    yield IGNORED_LABEL.since(seen, COMMON)
    if output is not None and target is not None:
        yield from of_pair(output, target)
