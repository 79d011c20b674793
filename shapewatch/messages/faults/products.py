"""Products of matrices: dense layers, matmul, batched products, einsum."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.convolution import images
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.wording import plural, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

DENSE = ("linear", "dense", "gemm", "addmm", "self.fc", "classifier(")


CELLS = ("lstm", "gru", "rnn", "attention", "while")
"""Nodes of a graph that are inside a layer with state."""


def matmul(pasted: Pasted) -> Told:
    left, right = facts.shape(pasted, "left"), facts.shape(pasted, "right")
    a, b = _inner(left, right)
    a, b = (facts.size(pasted, "a") if a is None else a), (facts.size(pasted, "b") if b is None else b)
    node = facts.word(pasted, "node", "layer").lower()
    code = "SW102" if pasted.runs(*DENSE) or "dense" in node else "SW101"
    shapes = f" {shaped(left)} by {shaped(right)}" if left is not None and right is not None else ""
    inner = (
        f"the left one has {sized(a)} columns, the right one {sized(b)} rows" if a or b else "their inner sizes differ"
    )
    if a == b:
        inner = "the message tells no difference on the inner axes"
    headline = f"cannot multiply matrices{shapes}: {inner}"
    meaning = (
        "In a product of matrices the last axis of the left one and the axis before last of the right one must be "
        "equal; a dense (linear) layer prints its input as the left one, with all leading axes flattened into rows, "
        f"and its weight as the right one, inputs x outputs. Here what comes has {sized(a)} features, and the other "
        f"side takes {sized(b)}."
    )
    found = [*_of_matrices(left, right, a, b), *widths(pasted, b, a)]
    if any(word in node for word in CELLS):
        cell = f"`{node}` is the inside of a recurrent or attention layer, which is written for one release"
        found.append(causes.OTHER_RELEASE.since(cell, FITS - 0.04))
    return told(pasted, code, headline, meaning, found)


def _inner(left: Shape | None, right: Shape | None) -> tuple[Size, Size]:
    if not left or not right:
        return None, None
    return left[-1], right[-2] if len(right) > 1 else right[0]


def _of_matrices(left: Shape | None, right: Shape | None, a: Size, b: Size) -> Iterator[Evidence]:
    if left is None or right is None or len(left) != 2 or len(right) != 2 or not a or not b:
        return
    rows = left[0]
    values = sizes.count(left)
    if values is not None and rows is not None and rows > 1 and values % b == 0 and a < b:
        samples = values // b
        if b % a == 0 or samples in (1, 2):
            seen = f"{rows} x {a} = {samples} x {b}: all the values together make {samples} rows of {b}"
            whole = sizes.is_width(a) and sizes.is_width(b)
            turned = a == 1 and rows == b  # a column, which fits when it is laid down as a row
            likely = NUMBERS if samples < rows and not turned else COMMON
            yield causes.NOT_FLATTENED.since(seen, RARE if whole else likely)
        if samples == 1:
            yield causes.MISSING_BATCH.since(f"{rows} x {a} is one sample of {b} values", FITS)
        if samples == 2 and a == 2 * rows:
            twice = f"{rows} x {a} holds twice the {b} values of a square of side {rows}: two channels, grey and alpha"
            yield causes.ALPHA.since(twice, NUMBERS)
            yield causes.MISSING_BATCH.since(f"{rows} rows are the height of one image, not a batch", FITS)
    if rows is not None and rows == b != a:
        yield causes.TRANSPOSED_OPERAND.since(f"the left one transposed, [{a}, {rows}], would fit", FITS)
    if right[1] == a != b:
        yield causes.TRANSPOSED_OPERAND.since(f"the right one transposed, [{a}, {b}], would fit", FITS)


def widths(pasted: Pasted | None, expected: Size, got: Size) -> Iterator[Evidence]:
    """A layer takes `expected` features, and `got` come."""
    if not expected or not got or expected == got:
        common = "a common cause of this error; the message does not tell the two widths"
        yield causes.OTHER_INPUT_SIZE.since(common, COMMON)
        yield causes.NOT_FLATTENED.since(common, COMMON)
        return
    given = {"expected": expected, "got": got}
    seen = f"{got} features come, {expected} are expected"
    low, high = sorted((expected, got))
    times, maps = sizes.ratio(expected, got), sizes.same_maps(expected, got)
    whole = sizes.is_width(expected) and sizes.is_width(got)
    if maps and max(maps[1:]) > 1 and (maps[0] >= 16 or min(maps[1:]) > 1):
        channels, one, other = maps
        squares = (
            f"{expected} = {channels} x {one} x {one} and {got} = {channels} x {other} x {other}: maps of other sides"
        )
        if min(one, other) == 1:
            squares = f"{high} is {max(one, other)} x {max(one, other)} times {low}, as the map of a larger input has"
        yield causes.OTHER_INPUT_SIZE.since(squares, NUMBERS if min(one, other) > 1 else FITS)
        if min(one, other) == 1 and got > expected:
            yield causes.NOT_POOLED.since(f"{squares}, where it was pooled to 1 x 1", FITS - 0.02)
            yield causes.OTHER_RELEASE.since(f"{squares}: later releases pool otherwise", RARE + 0.05)
    elif got > expected and times and sizes.is_width(expected) and times not in (2, 4):
        places = f"{got} = {expected} x {times}: features of {times} places, where they were pooled to one"
        yield causes.OTHER_INPUT_SIZE.since(places, FITS + 0.1)
        yield causes.OTHER_RELEASE.since(f"{places}, as adaptive pooling in later releases does", COMMON + 0.05)
    elif times is None and high > 1024 and not whole:
        yield causes.OTHER_INPUT_SIZE.since(f"{seen}: large numbers that no usual width explains", FITS)
    else:
        yield causes.OTHER_INPUT_SIZE.since(seen, COMMON - 0.01 if high >= 64 else RARE)
    if whole:
        near = times is None or times in (2, 4)
        yield causes.OTHER_ENCODER.since(_encoders(expected, got), FITS + 0.05 if near else COMMON, **given)
    if times == 2:
        yield causes.BOTH_DIRECTIONS.since(f"{high} is twice {low}", FITS, **given)
    elif times and times <= 16 and not whole:
        yield causes.OTHER_SETTING.since(
            f"{high} is {times} times {low}: {times} of them stacked or joined", FITS, **given
        )
    if times == 3 and (sizes.root(low) or 0) >= 14:
        colours = f"{high} is three times {low}: one colour channel against three"
        square = sizes.root(low) in (28, 32, 64)  # images of the usual sizes, flattened
        yield (causes.GREY if got < expected else causes.COLOUR).since(colours, FITS + 0.06 if square else COMMON)
    if got == 1000 and sizes.is_width(expected):
        scores = f"{seen}: 1000 are the scores of an ImageNet classifier, not its features"
        yield causes.OTHER_ENCODER.since(scores, FITS + 0.04, **given)
    if got <= 4 and expected >= 64:
        yield NO_FEATURES.since(f"{seen}: {got} is the size of an image's or a point's last axis", FITS + 0.05)
    if abs(expected - got) <= 3 and high > 3:
        yield causes.OTHER_COLUMNS.since(f"{seen}: off by {abs(expected - got)}, as a column or two make it", FITS)
    elif high < 1024 and not whole:
        yield causes.OTHER_COLUMNS.since(seen, COMMON - 0.05)
    yield causes.OTHER_SETTING.since(f"{seen}; nothing in these numbers says which of them is meant", COMMON, **given)
    if not whole:
        yield causes.BRANCH_LOST.since(
            f"{abs(expected - got)} features too {'few' if got < expected else 'many'}", RARE
        )
    if pasted is not None and pasted.runs("flatten", "view(", "reshape"):
        yield causes.OTHER_INPUT_SIZE.since("the lines above it flatten the features", FITS)


NO_FEATURES = Cause(
    "what comes are no features: images, points or scores with their own last axis, where the output of an encoder is "
    "expected",
    "Pass the encoder's output, with its features on the last axis.",
    "Print the shape, and follow the value back to where it comes from.",
)


def _encoders(expected: int, got: int) -> str:
    def known(width: int) -> str:
        return f" ({sizes.ENCODERS[width]})" if width in sizes.ENCODERS else ""

    return f"{got}{known(got)} come where {expected}{known(expected)} are expected: both look like an encoder's width"


# Batched products

HEADS_OR_WINDOWS = Cause(
    "the two factors were cut differently into heads, windows or groups: {got} against {expected}",
    "Cut both with the same number of heads, windows and devices.",
    "Print both shapes just after they are split into heads.",
)


NOT_STRETCHED = Cause(
    "this product does not stretch a batch axis of 1, as others do",
    "Expand the axis first, or use a product that broadcasts (`matmul`).",
    "Print both shapes.",
    {"jax": "y = jnp.matmul(x, w)    # broadcasts; or jnp.broadcast_to first"},
)


def batched(pasted: Pasted) -> Told:
    left, right = facts.shape(pasted, "left"), facts.shape(pasted, "right")
    expected, got = facts.shape(pasted, "expected"), facts.shape(pasted, "got")
    if expected is None and left is not None and len(left) >= 3 and right is not None and len(right) >= 3:
        expected, got = (*left[:-2], left[-1]), (*right[:-2], right[-2])
    wanted, came = facts.size(pasted, "expected", "a"), facts.size(pasted, "got", "b")
    axis = facts.size(pasted, "axis")
    apart: list[sizes.Apart] = [*sizes.apart(expected, got)] if expected is not None and got is not None else []
    if not apart and wanted is not None and came is not None and wanted != came:
        apart = [(1 if axis is None else axis, wanted, came)]
    shapes = f": {shaped(left)} by {shaped(right)}" if left is not None and right is not None else ""
    differ = "; ".join(f"{_of_factor(at)} is {b} where {a} is needed" for at, a, b in apart)
    headline = f"the factors of a batched product do not fit{shapes}" + (f": {differ}" if differ else "")
    meaning = (
        "A batched product multiplies matrix by matrix: both factors need the same batch on axis 0, and the right "
        f"one's axis 1 must equal the left one's last axis. {differ or 'The message names no sizes'}."
    )
    return told(pasted, "SW105", headline, meaning, _of_factors(left, right, apart, axis))


def _of_factor(axis: int | None) -> str:
    return "its batch (axis 0)" if axis == 0 else f"axis {axis} of the right factor"


def _of_factors(left: Shape | None, right: Shape | None, apart: list[sizes.Apart], named: Size) -> Iterator[Evidence]:
    """`named`: the axis that the message names, if it does."""
    for axis, a, b in apart:
        seen, times, given = f"{b} where {a} is needed", sizes.ratio(a, b), {"expected": a, "got": b}
        if axis == 0:
            yield causes.LAST_BATCH.since(f"the batches differ: {seen}", FITS)
            yield HEADS_OR_WINDOWS.since(f"heads and windows are mostly folded into the batch: {seen}", FITS, **given)
            if times:
                yield causes.SPLIT_BATCH.since(f"{max(a, b)} is {times} times {min(a, b)}", COMMON)
            yield causes.OTHER_BATCH.since(f"the batches differ: {seen}", COMMON)
            continue
        yield causes.SWAPPED.since(
            f"{seen}; a factor that stands transposed gives that", COMMON if times and times <= 16 else FITS
        )
        yield causes.OTHER_SETTING.since(f"the inner sizes differ: {seen}", FITS, **given)
        if sizes.root(a) and sizes.root(b):
            squares = (
                f"{a} = {sizes.root(a)}² and {b} = {sizes.root(b)}²: flattened windows, kernels or maps of another side"
            )
            yield causes.OTHER_RESOLUTION.since(squares, FITS)
            yield causes.OTHER_SETTING.since(squares, NUMBERS, **given)
        elif times and times <= 16:
            yield HEADS_OR_WINDOWS.since(f"{max(a, b)} is {times} times {min(a, b)}", FITS, **given)
            yield causes.SPLIT_BATCH.since(f"{max(a, b)} is {times} times {min(a, b)}", COMMON if times == 2 else RARE)
        yield causes.OTHER_LENGTH.since(f"{seen}, if the inner axis counts tokens", COMMON)
    if left is not None and right is not None and len(left) == len(right) >= 3 and left[-1] and left[-1] == right[-1]:
        yield causes.TRANSPOSED_OPERAND.since(f"both end with {left[-1]}, as before a transpose", NUMBERS)
    if not apart and left is not None and right is not None and len(left) == len(right) <= 2:
        # only the batch axes are told
        for _, a, b in sizes.apart(left, right):
            seen = f"the batches differ, {a} against {b}"
            if 1 in (a, b):
                yield NOT_STRETCHED.since(f"{seen}: one of them is 1", NUMBERS)
            yield causes.LAST_BATCH.since(seen, FITS)
            yield causes.OTHER_BATCH.since(seen, COMMON + 0.05)
            yield causes.SWAPPED.since(f"{seen}; a factor with its axes in another order gives that", COMMON)
    elif not apart:
        common = "a common cause of this error; the message has no sizes"
        if named == 0:
            yield causes.LAST_BATCH.since(f"{common}, and is about the batches", COMMON + 0.03)
            yield causes.OTHER_BATCH.since(f"{common}, and is about the batches", COMMON + 0.02)
        yield causes.SWAPPED.since(common, COMMON)
        yield causes.LOST_AXIS.since(common, COMMON)
        yield causes.OTHER_BATCH.since(common, RARE)


# Einsum

WRONG_EQUATION = Cause(
    "the equation gives one letter to two different axes: the operands come in another order or layout than it says",
    "Write the letters in the order of the operands' axes, one letter for each axis.",
    "Print the operands' shapes beside the equation.",
)


def einsum(pasted: Pasted) -> Told:
    equation, letter = facts.word(pasted, "equation"), facts.word(pasted, "subscript")
    a, b = facts.size(pasted, "a"), facts.size(pasted, "b")
    operand = facts.size(pasted, "operand")
    where = f" `{equation}`" if equation else ""
    operand_words = f" (operand {operand})" if operand is not None else ""
    if a is not None and b is not None and a != b:
        what = (
            f"the letter {letter} stands for {a} in one operand and for {b} in another"
            if letter
            else f"{a} against {b}"
        )
        evidence = list(_of_letter(a, b))
    else:
        shapes = " and ".join(map(shaped, facts.shapes(pasted, "shapes")))
        what = f"the operands' axes do not fit its letters{': ' + shapes if shapes else ''}"
        evidence = [
            WRONG_EQUATION.since("the equation and the operands' axes do not fit", FITS),
            causes.MISSING_BATCH.since("a common cause of this error", COMMON),
            causes.EXTRA_AXIS.since("a common cause of this error", COMMON),
        ]
    headline = f"einsum{where}: {what}{operand_words}"
    meaning = (
        "In an einsum every letter stands for one size, in all operands; only an axis of 1 is stretched, and each "
        f"operand has one letter for each of its axes. Here {what}."
    )
    return told(pasted, "SW104", headline, meaning, evidence)


def _of_letter(a: int, b: int) -> Iterator[Evidence]:
    seen, given = f"{a} against {b} for one letter", {"expected": a, "got": b}
    whole = sizes.is_width(a) and sizes.is_width(b)
    yield causes.OTHER_SETTING.since(f"{seen}: a width of the configuration and one of the data", FITS, **given)
    if whole:
        yield causes.OTHER_ENCODER.since(_encoders(a, b), COMMON, **given)
    yield WRONG_EQUATION.since(seen, COMMON)
    yield causes.OTHER_LENGTH.since(
        f"{seen}, if the letter counts tokens or steps", COMMON - 0.05 if whole else COMMON + 0.05
    )
    if sizes.ratio(a, b):
        yield HEADS_OR_WINDOWS.since(f"{max(a, b)} is {sizes.ratio(a, b)} times {min(a, b)}", COMMON - 0.05, **given)


# A layer that says which width it takes


def layer_width(pasted: Pasted) -> Told:
    expected, got = facts.size(pasted, "expected"), facts.size(pasted, "got")
    axis, given = facts.size(pasted, "axis"), facts.shape(pasted, "input")
    layer, variable = facts.word(pasted, "layer"), facts.word(pasted, "parameter")
    if got is None and given and axis is not None and -len(given) <= axis < len(given):
        got = given[axis]
    subject = f"layer {layer}" if layer else f"variable {variable}" if variable else "the layer"
    conv = "conv" in f"{layer} {facts.word(pasted, 'layer_type')}".lower()
    thing = "channels" if conv else "features"
    place = f" on axis {axis}" if axis is not None else ""
    headline = f"{subject} takes {plural(expected, thing[:-1])}{place}, and {sized(got)} come"
    whole = f" The whole input is {shaped(given)}." if given is not None else ""
    meaning = (
        f"The weights of {subject} were made for {plural(expected, thing[:-1])}{place}; the input that comes has "
        f"{sized(got)} there.{whole}"
    )
    if conv or (given is not None and len(given) >= 4):
        found = list(images(pasted, given, expected, got, axis))
    else:
        found = [*_of_dense_input(given, expected, got), *widths(pasted, expected, got)]
    return told(pasted, "SW501" if conv else "SW102", headline, meaning, found, layer)


def _of_dense_input(given: Shape | None, expected: Size, got: Size) -> Iterator[Evidence]:
    if given is None or not expected:
        return
    values = sizes.product(given[1:])
    if len(given) > 2 and values == expected:
        seen = f"the axes after the batch, {shaped(given[1:])}, make {expected} together"
        yield causes.NOT_FLATTENED.since(seen, NUMBERS)
    elif len(given) > 2 and (others := [axis for axis in sizes.axes_of(expected, given) if given[axis] != got]):
        yield causes.SWAPPED.since(f"{expected} stands on axis {others[0]} of {shaped(given)}", FITS)
    elif len(given) == 3 and given[0] is None and given[1] not in (None, 1):
        steps = f"{shaped(given)} has steps beside features; taken the other way round, its last axis is {given[1]}"
        yield causes.SWAPPED.since(steps, COMMON - 0.02)
    if sizes.count(given) == expected:
        yield causes.MISSING_BATCH.since(f"all values of {shaped(given)} make {expected}: one sample", FITS)
