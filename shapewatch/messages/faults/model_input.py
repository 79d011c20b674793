"""What a model is fed differs from the input that was declared for it."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, roles, sizes
from shapewatch.messages.faults.convolution import images
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.products import widths
from shapewatch.messages.faults.wording import listed, of_rank, plural, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape

NOT_RESIZED = Cause(
    "the images are not brought to the size the model was built (or exported) for: {expected}",
    "Resize or crop them to {expected} (or cut tiles of that size), with the preprocessing that belongs to the "
    "model; or build, export or interpolate the model for {got}.",
    "Print the shape after preprocessing, and look up the model's input size in its configuration.",
    {"torch": "transform = T.Resize(({expected_code}))", "keras": "x = keras.ops.image.resize(x, ({expected_code}))"},
)
STATIC_EXPORT = Cause(
    "the model was exported with fixed sizes, and another size (image side, batch, sequence length, frequency bins) "
    "is fed than at export",
    "Feed {expected}, or export again with dynamic axes; some programs have an option for the model's size.",
    "Print the model's declared inputs.",
    {"onnxruntime": "print([(i.name, i.shape) for i in session.get_inputs()])"},
)
FIXED_BATCH = Cause(
    "the batch size is fixed in the declaration of the input: {expected} against {got}",
    "Declare the batch axis as None (dynamic), or feed batches of exactly {expected}.",
    "Look at the input's declaration.",
    {"tensorflow": "x = tf.placeholder(tf.float32, [None, 784])"},
)
EMPTY = Cause(
    "nothing is fed: the data are empty, because a file was not read, or a filter, a split or a window left no rows",
    "See where the rows are lost: print the length after reading, and after each step.",
    "Print the shape of the data after each step.",
)
OTHER_STATE = Cause(
    "the state (memory, cache) was made for another variant of the model, or by its other half",
    "Make the state from the inputs that this model declares.",
    "Compare the declared shape with the configuration that the state is made from.",
)
NOT_RESHAPED = Cause(
    "the data have the right number of values in another shape: flat rows for images, or the other way round",
    "Reshape them before they are fed, or feed the tensor from before the model's own reshape (the placeholder "
    "itself, whose variable may have been overwritten).",
    "Print the shape of what is fed.",
    {"tensorflow": "x = x.reshape({wanted})", "keras": "x = x.reshape({wanted})", "torch": "x = x.reshape({wanted})"},
)
TYPO = Cause(
    "a size in the declaration is mistyped or left over from another data set: {expected} against {got}",
    "Correct the declaration.",
    "Compare both numbers with the data.",
)
OTHER_FEED = Cause(
    "another value is fed to this input than was meant: inputs or keys of the feed are mixed up",
    "Feed each value to the input of its name.",
    "Print the name and shape of everything that is fed.",
)


def model_input(pasted: Pasted) -> Told:
    what = facts.word(pasted, "what")
    if what in ("inputs", "specialized"):
        return _number_of_inputs(pasted) if what == "inputs" else _specialized(pasted)
    if what == "multiple" or facts.size(pasted, "multiple") is not None:
        return _not_a_multiple(pasted)
    if facts.size(pasted, "expected", "expected_height", "most", "least") is not None:
        return _one_side(pasted)
    given, expected = facts.shape(pasted, "given", "got", "input"), facts.shape(pasted, "expected")
    if facts.shape(pasted, "least") is not None:
        return _too_small(pasted, given)
    subject = _subject(pasted)
    headline = f"{subject} is declared as {shaped(expected)} and is fed {shaped(given)}"
    if given is None or expected is None:
        known = given if given is not None else expected
        headline = f"what {subject} is fed does not fit its declaration" + (
            f": {shaped(known)}" if known is not None else ""
        )
    apart = _apart(given, expected)
    differ = f"Here {listed(f'axis {at}: {a} declared, {b} fed' for at, a, b in apart)}." if apart else ""
    if given is not None and expected is not None and len(given) != len(expected):
        differ = f"The ranks differ: {of_rank(len(expected))} declared, {len(given)} fed."
    meaning = f"{DECLARED} {differ}".strip()
    evidence = list(_of_feed(pasted, given, expected, apart))
    return told(pasted, "SW602", headline, meaning, evidence, facts.word(pasted, "layer"))


DECLARED = "The model was built (or exported) for inputs of one shape; unknown sizes (None, ?, -1) accept any."


def _subject(pasted: Pasted) -> str:
    tensor, layer = facts.word(pasted, "tensor"), facts.word(pasted, "layer")
    if layer and not tensor:
        return f"the input of {layer}"
    if tensor == "input":
        return "the model's input"
    return "the image" if tensor == "image" else f"input {tensor}" if tensor else "the model's input"


def _one_side(pasted: Pasted) -> Told:
    """A check of one or two sizes of the input: a side of an image, an axis of an exported program."""
    pairs = [
        (name, got, expected)
        for name, got, expected in (
            ("height", facts.size(pasted, "height"), facts.size(pasted, "expected_height")),
            ("width", facts.size(pasted, "width"), facts.size(pasted, "expected_width")),
            (_side_name(pasted), facts.size(pasted, "got"), facts.size(pasted, "expected", "most", "least")),
        )
        if expected is not None
    ]
    pairs = [pair for pair in pairs if pair[1] != pair[2]] or pairs
    subject = _subject(pasted)
    said = listed(
        f"{name} must be {expected}" + (f" and is {got}" if got is not None else "") for name, got, expected in pairs
    )
    meaning = f"{DECLARED} Here: {said}."
    both = {
        "expected": _by(expected for _, _, expected in pairs),
        "got": _by(sized(got) for _, got, _ in pairs),
        "expected_code": ", ".join(str(expected) for _, _, expected in pairs),
    }
    exported = "program" in facts.word(pasted, "what") or pasted.reading.framework == "onnxruntime"
    seen = f"{both['expected']} expected, {both['got']} given"
    wanted = {"expected": both["expected"], "got": both["got"]}
    evidence = [NOT_RESIZED.since(seen, FITS if exported else SAID - 0.05, **both)]
    if exported:
        evidence.append(STATIC_EXPORT.since("the sizes were fixed at export", NUMBERS + 0.05, **wanted))
        batch = facts.size(pasted, "axis") == 0
        if any(word in facts.word(pasted, "tensor").lower() for word in ("state", "hidden", "cache", "past", "mem")):
            evidence.append(OTHER_STATE.since(f"the input is called {facts.word(pasted, 'tensor')}", FITS + 0.12))
        got = facts.size(pasted, "got")
        if batch and facts.size(pasted, "expected") == 1 and got is not None and got > 1000:
            alone = f"{got} on axis 0, where 1 is declared: one sample, whose own first axis this is"
            evidence.append(causes.MISSING_BATCH.since(alone, NUMBERS + 0.03))
        evidence.append(
            FIXED_BATCH.since("the first axis is the batch" if batch else seen, NUMBERS if batch else RARE, **wanted)
        )
        evidence.append(OTHER_FEED.since(seen, COMMON))
    else:
        evidence.append(causes.OTHER_RESOLUTION.since("patches and positions are counted for one size", FITS))
        evidence.append(TILED.since(seen, COMMON))
        evidence.append(
            causes.OTHER_RELEASE.since("another release of the library checks it, or resizes by itself", RARE)
        )
    return told(pasted, "SW602", f"{subject} has another size than the model takes: {said}", meaning, evidence)


def _too_small(pasted: Pasted, given: Shape | None) -> Told:
    least = shaped(facts.shape(pasted, "least"))
    headline = f"{_subject(pasted)} must be at least {least}, and is {shaped(given)}"
    meaning = f"Smaller inputs shrink to nothing on the way through the network. It takes {least} and more."
    evidence = [
        causes.TOO_SMALL.since("the message says it", SAID),
        causes.CHANNELS_LAST.since("in another layout the sides are read from other axes", COMMON),
        causes.SWAPPED.since("in another order the sides are read from other axes", RARE),
    ]
    return told(pasted, "SW602", headline, meaning, evidence)


def _side_name(pasted: Pasted) -> str:
    axis = facts.size(pasted, "axis")
    return facts.word(pasted, "axis_name") or (f"axis {axis}" if axis is not None else "the size")


def _not_a_multiple(pasted: Pasted) -> Told:
    multiple = facts.size(pasted, "multiple")
    given = [
        (name, size)
        for name, size in (
            ("height", facts.size(pasted, "height")),
            ("width", facts.size(pasted, "width")),
            (_side_name(pasted), facts.size(pasted, "got")),
        )
        if size is not None
    ]
    said = listed(f"{name} {size}" for name, size in given)
    rest = listed(f"{size} = {size // multiple} x {multiple} + {size % multiple}" for _, size in given if multiple)
    part = "the patch" if multiple is None else str(multiple)
    headline = f"{_subject(pasted)} has a size that is no multiple of {part}{': ' + said if said else ''}"
    meaning = (
        f"The network halves (or cuts) height and width until {part} pixels are one position, so both must "
        f"be multiples of it. {rest}{'.' if rest else ''}"
    )
    evidence = [
        causes.ODD_SIZE.since(f"the message says it{': ' + rest if rest else ''}", SAID),
        NOT_RESIZED.since(
            "the preprocessing of the model was not applied",
            FITS,
            expected=f"multiples of {part}",
            got=said,
            expected_code="height, width",
        ),
        causes.SWAPPED.since("height and width, or channels, may be read from another axis", RARE),
    ]
    return told(pasted, "SW602", headline, meaning, evidence)


def _number_of_inputs(pasted: Pasted) -> Told:
    expected, given = facts.size(pasted, "expected_count"), facts.size(pasted, "given_count")
    shapes = listed(map(shaped, facts.shapes(pasted, "inputs")))
    came = f"{sized(given)} come" + (f": {shapes}" if shapes else "")
    headline = f"{_subject(pasted)} takes {plural(expected, 'input')}, and {came}"
    meaning = (
        "The model (or layer) was built for a number of inputs, in an order or under names; another number is fed."
    )
    seen = f"{sized(expected)} against {sized(given)}"
    evidence = [
        LIST_FED.since(seen, FITS + (0.1 if expected == 1 else 0)),
        OTHER_FEED.since(seen, FITS),
        causes.OTHER_RELEASE.since("how inputs are passed changed between releases", COMMON),
    ]
    return told(pasted, "SW602", headline, meaning, evidence, facts.word(pasted, "layer"))


def _specialized(pasted: Pasted) -> Told:
    expected = facts.size(pasted, "expected")
    number = f" {expected}" if expected is not None else ""
    headline = f"an axis of {_subject(pasted)} was declared dynamic, and the model needs it to be constant{number}"
    meaning = (
        "An axis that is exported (or compiled) as dynamic must be able to take every size of its range. The model's "
        "code "
        f"settles it to{number or ' one size'}, or to the size of another axis."
    )
    evidence = [
        SETTLED.since("the message says it", NUMBERS),
        ODD_EXPORT.since("halving and doubling binds the axis to multiples of the stride", FITS),
        FIXED_BATCH.since("a batch that is written down is constant", COMMON, expected=sized(expected), got="others"),
    ]
    return told(pasted, "SW602", headline, meaning, evidence)


TILED = Cause(
    "a large image is fed whole where the model was meant to see crops or tiles of it",
    "Cut it into tiles of the model's size (sliding window), as the project's preprocessing does.",
    "Compare with the data preparation that the project describes.",
)
LIST_FED = Cause(
    "one array (or a list, or a dict) is given where several inputs are expected, or several where one is",
    "Pass the inputs as a list in the model's order, or as a dict under their names.",
    "Print `model.inputs`.",
    {"keras": 'y = model([a, b])    # or model({"a": a, "b": b})'},
)
SETTLED = Cause(
    "the code writes the size down or reads it as a number (`view(4, -1)`, `int(x.shape[0])`, a loop over it, a "
    "comparison "
    "with a constant)",
    "Take the size from the tensor and let it stay symbolic (`x.view(x.shape[0], -1)`).",
    "Run with TORCH_LOGS=+dynamic: it names the line that settles it.",
)
ODD_EXPORT = Cause(
    "the two branches of a skip connection agree for certain sizes only (multiples of the stride), which the export "
    "finds out",
    "Declare the axis as a multiple (`2 * Dim(...)`), or bring one branch to the other's size.",
)


def _apart(given: Shape | None, expected: Shape | None) -> list[tuple[int, int, int]]:
    return (
        sizes.apart(expected, given)
        if given is not None and expected is not None and len(given) == len(expected)
        else []
    )


def _of_feed(
    pasted: Pasted, given: Shape | None, expected: Shape | None, apart: list[tuple[int, int, int]]
) -> Iterator[Evidence]:
    if given is None or expected is None:
        common = "a common cause of this error"
        yield NOT_RESIZED.since(
            common, COMMON, expected="the declared size", got="the size that comes", expected_code="height, width"
        )
        yield causes.MISSING_BATCH.since(common, COMMON)
        yield OTHER_FEED.since(common, RARE)
        return
    if 0 in given:
        yield EMPTY.since(f"{shaped(given)} holds nothing", NUMBERS + 0.05)
    exported = (
        pasted.reading.framework in ("onnxruntime", "onnx", "tensorrt", "openvino") or "onnx" in pasted.wrapped_by
    )
    if len(given) != len(expected):
        yield from _of_other_rank(given, expected)
    elif order := sizes.order_that_gives(expected, given):
        moved = f"{shaped(given)} with its axes in the order {list(order)} is {shaped(expected)}"
        yield causes.CHANNELS_LAST.since(moved, NUMBERS if len(given) >= 4 else COMMON)
        yield causes.SWAPPED.since(moved, FITS)
    whole = sizes.count(given)
    if apart and whole is not None and whole == sizes.product(expected[1:]) and given[1:] != expected[1:]:
        shape = f"({', '.join(['-1', *map(str, expected[1:])])})"
        yield NOT_RESHAPED.since(
            f"all values of {shaped(given)} make one sample of {shaped(expected)}", SAID, wanted=shape
        )
        yield causes.MISSING_BATCH.since(f"all values of {shaped(given)} make one sample", NUMBERS)
    sides = [(axis, a, b) for axis, a, b in apart if _is_side(axis, expected, given, pasted.reading.framework)]
    for axis, a, b in apart:
        seen = f"{a} declared and {b} fed on axis {axis}"
        if (axis, a, b) in sides:
            continue
        if axis == 0 and len(expected) > 1 and not _is_single_image(expected):
            yield FIXED_BATCH.since(seen, NUMBERS, expected=a, got=b)
            yield causes.LAST_BATCH.since(seen, FITS if b < a else COMMON)
        elif len(expected) >= 4 or _is_single_image(expected):
            yield from images(pasted, given, a, b, axis)
        else:
            yield TYPO.since(seen, FITS + 0.02 if abs(a - b) * 4 < a else COMMON + 0.02, expected=a, got=b)
            yield from widths(pasted, a, b)
            if len(expected) == 2 and max(a, b) <= 2000 and 0 not in (a, b):
                yield causes.OTHER_COLUMNS.since(seen, FITS if not sizes.ratio(a, b) else COMMON)
    if sides:
        both = {"expected": _by(a for _, a, _ in sides), "got": _by(b for _, _, b in sides)}
        seen = f"{both['expected']} declared, {both['got']} fed"
        code = ", ".join(str(a) for _, a, _ in sides)
        yield NOT_RESIZED.since(seen, SAID - 0.05, **both, expected_code=code)
    if exported and apart:
        wanted = {"expected": shaped(expected), "got": shaped(given)}
        yield STATIC_EXPORT.since("the declared sizes are numbers: they were fixed at export", NUMBERS + 0.02, **wanted)
    elif sides:
        yield causes.OTHER_RESOLUTION.since("the declared sizes are fixed", FITS)
    if apart:
        yield OTHER_FEED.since(f"{shaped(given)} is not {shaped(expected)}", COMMON - 0.05)


def _is_single_image(expected: Shape) -> bool:
    """An image's shape without the batch, as Keras applications name it."""
    return len(expected) == 3 and expected[-1] in (1, 3, 4) and expected[0] not in (1, None)


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


def _by(sides: object) -> str:
    return " x ".join(str(side) for side in sides)  # type: ignore[attr-defined]


def _of_other_rank(given: Shape, expected: Shape) -> Iterator[Evidence]:
    seen = f"{len(given)} axes come, {len(expected)} are declared"
    values, wanted = sizes.product(given[1:]), sizes.product(expected[1:])
    if values is not None and values == wanted:
        shape = f"({', '.join(['-1', *map(str, expected[1:])])})"
        yield NOT_RESHAPED.since(f"both have {values} values per sample", SAID, wanted=shape)
    if len(given) == len(expected) - 1:
        fits = all(a is None or b is None or a == b for a, b in zip(given, expected[1:], strict=True))
        yield causes.MISSING_BATCH.since(f"{seen}: {shaped(given)} is one sample", NUMBERS if fits else FITS)
        if expected[-1] == 1 or expected[1:2] == (1,):
            yield causes.MISSING_CHANNELS.since(f"{seen}, and {shaped(expected)} has an axis of 1", NUMBERS)
        yield causes.LOST_AXIS.since(seen, COMMON)
    elif len(given) > len(expected):
        yield causes.EXTRA_AXIS.since(seen, NUMBERS if 1 in given else FITS)
        yield ONE_HOT_FED.since(seen, COMMON)
    yield OTHER_FEED.since(seen, COMMON)


ONE_HOT_FED = Cause(
    "labels are fed one-hot where class indices are declared, or the other way round",
    "Convert them, or declare the input as they come.",
    "Print a few labels.",
)
