"""Products of two matrices: dense layers, matmul; and how many features a layer takes."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.convolution import OTHER_LATENTS, images
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.wording import plural, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

DENSE = ("linear", "dense", "gemm", "addmm", "self.fc", "classifier(")


PATCHED_LATENTS = frozenset({16, 64, 128, 132, 192, 320, 384})
"""Widths of image transformers' inputs: 2 x 2 patches of latents of 4 to 96 channels, masks and references beside."""

PACKED = Cause(
    "the weight is quantised and still packed (4 bits, two in a byte, as one long column): what multiplies it does not "
    "know how to unpack it (an adapter that is merged or attached, code that reads `weight` itself, a layer that was "
    "not quantised by the library's own class)",
    "Call the quantised layer instead of multiplying with its `weight`, unpack (dequantise) it first, or load the "
    "model in 16 bits.",
    "Print the class of the layer and the type of its weight.",
)
CELLS = ("lstm", "gru", "rnn", "attention", "while")
"""Nodes of a graph that are inside a layer with state."""


SHARED_CELL = Cause(
    "one cell stands for several layers, `MultiRNNCell([cell] * layers)`: all of them share the first one's kernel, "
    "which fits the first layer's input alone (later releases of TensorFlow refuse what early ones took)",
    "Make a cell for each layer.",
    "See whether the list of cells repeats one object.",
    {"tensorflow": "cell = MultiRNNCell([make_cell() for _ in range(layers)])"},
)
APPLIED_BEFORE = Cause(
    "what comes has been through this (or a last) layer already: the layer is applied twice, two layers stand in each "
    "other's place, or the network ends in its own head, so that its {got} outputs come where the {expected} features "
    "before it are meant",
    "Take the features from before the network's last layer, or leave one of the two layers out.",
    "Print the network's last layers, and follow what comes back to where it is made.",
)


def matmul(pasted: Pasted) -> Told:
    left, right = facts.shape(pasted, "left"), facts.shape(pasted, "right")
    a, b = _inner(left, right)
    a, b = (facts.size(pasted, "a") if a is None else a), (facts.size(pasted, "b") if b is None else b)
    added = facts.shape(pasted, "result")
    if added and left and right and a == b and added != (left[0], right[-1]):
        return _of_added(pasted, added, (left[0], right[-1]))
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
    scored = not right or right[-1] != a  # what gives as many as it is given is no head of a classifier
    torch = pasted.reading.framework == "torch"
    found = [*_of_matrices(left, right, a, b, torch), *widths(pasted, b, a, scored)]
    if "multi_rnn_cell" in node and right is not None:
        found += _of_stacked_cells(right, a, b)
    if any(word in node for word in CELLS):
        cell = f"`{node}` is the inside of a recurrent or attention layer, which is written for one release"
        found.append(causes.OTHER_RELEASE.since(cell, FITS - 0.04))
    return told(pasted, code, headline, meaning, found)


WITH_ITS_INPUT = Cause(
    "what a layer gives is compared with (or added to) what it was given, and it changes the width: the targets are "
    "the inputs where the model returns the hidden code and not the reconstruction (an autoencoder), or a sum around "
    "a layer that has another number of outputs",
    "Compare the reconstruction (the decoder's output) with the inputs, give targets of the output's width, or give "
    "the layer as many outputs as inputs.",
    "Print the model's output shape beside that of the targets.",
)
NO_STRETCHING = Cause(
    "this backend stretches an axis of 1 only where it was declared so: what is added (a bias, a value beside "
    "advantages, a mean) needs the whole shape, or the axis marked as one that broadcasts",
    "Repeat it along that axis before (`repeat`, `K.repeat_elements`), declare it (`T.addbroadcast`, "
    "`dimshuffle`), or run the code on the backend that it was written for.",
    "Print the shapes of both terms of the sum.",
)


def _of_added(pasted: Pasted, added: Shape, product: Shape) -> Told:
    """The factors fit; what is added to their product, as it is fused with it, does not."""
    headline = f"a product of shape {shaped(product)} is added to a value of shape {shaped(added)}, and they do not fit"
    meaning = (
        "A fused product adds a value to the product of two matrices. The factors fit each other; their product is "
        f"{shaped(product)}, and the value that is added is {shaped(added)}."
    )
    apart = sizes.apart(product, added)
    seen = f"{shaped(product)} against {shaped(added)}"
    evidence: list[Evidence] = []
    if added == facts.shape(pasted, "left"):
        own = f"{shaped(added)} is the shape of what the product is made from"
        evidence.append(WITH_ITS_INPUT.since(own, NUMBERS))
    evidence += [causes.SWAPPED.since(f"{seen}: one of the factors may stand transposed", COMMON)]
    if all(1 in (one, other) for _, one, other in apart):
        evidence.append(NO_STRETCHING.since(f"{seen}: they differ where one of them is 1", NUMBERS))
        evidence.append(causes.OTHER_RELEASE.since(f"{seen}: other backends and releases stretch an axis of 1", FITS))
    evidence += [
        causes.OTHER_SETTING.since(f"{one} against {other} on axis {axis}", COMMON + 0.05, expected=one, got=other)
        for axis, one, other in apart
    ]
    return told(pasted, "SW201", headline, meaning, evidence)


def _of_stacked_cells(kernel: Shape, got: Size, expected: Size) -> Iterator[Evidence]:
    """A cell multiplies its input and its state, side by side; the input of all layers but the first is as wide as the
    state. The kernel of an LSTM gives four gates."""
    gates = kernel[-1] or 0
    for units in (gates // 4, gates // 2, gates):
        if units and got == 2 * units != expected:
            wide = f"{got} = 2 x {units}: a state and the output of the layer below, for the kernel of the first layer"
            yield SHARED_CELL.since(wide, NUMBERS + 0.02)
            return


def _inner(left: Shape | None, right: Shape | None) -> tuple[Size, Size]:
    if not left or not right:
        return None, None
    return left[-1], right[-2] if len(right) > 1 else right[0]


def _of_matrices(left: Shape | None, right: Shape | None, a: Size, b: Size, torch: bool = False) -> Iterator[Evidence]:
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
            several = b // a >= 8 and a <= 512  # as many places as are flattened; twice or thrice has other causes
            likely = NUMBERS if samples < rows and not turned and (several or samples == 1) else COMMON
            yield causes.NOT_FLATTENED.since(seen, RARE if whole else likely)
        if samples == 1:
            yield causes.MISSING_BATCH.since(f"{rows} x {a} is one sample of {b} values", FITS)
        if samples == 2 and a == 2 * rows:
            twice = f"{rows} x {a} holds twice the {b} values of a square of side {rows}: two channels, grey and alpha"
            yield causes.ALPHA.since(twice, NUMBERS)
            yield causes.MISSING_BATCH.since(f"{rows} rows are the height of one image, not a batch", FITS)
    if {a, b} <= PATCHED_LATENTS and a != b and sizes.is_width(right[1]) and (right[1] or 0) >= 1536:
        patches = f"{a} and {b} are 2 x 2 patches of latents, of {a // 4} and of {b // 4} channels"
        yield OTHER_LATENTS.since(patches, FITS + 0.06)
    if rows is not None and rows == b != a:
        fits = f"the left one transposed, [{a}, {rows}], would fit"
        yield causes.TRANSPOSED_OPERAND.since(fits, NUMBERS if rows == 1 else FITS)
    if b == 1 and right[1] and right[1] > 100_000 and right[1] % (a // 2 or 1) == 0:
        packed = f"a weight of [1, {right[1]}] holds {2 * right[1]} numbers of 4 bits, two in a byte"
        yield PACKED.since(f"{packed}: {a} x {2 * right[1] // a}", NUMBERS + 0.04)
        yield causes.OTHER_RELEASE.since(f"{packed}, which other releases unpack otherwise", FITS)
    if a < b // 8 and rows is not None and rows > b // a:
        many = f"{rows} rows of {a}: more rows than a batch has, and a is the size of a side, a step or a map"
        yield causes.NOT_FLATTENED.since(many.replace(" a is", f" {a} is"), COMMON + 0.02)
    if right[1] == a != b:
        yield causes.TRANSPOSED_OPERAND.since(f"the right one transposed, [{a}, {b}], would fit", FITS)
        if a >= 16:
            twice = f"{a} come, as many as this weight gives, as with the state of a recurrent layer"
            given = {"expected": b, "got": a}
            likely = FITS - 0.01 if torch else FITS + 0.03
            yield causes.OTHER_SETTING.since(f"{twice}: two widths that have to be equal", likely, **given)
        outputs = f"{a} come, as many as this layer gives: they may be outputs already"
        torch = torch and a > 1
        yield APPLIED_BEFORE.since(outputs, FITS + 0.02 if torch else FITS - 0.02, got=a, expected=b)


def widths(pasted: Pasted | None, expected: Size, got: Size, scored: bool = True) -> Iterator[Evidence]:
    """A layer takes `expected` features, and `got` come. `scored`: these may be scores of classes."""
    if not expected or not got or expected == got:
        common = "a common cause of this error; the message does not tell the two widths"
        yield causes.OTHER_INPUT_SIZE.since(common, COMMON)
        yield causes.NOT_FLATTENED.since(common, COMMON)
        yield causes.OTHER_SETTING.since(common, COMMON - 0.02, expected=None, got=None)
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
        if min(one, other) == 1 and max(one, other) >= 3 and got < expected:
            yield POOLED.since(f"{squares}: {low} are left where a map is pooled to one place", FITS - 0.04, got=got)
        if min(one, other) == 1 and got > expected:
            yield causes.NOT_POOLED.since(f"{squares}, where it was pooled to 1 x 1", COMMON + 0.01)
            yield causes.OTHER_RELEASE.since(f"{squares}: later releases pool otherwise", COMMON - 0.01)
    elif got > expected and times and sizes.is_width(expected) and times not in (2, 4):
        places = f"{got} = {expected} x {times}: features of {times} places, where they were pooled to one"
        yield causes.OTHER_INPUT_SIZE.since(places, FITS + 0.1)
        yield causes.OTHER_RELEASE.since(f"{places}, as adaptive pooling in later releases does", COMMON + 0.05)
    elif high > (1024 if times is None else 4096) and not whole:
        yield causes.OTHER_INPUT_SIZE.since(f"{seen}: large numbers that no usual width explains", FITS)
    else:
        flat = times == 2 and high > 1024 and not whole
        single = COMMON - 0.01 if high >= 64 and not (whole or times) else COMMON + 0.03 if flat else RARE
        yield causes.OTHER_INPUT_SIZE.since(seen, single)
        release = f"{seen}: model code, adapters and weights change their widths from release to release"
        yield causes.OTHER_RELEASE.since(release, COMMON - 0.02 if whole else COMMON - 0.04)
        yield causes.OTHER_VALUE.since(seen, COMMON - 0.03)
    if whole:
        near = times is None or times in (2, 4)
        yield causes.OTHER_ENCODER.since(encoders(expected, got), FITS + 0.05 if near else COMMON, **given)
    if stacked := _stacked_encoders(expected, got):
        count, taken, come = stacked
        layers = f"{expected} = {count} x {taken} and {got} = {count} x {come}: as many layers of two encoders"
        yield causes.OTHER_ENCODER.since(layers, FITS + 0.06, **given)
    if bands := sizes.spectra(expected, got):
        yield causes.OTHER_SPECTRUM.since(f"{seen}: {bands}", FITS + 0.12)
    if times == 2:
        yield causes.BOTH_DIRECTIONS.since(f"{high} is twice {low}", FITS, **given)
    elif times and times <= 16 and not whole:
        yield causes.OTHER_SETTING.since(
            f"{high} is {times} times {low}: {times} of them stacked or joined", FITS, **given
        )
    if times and 3 <= times <= 8 and 8 <= got < expected and not whole:
        alone = f"{expected} is {times} times {got}: one of {times} that were to be joined"
        yield causes.BRANCH_LOST.since(alone, FITS - 0.02)
    product = pasted is not None and pasted.reading.fault in ("matmul", "layer-width")
    weight = facts.shape(pasted, "right") if pasted is not None and product else None
    if weight and len(weight) == 2 and weight[0] == 1 and (weight[1] or 0) >= 1024 and sizes.is_width(got):
        packed = f"{seen}: a weight that is one row long, as quantised weights (4 bits) are packed"
        yield QUANTISED.since(packed, FITS + 0.15)
    if product and {expected, got} & sizes.VECTORS and any(map(sizes.is_width, (expected, got))):
        vectors = (
            f"{seen}: {min({expected, got} & sizes.VECTORS)} is a width of word vectors (GloVe, word2vec, fastText)"
        )
        yield causes.OTHER_ENCODER.since(vectors, FITS + 0.06, **given)
        yield causes.OTHER_SETTING.since(vectors, FITS, **given)
    if product and got == 1 < expected and not (times and sizes.is_width(expected)):
        yield NOT_ENCODED.since(f"{seen}: one number for each row", FITS + 0.04)
    elif product and got > expected > 1 and times and times >= 5 and not sizes.is_width(expected):
        several = f"{seen}: {times} times as many, as of {times} steps, nodes or places side by side"
        yield FLATTENED_EARLY.since(several, FITS + 0.02 if times > 16 or times == expected else COMMON + 0.02)
    if times == 3 and (sizes.root(low) or 0) >= 14:
        colours = f"{high} is three times {low}: one colour channel against three"
        square = sizes.root(low) in (28, 32, 64)  # images of the usual sizes, flattened
        yield (causes.GREY if got < expected else causes.COLOUR).since(colours, NUMBERS - 0.05 if square else COMMON)
    if got == 1000 and sizes.is_width(expected) and scored:
        scores = f"{seen}: 1000 are the scores of an ImageNet classifier, not its features"
        yield causes.OTHER_ENCODER.since(scores, FITS + 0.04, **given)
    if got <= 4 and expected >= 64:
        yield NO_FEATURES.since(f"{seen}: {got} is the size of an image's or a point's last axis", FITS + 0.05)
    if abs(expected - got) <= 3 and high > 3:
        yield causes.OTHER_COLUMNS.since(f"{seen}: off by {abs(expected - got)}, as a column or two make it", FITS)
    elif high < 1024 and not whole:
        yield causes.OTHER_COLUMNS.since(seen, COMMON - (0.05 if high >= 64 or times else 0.01))
    yield causes.OTHER_SETTING.since(f"{seen}; nothing in these numbers says which of them is meant", COMMON, **given)
    if high < 64:
        counted = f"{seen}: so few are counted by the data or the environment (columns, observations, actions)"
        yield causes.OTHER_SETTING.since(counted, FITS - 0.02, **given)
    joined = abs(expected - got) in sizes.ENCODERS and not {expected, got} <= sizes.ENCODERS.keys()
    if whole and joined and not times and 2048 < high < 2 * low:
        parts = f"{seen}: they differ by {abs(expected - got)}, as wide as an embedding that is joined to the others"
        yield causes.BRANCH_LOST.since(parts, FITS - 0.02)
    gap = abs(expected - got)
    if low >= 64 and 2 <= gap <= MOST_CONDITIONS and not whole:
        condition = (
            f"{seen}: {gap} more or less, as of a condition (one-hot labels, coordinates) that is joined to them"
        )
        yield causes.BRANCH_LOST.since(condition, COMMON + 0.02)
    if not whole:
        parted = f"{abs(expected - got)} features too {'few' if got < expected else 'many'}"
        part = sizes.is_width(abs(expected - got)) and not times and not maps
        yield causes.BRANCH_LOST.since(f"{parted}{', the width of a branch' if part else ''}", FITS if part else RARE)
    if pasted is not None and pasted.runs("flatten", "view(", "reshape"):
        yield causes.OTHER_INPUT_SIZE.since("the lines above it flatten the features", FITS)


QUANTISED = Cause(
    "the weight is quantised (4 bits, packed into one row of bytes) and is multiplied as it is: the code takes the "
    "weight by itself (`F.linear(x, layer.weight)`, slices for tensor parallelism, a merged adapter) or the library "
    "that unpacks it is not loaded, or of another release",
    "Call the layer and not its weight, load the model unquantised, or use releases of model code, quantiser and "
    "adapter library that belong together.",
    "Print the type and dtype of the weight: uint8 is packed.",
)
POOLED = Cause(
    "the map is pooled to one place (a global pooling, `pooling='avg'`), where the layer was made for the whole map, "
    "flattened; or the axes of the map are there still and nothing flattens them",
    "Flatten the map in place of pooling it, as where the layer's weights were made, or make the layer for {got}.",
    "Print the shape just before this layer, and that of the map before it.",
    {"keras": "x = layers.Flatten()(x)", "torch": "x = x.flatten(1)"},
)
MOST_CONDITIONS = 40
"""More classes, actions or coordinates are seldom joined to features as they are."""


def _stacked_encoders(expected: int, got: int) -> tuple[int, int, int] | None:
    """The outputs of several layers side by side: how many, and the widths of both encoders."""
    for count in (2, 3, 4):
        taken, come = expected // count, got // count
        # language models give so wide features, of which image models take three layers
        if {expected, got} <= sizes.ENCODERS.keys():
            return None
        known = {taken, come} <= sizes.ENCODERS.keys() and (count == 3 or max(taken, come) <= 2048)
        if expected % count == got % count == 0 and known and expected != got:
            return count, taken, come
    return None


NOT_ENCODED = Cause(
    "a single number comes for each row where a vector is meant: class, state or token numbers that are not made "
    "one-hot or embedded, one column in place of all, or one sample whose features stand on the first axis",
    "Make the numbers one-hot (or embed them), select all columns, or turn the sample into one row.",
    "Print the shape and the first rows of what comes.",
    {"torch": "x = F.one_hot(x.long(), classes).float()"},
)
FLATTENED_EARLY = Cause(
    "what comes was flattened or joined over all its steps, nodes or places, where the layer takes the features of one "
    "of them (or of all, pooled)",
    "Leave out the flatten, choose the step that is meant, or pool (mean, maximum) before this layer.",
    "Print the shape just before it is flattened.",
)
NO_FEATURES = Cause(
    "what comes are no features: images, points or scores with their own last axis, where the output of an encoder is "
    "expected",
    "Pass the encoder's output, with its features on the last axis.",
    "Print the shape, and follow the value back to where it comes from.",
)


def encoders(expected: int, got: int) -> str:
    def known(width: int) -> str:
        return f" ({sizes.ENCODERS[width]})" if width in sizes.ENCODERS else ""

    return f"{got}{known(got)} come where {expected}{known(expected)} are expected: both look like an encoder's width"


# A layer that says which width it takes

REUSED_CELL = Cause(
    "one cell (or layer) object is used for several layers, as in `MultiRNNCell([cell] * n)`: from TensorFlow 1.1 on "
    "they share its weights, and the layers have inputs of different widths",
    "Make a cell for each layer: `MultiRNNCell([make_cell() for _ in range(n)])`.",
    "Look for a list that is multiplied, or a name of a scope that is used again.",
)


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
    if any(word in variable.lower() for word in CELLS):
        shared = f"`{variable}` is the weight of a cell that is used twice"
        found.append(REUSED_CELL.since(shared, FITS + 0.12))
    return told(pasted, "SW501" if conv else "SW102", headline, meaning, found, layer)


def _of_dense_input(given: Shape | None, expected: Size, got: Size) -> Iterator[Evidence]:
    if given is None or not expected:
        return
    values = sizes.product(given[1:])
    if len(given) == 2 and given[0] == expected != got:
        turned = f"{shaped(given)} transposed, {shaped(given[::-1])}, would fit"
        row = f"{turned}: {got} samples of one feature, laid as one row" if expected == 1 else turned
        yield causes.SWAPPED.since(row, NUMBERS if expected == 1 else FITS)
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
    elif len(given) == 2 and given[0] is None and got and got >= 8 and expected in (got * got, 3 * got * got):
        row = f"{expected} are the values of an image of side {got}, and {got} one line of it"
        yield causes.NOT_FLATTENED.since(row, NUMBERS)
        yield causes.MISSING_BATCH.since(f"{row}: the lines are taken for samples", NUMBERS - 0.02)
