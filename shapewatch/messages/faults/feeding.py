"""What is fed has another shape than the input that was declared for it: what two whole shapes tell of the cause."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shapewatch.messages.faults import causes, facts, roles, sizes
from shapewatch.messages.faults.convolution import images
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence
from shapewatch.messages.faults.fed import (
    DECLARED_MORE,
    EMPTY,
    FIXED_BATCH,
    LEFT_OVER,
    NOT_FED,
    NOT_RESHAPED,
    NOT_RESIZED,
    OBJECTS,
    OBSERVATION,
    ONE_HOT_FED,
    OTHER_ENVIRONMENT,
    OTHER_FEED,
    OTHER_PREPARATION,
    STATIC_EXPORT,
)
from shapewatch.messages.faults.products import widths
from shapewatch.messages.faults.unknown_sizes import UNKNOWN_SIZES
from shapewatch.messages.faults.wording import shaped
from shapewatch.messages.nouns import Pasted
from shapewatch.recording import Shape, Size

EXPORTED = ("onnxruntime", "onnx", "tensorrt", "openvino")
SEQUENCES = ("embed", "seq", "token", "ids", "word", "text", "sentence", "input_x", "lstm", "gru", "rnn", "conv1d")


LABELS = re.compile(
    r"(?:^|[/_])(?:y|labels?|targets?|answers?|classes)(?![a-z])|targetsdata|placeholder_1\b|y_true|y_:"
)


def of_feed(pasted: Pasted, given: Shape | None, expected: Shape | None) -> Iterator[Evidence]:
    if given is None or expected is None:
        if facts.word(pasted, "tensor") == "observation":
            yield OTHER_ENVIRONMENT.since("it is an observation", FITS + 0.06)
            yield causes.CHANNELS_LAST.since("image observations are moved by some wrappers", COMMON + 0.02)
            yield causes.OTHER_RELEASE.since("what an environment returns changed between releases", COMMON + 0.01)
        yield from _of_one_shape(given, expected)
        return
    if 0 in given:
        yield EMPTY.since(f"{shaped(given)} holds nothing", NUMBERS + 0.05)
    if _is_of_labels(pasted) or (len(given), len(expected)) == (1, 2):
        yield from _of_labels(given, expected, _is_of_labels(pasted))
    if len(given) != len(expected):
        yield from _of_other_rank(given, expected)
        return
    given, expected = _with_batch(pasted, given, expected)
    apart = sizes.apart(expected, given)
    exported = pasted.reading.framework in EXPORTED or "onnx" in pasted.wrapped_by
    if not apart:
        yield from _of_unknown(given, expected)
        return
    if order := sizes.order_that_gives(expected, given):
        yield from _of_order(given, expected, order)
    else:
        yield from _of_sizes(pasted, given, expected, apart, exported)
        yield from _of_values(given, expected)
    if exported:
        wanted = {"expected": shaped(expected), "got": shaped(given)}
        yield STATIC_EXPORT.since("the declared sizes are numbers: they were fixed at export", NUMBERS + 0.02, **wanted)
    if facts.word(pasted, "tensor") == "observation":
        yield OTHER_ENVIRONMENT.since("it is an observation", FITS + 0.06)
    yield OTHER_FEED.since(f"{shaped(given)} is not {shaped(expected)}", COMMON - 0.05)


def _is_of_labels(pasted: Pasted) -> bool:
    """Whether a placeholder is called as those of labels are; the second without a name mostly holds them too."""
    return LABELS.search(facts.word(pasted, "tensor").lower()) is not None


ALPHABETS = (10, 11, 26, 27, 36, 37, 62, 63)
"""Digits, letters, both, upper and lower case; and one for what is left blank."""
OTHER_POSITIONS = Cause(
    "the labels hold more (or fewer) positions (characters, digits, steps, objects) than the model has outputs for: "
    "{fed} where {declared} are declared, of {each} values each",
    "Build the model for as many positions as the longest label has, or cut and pad the labels to its number.",
    "Print one label, and what it was made of (a file's name, a caption).",
)


def _of_positions(fed: int, declared: int, seen: str) -> Iterator[Evidence]:
    """One-hot characters beside each other, perhaps with one more value in front."""
    for each in ALPHABETS:
        for more in (0, 1):
            if (
                fed % each == declared % each == more
                and min(fed, declared) >= 2 * each
                and fed // each <= MOST_POSITIONS
            ):
                numbers = {"fed": fed // each, "declared": declared // each, "each": each}
                front = f"{more} + " if more else ""
                made = " and ".join(f"{size} = {front}{size // each} x {each}" for size in (fed, declared))
                yield OTHER_POSITIONS.since(f"{seen}: {made}", NUMBERS + 0.03, **numbers)


MOST_POSITIONS = 32


def _of_labels(given: Shape, expected: Shape, named: bool) -> Iterator[Evidence]:
    columns = expected[-1] if len(expected) == 2 else None
    seen = f"{shaped(given)} where {shaped(expected)} is declared" + (", of labels by its name" if named else "")
    if {len(given), len(expected)} == {1, 2} and 1 not in (given[-1], expected[-1]):
        numbers = f"{seen}: class numbers have one axis, one-hot labels two"
        yield ONE_HOT_FED.since(numbers, NUMBERS + 0.02 if named else FITS + 0.1 if (columns or 0) <= 1000 else COMMON)
    elif columns is not None and len(given) == 2 and given[-1] is not None and columns != given[-1]:
        if 1 in (given[-1], columns):
            yield ONE_HOT_FED.since(f"{seen}: one column against one for each class", NUMBERS)
        count = {"target": given[-1], "output": columns}
        yield from _of_positions(given[-1], columns, seen)
        yield causes.CLASS_COUNT.since(seen, NUMBERS if 1 not in (given[-1], columns) else FITS + 0.05, **count)
        if abs(given[-1] - columns) == 1:
            yield causes.FROM_ONE.since(f"{seen}: one-hot labels made of numbers that begin at 1", FITS + 0.06)


def _with_batch(pasted: Pasted, given: Shape, expected: Shape) -> tuple[Shape, Shape]:
    """Keras 2 leaves the batch out of both shapes of an input; an unknown size stands in for it."""
    bare = facts.word(pasted, "what") == "input" and expected[:1] != (None,)
    return ((None, *given), (None, *expected)) if bare else (given, expected)


def _of_one_shape(given: Shape | None, expected: Shape | None) -> Iterator[Evidence]:
    common = "a common cause of this error"
    if given is None and expected is not None:
        yield NOT_FED.since("the message names a placeholder that got no value", NUMBERS)
        yield OTHER_FEED.since(common, COMMON)
        yield EMPTY.since(common, RARE)
        return
    yield NOT_RESIZED.since(
        common, COMMON, expected="the declared size", got="the size that comes", expected_code="height, width"
    )
    yield causes.MISSING_BATCH.since(common, COMMON)
    yield OTHER_FEED.since(common, RARE)


def _of_unknown(given: Shape, expected: Shape) -> Iterator[Evidence]:
    """No known sizes differ: what is fed does not tell the sizes that are asked for."""
    open_ones = [axis for axis, (a, b) in enumerate(zip(given, expected, strict=True)) if a is None and b is not None]
    if not open_ones:
        return
    seen = f"{shaped(given)} leaves open what is declared as {shaped(expected)}"
    yield UNKNOWN_SIZES.since(seen, NUMBERS)
    if len(expected) >= 4:
        sides = _by(expected[axis] for axis in open_ones)
        resized = {"expected": sides, "got": "the images' own sizes", "expected_code": "height, width"}
        yield NOT_RESIZED.since(f"{seen}: nothing has brought them to one size", FITS, **resized)
    yield causes.OTHER_RELEASE.since(f"{seen}, which some releases accept", COMMON)


def _of_order(given: Shape, expected: Shape, order: tuple[int, ...]) -> Iterator[Evidence]:
    """The same sizes in another order: nothing else is wrong with them."""
    moved = f"{shaped(given)} with its axes in the order {list(order)} is {shaped(expected)}"
    maps, channels_stay = len(given) >= 4, order[-1] == len(given) - 1 or order[1] == 1
    yield causes.SWAPPED.since(moved, NUMBERS + 0.05 if not maps or channels_stay else FITS)
    if maps:
        yield causes.CHANNELS_LAST.since(moved, FITS if channels_stay else SAID - 0.05)
        default = f"{moved}: which layout is the default (`image_data_format`) changed between releases"
        yield causes.OTHER_RELEASE.since(default, COMMON)


def _of_values(given: Shape, expected: Shape) -> Iterator[Evidence]:
    whole = sizes.count(given)
    if whole is not None and whole == sizes.product(expected[1:]) and given[1:] != expected[1:]:
        shape = f"({', '.join(['-1', *map(str, expected[1:])])})"
        sample = f"all values of {shaped(given)} make one sample of {shaped(expected)}"
        yield NOT_RESHAPED.since(sample, SAID, wanted=shape)
        yield causes.MISSING_BATCH.since(f"all values of {shaped(given)} make one sample", NUMBERS)


def _of_sizes(
    pasted: Pasted, given: Shape, expected: Shape, apart: list[tuple[int, int, int]], exported: bool
) -> Iterator[Evidence]:
    sides = [each for each in apart if _is_side(each[0], expected, given, pasted.reading.framework)]
    for axis, a, b in apart:
        seen = f"{a} declared and {b} fed"
        if (axis, a, b) in sides:
            continue
        if axis == 0 and len(expected) > 1 and not _is_single_image(expected):
            yield FIXED_BATCH.since(seen, NUMBERS, expected=a, got=b)
            yield causes.LAST_BATCH.since(seen, FITS if b < a else COMMON)
        elif len(expected) >= 4 or _is_single_image(expected):
            yield from images(pasted, given, a, b, axis)
        else:
            yield from _of_features(pasted, given, expected, a, b)
    if sides:
        yield from _of_sides(given, expected, sides, exported)


def _of_sides(given: Shape, expected: Shape, sides: list[tuple[int, int, int]], exported: bool) -> Iterator[Evidence]:
    both = {"expected": _by(a for _, a, _ in sides), "got": _by(b for _, _, b in sides)}
    seen = f"{both['expected']} declared, {both['got']} fed"
    code = ", ".join(str(a) for _, a, _ in sides)
    # of a map that is 1 high (a spectrum, a series), the other side is a length
    series = 1 in expected[1:-1] and 1 in given[1:-1]
    empty = any(0 in pair for _, *pair in sides)
    resized = FITS if series or empty else SAID - 0.05
    yield NOT_RESIZED.since(seen, resized, **both, expected_code=code)
    if not exported:
        # which of the two sizes was meant, that of the data or that of the declaration, no number tells
        _, a, b = sides[0]
        yield slip(a, b) or LEFT_OVER.since(seen, FITS + 0.12, **both)
    if series:
        length = f"{seen}, and the other side is 1: a series, whose length it is"
        yield OTHER_PREPARATION.since(length, FITS + 0.05, expected=both["expected"])
    elif len(sides) == 1 and _is_long(expected) and not empty:
        recording = f"{seen}, the other side agrees, and no image is square here: frames of a recording may be counted"
        yield OTHER_PREPARATION.since(recording, FITS + 0.09, expected=both["expected"])
    if exported:
        yield causes.OTHER_RESOLUTION.since("the declared sizes are fixed", COMMON)


def _is_long(expected: Shape) -> bool:
    """One channel, and one side more than one and a half times as long as the other, as spectrograms have it."""
    sides = sorted(size for size in expected[1:] if size not in (None, 1))
    return expected[1:].count(1) == 1 and len(sides) == 2 and 2 * sides[1] > 3 * sides[0]


def slip(expected: int, got: int) -> Evidence | None:
    """That one of the two is the other mistyped."""
    if min(expected, got) < 100 or sorted(str(expected)) != sorted(str(got)):
        return None
    digits = f"{expected} declared and {got} fed: the same digits in another order"
    return LEFT_OVER.since(digits, NUMBERS + 0.04, expected=expected, got=got)


def _of_features(pasted: Pasted, given: Shape, expected: Shape, a: int, b: int) -> Iterator[Evidence]:
    seen, wanted = f"{a} declared and {b} fed", {"expected": a, "got": b}
    table = len(expected) == 2
    names = f"{facts.word(pasted, 'tensor')} {facts.word(pasted, 'layer')}".lower()
    sequence = any(word in names.replace("sequential", "") for word in SEQUENCES)
    prepared = FITS + 0.12 if sequence else FITS - 0.02 if table else FITS + 0.05
    yield OTHER_PREPARATION.since(f"{seen}, of sequences or recordings" if sequence else seen, prepared, expected=a)
    near = FITS + 0.02 if abs(a - b) * 4 < a else COMMON + 0.02
    yield slip(a, b) or LEFT_OVER.since(seen, near, **wanted)
    yield from widths(pasted, a, b)
    if table and a in (b * b, 3 * b * b) and b >= 8:
        row = f"{a} is {'' if a == b * b else '3 x '}{b} x {b}: {b} is one line of an image of that side"
        yield causes.NOT_FLATTENED.since(row, NUMBERS)
        yield causes.MISSING_BATCH.since(f"{row}, and the lines are taken for samples", NUMBERS - 0.02)
    if table and b == 1 and a >= 16:
        column = f"{seen}: one entry per sample, as of lists of unequal length that make an array of objects"
        yield OBJECTS.since(column, NUMBERS)
        alone = f"{seen}: one sample of {a} values, of which Keras makes {a} samples of one value"
        yield causes.MISSING_BATCH.since(alone, FITS + 0.12)
    if table and max(a, b) <= 2000 and 0 not in (a, b):
        yield causes.OTHER_COLUMNS.since(seen, FITS if not sizes.ratio(a, b) else COMMON)
    if len(expected) == 3 and expected[-1] == a and given[-1] == b and max(a, b) <= MOST_COLUMNS and min(a, b):
        columns = f"{seen}: the last axis of a series counts the columns that each step has"
        yield causes.OTHER_COLUMNS.since(columns, FITS + 0.04)
    window = len(expected) > 2 and expected[-2] == given[-2] == 1
    if b == 2 and (window or (len(expected) == 1 and "observation" in names)):
        what = "a window of one step, and " if window else ""
        pair = f"{what}2 values where {a} are observed: a pair (observation, info)"
        yield OBSERVATION.since(pair, FITS + 0.12)


MOST_COLUMNS = 64
"""More columns than this are seldom chosen for a series; more are coefficients or embeddings."""


def _is_single_image(expected: Shape) -> bool:
    """An image's shape without the batch, as Keras applications name it. (64, None, 4) is a batch of sequences."""
    return len(expected) == 3 and expected[-1] in (1, 3, 4) and expected[0] not in (1, None) and expected[1] is not None


def _is_side(axis: int, expected: Shape, given: Shape, framework: str) -> bool:
    if len(expected) == 2 and framework not in ("tensorflow", "keras"):
        return False
    if _is_single_image(expected):
        return axis < 2
    if len(expected) not in (4, 5) or axis == 0:
        return False
    shape = expected if None not in expected[1:] else given
    first_small = expected[1] in (1, 3) and expected[-1] not in (1, 3)
    channels = 1 if first_small else roles.channels_axis(shape, framework)
    if expected[-1] in (1, 3) and expected[1] not in (1, 3):
        channels = len(expected) - 1
    return axis != channels


def _by(sides: Iterable[Size]) -> str:
    return " x ".join(map(str, sides))


# Another number of axes


def _of_other_rank(given: Shape, expected: Shape) -> Iterator[Evidence]:
    seen = f"{len(given)} axes come, {len(expected)} are declared"
    values, wanted = sizes.product(given[1:]), sizes.product(expected[1:])
    same = values is not None and values == wanted
    if expected[-1:] == (1,) and len(given) == len(expected) - 1 == 1:
        one = f"{shaped(given)} is {shaped(expected)} without its last axis of 1"
        yield causes.TRAILING_ONE.since(one, SAID)
    elif same:
        shape = f"({', '.join(['-1', *map(str, expected[1:])])})"
        yield NOT_RESHAPED.since(f"both have {values} values per sample", SAID, wanted=shape)
    if not given:
        yield EMPTY.since(f"{shaped(given)} is the shape of what is no array, as of a file not read", FITS + 0.1)
    elif len(given) == 1 and len(expected) >= 2 and given[0] not in (None, 1):
        objects = f"{shaped(given)}: one axis, as of samples of unequal size that make an array of objects"
        yield OBJECTS.since(objects, NUMBERS if len(expected) >= 3 else FITS + 0.05)
    if len(given) == len(expected) - 1:
        yield from _of_one_less(given, expected, seen)
    elif len(given) == len(expected) - 2 and len(given) >= 2:
        both = f"{seen}: one sample, and its channels (or its steps) are missing too"
        fits = _fits(given, expected[1:-1])
        yield causes.MISSING_BATCH.since(both, FITS + 0.02 if fits else COMMON - 0.05)
        yield causes.MISSING_CHANNELS.since(both, FITS if fits else RARE)
    elif len(given) > len(expected):
        yield causes.EXTRA_AXIS.since(seen, NUMBERS if 1 in given else FITS)
    features = len(given) == 2 and len(expected) >= 4 and not same
    if features and sizes.is_width(given[-1]):
        yield OTHER_FEED.since(f"{seen}: rows of {given[-1]} features where images are declared", NUMBERS)
    elif features and given[-1] == 1:
        yield OBJECTS.since(f"{shaped(given)}: one entry per sample", NUMBERS)
    if features and (side := sizes.root(given[-1])) is not None and side >= 8:
        rows = f"{given[-1]} = {side} x {side}: flat rows, of images of another side"
        yield NOT_RESHAPED.since(rows, FITS, wanted=f"(-1, {side}, {side}, 1)")
    yield OTHER_FEED.since(seen, COMMON)
    yield OTHER_PREPARATION.since(seen, RARE, expected="None")


def _of_one_less(given: Shape, expected: Shape, seen: str) -> Iterator[Evidence]:
    sample, grey = _fits(given, expected[1:]), len(expected) >= 4 and _fits(given, expected[:-1])
    if sample and grey:
        # every size of the map is open: its last axis tells, and a batch of one
        sample = expected[-1] is not None and given[-1] == expected[-1]
        grey = not sample
    lines = len(expected) >= 3 and expected[1] != 1 and None not in given[1:] and given[1:] == expected[2:]
    one = f"{shaped(given)} is one sample" if sample or not lines else f"{shaped(given)} is lines of one sample"
    yield causes.MISSING_BATCH.since(f"{seen}: {one}", NUMBERS if sample or lines else COMMON)
    if grey:
        maps = f"{seen}: {shaped(given)} is {shaped(expected)} without its last axis, the channels"
        yield causes.MISSING_CHANNELS.since(maps, NUMBERS + 0.02)
        if expected[-1] != 1:
            yield causes.GREY.since(f"{maps}, as greyscale images are read", NUMBERS)
    elif len(expected) >= 4 and (expected[-1] == 1 or expected[1] == 1):
        yield causes.MISSING_CHANNELS.since(f"{seen}, and {shaped(expected)} has an axis of 1", NUMBERS)
    if len(expected) == 4 and not sample and not grey and expected[-1] == given[-1] in (1, 3, 4):
        declared, fed = _by(expected[1:3]), _by(given[:2])
        other = {"expected": declared, "got": fed, "expected_code": ", ".join(map(str, expected[1:3]))}
        if None not in (*expected[1:3], *given[:2]):
            image = f"{seen}: one image of {fed}, where {declared} is declared"
            yield NOT_RESIZED.since(image, FITS, **other)
            yield causes.MISSING_BATCH.since(image, FITS + 0.02)
    if 1 in expected[1:] and sizes.squeezed(expected) == sizes.squeezed(given) and len(expected) < 4:
        yield DECLARED_MORE.since(f"{shaped(expected)} is {shaped(given)} with an axis of 1 more", NUMBERS + 0.02)
    yield causes.LOST_AXIS.since(seen, COMMON)


def _fits(given: Shape, expected: Shape) -> bool:
    pairs = zip(given, expected, strict=True)
    return all(a is None or b is None or a == b for a, b in pairs)
