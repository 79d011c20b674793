"""What a model is fed differs from the input that was declared for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shapewatch.messages.faults import causes, facts, labels, sizes
from shapewatch.messages.faults.convolution import images, is_sound
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.fed import EMPTY, FIXED_BATCH, NOT_RESIZED, OTHER_FEED, OTHER_PREPARATION, STATIC_EXPORT
from shapewatch.messages.faults.feeding import of_feed
from shapewatch.messages.faults.wording import listed, of_rank, plural, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

OTHER_STATE = Cause(
    "the state (memory, cache) was made for another variant of the model, or by its other half",
    "Make the state from the inputs that this model declares.",
    "Compare the declared shape with the configuration that the state is made from.",
)


def model_input(pasted: Pasted) -> Told:
    what = facts.word(pasted, "what")
    if what in ("inputs", "specialized"):
        return _number_of_inputs(pasted) if what == "inputs" else _specialized(pasted)
    if what == "nothing":
        return _nothing(pasted)
    if what == "multiple" or facts.size(pasted, "multiple") is not None:
        return _not_a_multiple(pasted)
    if facts.size(pasted, "expected", "expected_height", "most", "least") is not None:
        return _one_side(pasted)
    given, expected = facts.shape(pasted, "given", "got", "input"), facts.shape(pasted, "expected")
    if facts.shape(pasted, "least") is not None:
        return _too_small(pasted, given)
    if what == "size" and expected is not None:
        return _of_fixed_size(pasted, given, expected)
    tensor = facts.word(pasted, "tensor")
    if what == "end" and given is not None and expected is not None and "input" not in tensor.lower():
        # the front of the message is cut off; Keras calls its inputs so, and targets after the layer they belong to
        return labels.of_shapes(pasted, expected, given)
    subject = _subject(pasted)
    headline = f"{subject} is declared as {shaped(expected)} and is fed {shaped(given)}"
    if given is None or expected is None:
        known = given if given is not None else expected
        headline = f"what {subject} is fed does not fit its declaration" + (
            f": {shaped(known)}" if known is not None else ""
        )
    same_rank = given is not None and expected is not None and len(given) == len(expected)
    apart = sizes.apart(expected, given) if given is not None and expected is not None and same_rank else []
    differ = f"Here {listed(f'axis {at}: {a} declared, {b} fed' for at, a, b in apart)}." if apart else ""
    if given is not None and expected is not None and not same_rank:
        differ = f"The ranks differ: {of_rank(len(expected))} declared, {len(given)} fed."
    meaning = f"{DECLARED} {differ}".strip()
    evidence = of_feed(pasted, given, expected)
    return told(pasted, "SW602", headline, meaning, evidence, facts.word(pasted, "layer"))


def _nothing(pasted: Pasted) -> Told:
    """Keras looked for a first batch, and there was none."""
    headline = "the model is given no batch at all: what it is fed is empty"
    meaning = "A run over the data ended before its first batch. It is the data that are empty, no axis is wrong."
    seen = "the message says that there was nothing"
    evidence = [
        EMPTY.since(seen, SAID),
        NO_WHOLE_BATCH.since(seen, FITS + 0.1),
        causes.OTHER_VALUE.since(f"{seen}: a generator that was used up, a path in place of its files", FITS),
        causes.OTHER_RELEASE.since("which loaders and generators are taken changed between releases", COMMON),
    ]
    return told(pasted, "SW602", headline, meaning, evidence)


NO_WHOLE_BATCH = Cause(
    "there is data, and no batch is made of it: fewer samples than one batch holds (`steps = len(x) // batch_size` is "
    "0, `drop_remainder`), or a generator or sequence whose length is 0",
    "Use a batch no larger than the data, and round the number of steps up.",
    "Print the number of samples, the batch size, and `len()` of the generator.",
    {"keras": "steps = math.ceil(len(x) / batch_size)"},
)


def ensured(pasted: Pasted, expected: Shape, given: Shape) -> Told:
    """A line of the program (or of a library) declares a shape in the middle of a graph, and another one comes."""
    headline = f"a value is declared as {shaped(expected)} and comes as {shaped(given)}"
    meaning = "`ensure_shape` lets a value pass only with the declared shape; unknown sizes (None, ?, -1) accept any."
    return told(pasted, "SW602", headline, meaning, _of_ensured(expected, given, f"{shaped(given)} comes"))


def _of_ensured(expected: Shape, given: Shape, seen: str) -> Iterator[Evidence]:
    apart = sizes.apart(expected, given) if len(expected) == len(given) else []
    for axis, a, b in apart:
        if len(given) == 2 and axis == 1 and max(a, b) <= 5:
            indices = f"{seen}: indices of a sparse tensor have as many columns as it has axes, {b} where {a} are taken"
            yield SPARSE_RANK.since(indices, FITS + 0.1, expected=a, got=b)
        yield causes.OTHER_SETTING.since(f"{seen}: {b} on axis {axis}, where {a} is declared", FITS, expected=a, got=b)
    yield OTHER_FEED.since(seen, COMMON + 0.05)
    if not apart:
        yield causes.EXTRA_AXIS.since(seen, FITS if len(given) > len(expected) else RARE)
        yield causes.LOST_AXIS.since(seen, FITS if len(given) < len(expected) else RARE)
    yield causes.OTHER_RELEASE.since(f"{seen}: what a library declares differs from release to release", COMMON)


SPARSE_RANK = Cause(
    "a sparse tensor has another number of axes than is taken: its indices have one column for each axis, {got} where "
    "{expected} are expected (ids of features over time as well as samples, a batch of batches)",
    "Reshape it to {expected} axes (`tf.sparse.reshape`), or look the ids up axis by axis.",
    "Print its `dense_shape`.",
    {"tensorflow": "ids = tf.sparse.reshape(ids, [-1, ids.dense_shape[-1]])"},
)


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
            (_other_side_name(pasted), *_other_side(pasted)),
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
    seen = f"{both['expected']} expected, {both['got']} given"
    evidence = [*_of_channels(pasted), *_of_one_side(pasted, pairs, both, seen)]
    return told(pasted, "SW602", f"{subject} has another size than the model takes: {said}", meaning, evidence)


def _other_side_name(pasted: Pasted) -> str:
    axis = facts.size(pasted, "other_axis")
    return f"axis {axis}" if axis is not None else "another axis"


def _other_side(pasted: Pasted) -> tuple[Size, Size]:
    return facts.size(pasted, "other_got"), facts.size(pasted, "other_expected")


Side = tuple[str, Size, int]
"""Its name, the size that came, and the one that is taken."""


def _of_channels(pasted: Pasted) -> Iterator[Evidence]:
    """One axis of a program's input, which may hold the channels. The message does not tell the others."""
    axis, expected, got = (facts.size(pasted, name) for name in ("axis", "expected", "got"))
    if axis not in (0, 1, 2, 3) or expected is None or got is None:
        return
    low, high = sorted((expected, got))
    if (low, high) == (1, 2) and is_sound(facts.word(pasted, "tensor")):
        named = f"{got} where {expected} is declared, of an input that is sound by its name"
        yield causes.STEREO.since(named, NUMBERS + 0.02)
    elif high <= 4 and axis != 0:
        yield from images(pasted, None, expected, got, axis)
    elif axis in (1, 3) and low in (1, 3, 4) and high >= 16:
        thing = f"{low} is a number of colours and {high} a side of an image"
        yield causes.CHANNELS_LAST.since(f"{thing}, on one axis", SAID)


def _of_one_side(pasted: Pasted, pairs: Sequence[Side], both: dict[str, str], seen: str) -> Iterator[Evidence]:
    exported = "program" in facts.word(pasted, "what") or pasted.reading.framework == "onnxruntime"
    wanted = {"expected": both["expected"], "got": both["got"]}
    if facts.word(pasted, "axis_name") == "the length":
        yield OTHER_PREPARATION.since(seen, NUMBERS, **wanted)
        yield causes.OTHER_SETTING.since(f"{seen}: the length is a setting of the model", FITS, **wanted)
        yield causes.OTHER_RELEASE.since("processor and model belong to one release", COMMON)
        return
    axis, tensor = facts.size(pasted, "axis"), facts.word(pasted, "tensor").lower()
    colours = all(max(got or 0, expected) <= 4 for _, got, expected in pairs)
    if not colours and "ids" not in tensor and "mask" not in tensor:
        # an axis of a program may count samples of sound or tokens as well as pixels
        side = axis is not None and all(expected % 16 == 0 for _, _, expected in pairs)
        likely = SAID - 0.05 if axis is None else NUMBERS if side and not exported else FITS
        yield NOT_RESIZED.since(seen, likely, **both)
    text = any(word in tensor for word in ("ids", "mask", "token", "input_length"))
    if axis is not None and axis > 0 and text:
        long = f"{seen}: the length that the program was exported with, to which each text is padded or cut"
        yield OTHER_PREPARATION.since(long, FITS + 0.12, **wanted)
    if axis is not None:
        features = f"{seen}, if these are no sides of images"
        yield OTHER_PREPARATION.since(features, COMMON if exported or axis in (0, 2) else FITS + 0.02, **wanted)
        yield OTHER_FEED.since(seen, COMMON + 0.02)
    if exported:
        # one axis alone may count frames or features that were prepared otherwise; two are the sides of images
        likely = NUMBERS + (0.05 if len(pairs) > 1 else 0.03)
        yield STATIC_EXPORT.since("the sizes were fixed at export", likely, **wanted)
        if any(word in tensor for word in ("state", "hidden", "cache", "past", "mem")):
            yield OTHER_STATE.since(f"the input is called {tensor}", FITS + 0.12)
    if exported or axis == 0:
        got = facts.size(pasted, "got")
        if axis == 0 and facts.size(pasted, "expected") == 1 and got is not None and got > 1000:
            alone = f"{got} on axis 0, where 1 is declared: one sample, whose own first axis this is"
            yield causes.MISSING_BATCH.since(alone, NUMBERS + 0.03)
            turned = f"{alone}; of sound the samples may stand there, and its channels behind them"
            yield causes.SWAPPED.since(turned, NUMBERS + 0.01)
        batch = "the first axis is the batch"
        yield FIXED_BATCH.since(batch if axis == 0 else seen, NUMBERS if axis == 0 else RARE, **wanted)
    if not exported and axis is None:
        chosen = all(got is not None and any(got % patch == 0 for patch in (14, 32)) for _, got, _ in pairs)
        sized_so = f"{seen}: a size that patches and strides divide, as one that was chosen" if chosen else seen
        yield OPTION_NOT_PASSED.since(sized_so, NUMBERS if chosen else FITS + 0.02, **wanted)
        checked = (
            "later releases check the size where earlier ones interpolated or resized, or ask for an option "
            "(`interpolate_pos_encoding`, `dynamic_img_size`)"
        )
        yield causes.OTHER_RELEASE.since(checked, FITS)
        if any(expected is not None and got is not None and got > expected for _, got, expected in pairs):
            yield TILED.since(seen, COMMON)
        yield causes.OTHER_RESOLUTION.since("patches and positions are counted for one size", RARE)


def _too_small(pasted: Pasted, given: Shape | None) -> Told:
    least = shaped(facts.shape(pasted, "least"))
    headline = f"{_subject(pasted)} must be at least {least}, and is {shaped(given)}"
    meaning = f"Smaller inputs shrink to nothing on the way through the network. It takes {least} and more."
    asked = max((size or 0 for size in facts.shape(pasted, "least") or ()), default=0)
    evidence = [
        causes.TOO_SMALL.since("the message says it", SAID),
        causes.CHANNELS_LAST.since("in another layout the sides are read from other axes", COMMON),
        causes.SWAPPED.since("in another order the sides are read from other axes", RARE),
    ]
    if asked > LEAST_OF_LATER_RELEASES:
        more = f"older releases ask for more than the strides need: {asked}, where later ones take 32 to 75"
        evidence.append(causes.OTHER_RELEASE.since(more, NUMBERS - 0.04))
    return told(pasted, "SW602", headline, meaning, evidence)


def _of_fixed_size(pasted: Pasted, given: Shape | None, expected: Shape) -> Told:
    """An argument of the model's constructor is refused: nothing is fed yet."""
    came = f", and {shaped(given)} was given" if given is not None else ""
    headline = f"with these options the model is built for `input_shape` {shaped(expected)} alone{came}"
    meaning = (
        "Nothing was fed yet: the argument is refused while the model is built. Its pretrained weights, or its dense "
        f"top, belong to inputs of {shaped(expected)}."
    )
    seen = f"{shaped(expected)} expected" + (f", {shaped(given)} given" if given is not None else "")
    evidence = [
        ONE_SIZE_ALONE.since(seen, NUMBERS, expected=shaped(expected)),
        causes.OTHER_RELEASE.since("which sizes are taken with which options is checked otherwise by releases", FITS),
    ]
    if given is None or sizes.is_reordered(given, expected):
        seen = "colours in front or behind, by `image_data_format`" + (f": {shaped(given)}" if given else "")
        evidence.append(causes.CHANNELS_LAST.since(seen, COMMON if given is None else NUMBERS + 0.05))
    return told(pasted, "SW602", headline, meaning, evidence)


LEAST_OF_LATER_RELEASES = 75
"""The least side of an image that Keras's applications ask for, the largest of all: Inception's."""


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
        *([EXAMPLE_OF_ONE.since(f"the axis was settled to {expected}", NUMBERS + 0.06)] if expected in (0, 1) else []),
        SETTLED.since("the message says it", NUMBERS),
        ODD_EXPORT.since("halving and doubling binds the axis to multiples of the stride", FITS),
        FIXED_BATCH.since("a batch that is written down is constant", COMMON, expected=sized(expected), got="others"),
    ]
    return told(pasted, "SW602", headline, meaning, evidence)


OPTION_NOT_PASSED = Cause(
    "the model was not built for the images' size: the option for it (`img_size`, `image_size`, `input_size`) was not "
    "given, was not handed on by the function that makes the model, or comes from another configuration, so that its "
    "default {expected} holds",
    "Build the model for {got} (and interpolate its position embedding), or resize the images to {expected}.",
    "Print the size that the model was built with, and follow the option from the configuration to the constructor.",
    {"torch": "model = timm.create_model(name, img_size=192)"},
)
ONE_SIZE_ALONE = Cause(
    "the model takes one input size with its top (the classifier after a flatten) or with these pretrained weights, "
    "{expected}: some architectures lay out their cells by the size (even or odd, as NASNet), and no other fits",
    "Resize the images to {expected}, or build it with `include_top=False` (or without pretrained weights) for another "
    "size.",
    "Look up which sizes the model's documentation allows with these options.",
    {"keras": "base = keras.applications.ResNet50(include_top=False, input_shape=(128, 128, 3))"},
)
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
EXAMPLE_OF_ONE = Cause(
    "the axis has the size 1 (or 0) in the example that the model is exported with, and exporters take these sizes for "
    "constants",
    "Export with an example that has 2 or more there.",
    "Print the shapes of the example inputs.",
    {"torch": "torch.export.export(model, (torch.randn(2, 3, 224, 224),), dynamic_shapes=...)    # a batch of 2"},
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


def _by(sides: Iterable[object]) -> str:
    return " x ".join(map(str, sides))
