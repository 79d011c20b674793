"""Products of two matrices: dense layers, matmul; and how many features a layer takes."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, counts, facts, sizes
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
    "know how to unpack it (an adapter that is merged or attached, code that takes or slices `weight` itself, a layer "
    "that was not quantised by the library's own class)",
    "Call the quantised layer instead of multiplying with its `weight`, unpack (dequantise) it first, or load the "
    "model in 16 bits.",
    "Print the class of the layer and the type of its weight.",
)
OUTLIERS = Cause(
    "a product in 8 bits (bitsandbytes): the few columns that are multiplied in 16 bits are not those whose weights "
    "were kept, as when two calls run at once, a layer is used in another mode between two passes, or the device is "
    "not supported",
    "Let one call run at a time, update the library, or load the model in 16 bits.",
    "See whether the model was loaded with `load_in_8bit`, and whether it runs without.",
)
STACKS = ("multi_rnn_cell", "stack_bidirectional_rnn")
"""Nodes of a graph that are inside of several recurrent layers."""
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
    left, right = factors(pasted)
    a, b = _inner(left, right)
    a, b = (facts.size(pasted, "a") if a is None else a), (facts.size(pasted, "b") if b is None else b)
    added = facts.shape(pasted, "result")
    if added and left and right and a == b and added != (left[0], right[-1]):
        return _of_added(pasted, added, (left[0], right[-1]))
    node = facts.word(pasted, "node", "layer").lower()
    code = "SW102" if pasted.runs(*DENSE) or "dense" in node else "SW101"
    shapes = f" {as_multiplied(pasted, left, right)}" if left is not None and right is not None else ""
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
    stacked = any(word in node for word in STACKS)
    if right is not None and (stacked or ("attention" in node and "cell" in node)):
        found += _of_stacked_cells(right, a, b, stacked)
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


OTHER_TARGETS = Cause(
    "the targets have another number of columns than the model has outputs: {targets} against {outputs}",
    "Give the last layer as many units as the targets have columns, or choose the columns that it is to give.",
    "Print the shape of the targets beside the model's output shape.",
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
    if product[0] == added[0] and [axis for axis, *_ in apart] == [1]:
        columns = f"{seen}: a loss subtracts its targets from what the last layer gives, in one step with its product"
        evidence.append(OTHER_TARGETS.since(columns, FITS + 0.08, targets=added[1], outputs=product[1]))
    evidence += [causes.SWAPPED.since(f"{seen}: one of the factors may stand transposed", COMMON)]
    if all(1 in (one, other) for _, one, other in apart):
        evidence.append(NO_STRETCHING.since(f"{seen}: they differ where one of them is 1", NUMBERS))
        evidence.append(causes.OTHER_RELEASE.since(f"{seen}: other backends and releases stretch an axis of 1", FITS))
    evidence += [
        causes.OTHER_SETTING.since(f"{one} against {other} on axis {axis}", COMMON + 0.05, expected=one, got=other)
        for axis, one, other in apart
    ]
    return told(pasted, "SW201", headline, meaning, evidence)


def _of_stacked_cells(kernel: Shape, got: Size, expected: Size, stacked: bool) -> Iterator[Evidence]:
    """A cell multiplies its input and its state, side by side; the input of all layers but the first is as wide as the
    state, or twice, where the layer below reads both ways. The kernel of an LSTM gives four gates. `stacked`: the node
    says that there are several layers."""
    gates = kernel[-1] or 0
    for units in (gates // 4, gates // 2, gates):
        times = sizes.ratio(got, units)
        if units and got != expected and (times == 2 or (times == 3 and stacked)):
            below = "the output of the layer below" + (", which reads both ways" if times == 3 else "")
            wide = f"{got} = {times} x {units}: a state and {below}, for the kernel of the first layer"
            yield SHARED_CELL.since(wide, NUMBERS + 0.02 if stacked else FITS + 0.02)
            return


def factors(pasted: Pasted) -> tuple[Shape | None, Shape | None]:
    """Both factors as they are multiplied: the sizes that the message compares tell whether one is transposed before
    (`transpose_b=True`)."""
    left, right = facts.shape(pasted, "left"), facts.shape(pasted, "right")
    a, b = facts.size(pasted, "a"), facts.size(pasted, "b")
    if a is None or b is None or a == b or not left or not right or len(left) < 2 or len(right) < 2:
        return left, right
    turned = [(*each[:-2], each[-1], each[-2]) for each in (left, right)]
    for one, other in ((left, right), (left, turned[1]), (turned[0], right), (turned[0], turned[1])):
        if (one[-1], other[-2]) == (a, b):
            return one, other
    return left, right


def as_multiplied(pasted: Pasted, left: Shape, right: Shape) -> str:
    printed = (facts.shape(pasted, "left"), facts.shape(pasted, "right"))
    turned = "" if printed == (left, right) else " (transposed before)"
    return f"{shaped(left)} by {shaped(right)}{turned}"


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
        if samples == 2 and a == 2 * rows and rows >= LEAST_SIDE:
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
        batch = sizes.is_power_of_two(rows) and rows <= 512
        yield causes.NOT_FLATTENED.since(many.replace(" a is", f" {a} is"), COMMON + (-0.04 if batch else 0.02))
    yield from _of_rows(rows, a, b, right[1])
    if right[1] == a != b and a in sizes.BINS:
        bins = (
            f"both end with {a} = {2 * a - 2} / 2 + 1, the bins of a spectrum: they stand in front of the frames there"
        )
        yield causes.LOST_AXIS.since(f"{bins}, and {shaped(right)} has no frames", FITS + 0.05)
        yield causes.SWAPPED.since(bins, FITS + 0.02)
    elif right[1] == a != b:
        yield causes.TRANSPOSED_OPERAND.since(f"the right one transposed, [{a}, {b}], would fit", FITS)
        if a >= 16:
            twice = f"{a} come, as many as this weight gives, as with the state of a recurrent layer"
            given = {"expected": b, "got": a}
            likely = FITS - 0.01 if torch else FITS + 0.03
            yield causes.OTHER_SETTING.since(f"{twice}: two widths that have to be equal", likely, **given)
        outputs = f"{a} come, as many as this layer gives: they may be outputs already"
        torch = torch and a > 1
        yield APPLIED_BEFORE.since(outputs, FITS + 0.02 if torch else FITS - 0.02, got=a, expected=b)


OTHER_GRAPH = Cause(
    "the square matrix over all nodes (an adjacency, a Laplacian, a kernel) belongs to another graph, or to more or "
    "fewer nodes, than the features that it is multiplied with: it was made for all data, and a part or a batch comes",
    "Make it from the nodes whose features come, or select its rows and columns with them.",
    "Compare its side with the number of rows of the features.",
)
LEFT_OUT = Cause(
    "a layer between is left out, was replaced by one of another width, or the layers are called in another order than "
    "they were built for: what comes are the inputs of an earlier layer",
    "Call every layer once, in the order of their widths: the outputs of each are the inputs of the next.",
    "Print the model, and go through `forward` beside it.",
)
BATCH_SIZES = frozenset({8, 10, 16, 20, 32, 50, 64, 100, 128, 256})
LEAST_NODES = 40
LEAST_SIDE = 14
IMAGES = frozenset({84, 100, 150, 180, 200, 224, 227, 299, 300, 400, 500, 600})
"""Sides of square images, of one channel."""
FUSED = Cause(
    "several projections are fused into one weight (query, key and value; gate and up), and one side counts one of "
    "them where the other counts all: weights or an adapter of a fused layer for a model whose layers stand apart, or "
    "the other way round, or a result that was not split",
    "Split the fused weight (or result) into its parts, or join those of the adapter, as the code that runs expects.",
    "Compare the names of the layers (`qkv_proj`, `q_proj`) in the weights and in the model.",
    {"torch": "query, key, value = fused.chunk(3, dim=-1)"},
)


def _of_rows(rows: Size, got: int, expected: int, outputs: Size) -> Iterator[Evidence]:
    """What the rows say, and the outputs of the layer."""
    times = sizes.ratio(got, expected)
    if rows == got != expected and got >= LEAST_NODES and got not in IMAGES:
        # batches are multiples of 32, as widths are
        square = f"the left one is square, {got} x {got}, as a matrix over all nodes is, and {expected} rows come"
        yield OTHER_GRAPH.since(square, FITS - 0.04 if got % 32 else RARE)
    if rows and got >= 2 * LEAST_SIDE and rows % (3 * got) == 0 and expected in sizes.ENCODERS:
        image = f"{rows} rows of {got} = {rows // (3 * got)} x 3 x {got} x {got}: an image of three colours"
        yield NO_FEATURES.since(image, FITS + 0.04)
    if rows and 1 < got < expected and sizes.is_width(expected) and rows % (expected * got) == 0:
        places = f"{rows} rows of {got} = {rows // (expected * got)} x {expected} x {got} x {got}: a whole map"
        yield causes.NOT_FLATTENED.since(f"{places} of {expected} channels", NUMBERS)
    low = min(got, expected)
    if times == 3 and sizes.is_width(low) and low >= 256 and (outputs or 0) >= low:
        parts = f"{max(got, expected)} = 3 x {low}: query, key and value side by side"
        yield FUSED.since(parts, FITS + 0.16 if low in sizes.ENCODERS else FITS)
    if rows == 1 and got > expected and times in BATCH_SIZES:
        row = f"one row of {got} = {times} x {expected}: the rows of a batch of {times}, side by side"
        yield causes.BATCH_IN_VIEW.since(row, COMMON + 0.06)
    whole = sizes.is_width(got) and sizes.is_width(expected)  # of two models, rather than of two layers of one
    fewer = sizes.is_less(outputs, expected + 1) and 2 * expected <= got <= 16 * expected
    if fewer and got % 4 == 0 and not (times or whole):
        shrinking = f"{got} come, {expected} are taken, {outputs} are given: each less than the one before"
        yield LEFT_OUT.since(shrinking, COMMON - 0.015)


def widths(pasted: Pasted | None, expected: Size, got: Size, scored: bool = True) -> Iterator[Evidence]:
    """A layer takes `expected` features, and `got` come. `scored`: these may be scores of classes."""
    if not expected or not got or expected == got:
        common = "a common cause of this error; the message does not tell the two widths"
        yield causes.OTHER_INPUT_SIZE.since(common, COMMON)
        yield causes.NOT_FLATTENED.since(common, COMMON)
        yield causes.OTHER_SETTING.since(common, COMMON - 0.02, expected=None, got=None)
        return
    given = {"expected": expected, "got": got}
    product = pasted is not None and pasted.reading.fault in ("matmul", "layer-width")
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
            larger = "larger" if got > expected else "smaller"
            squares = f"{high} is {max(one, other)} x {max(one, other)} times {low}, as the map of a {larger} input has"
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
        yield causes.OTHER_INPUT_SIZE.since(f"{seen}: large numbers, as the flattened maps of an image give", FITS)
    else:
        flat = times == 2 and high > 1024 and not whole
        single = COMMON - 0.01 if high >= 64 and not (whole or times) else COMMON + 0.03 if flat else RARE
        yield causes.OTHER_INPUT_SIZE.since(seen, single)
        release = f"{seen}: model code, adapters and weights change their widths from release to release"
        yield causes.OTHER_RELEASE.since(release, COMMON - 0.02 if whole else COMMON - 0.04)
        yield causes.OTHER_VALUE.since(seen, COMMON - 0.03)
    if whole and times and times >= 3 and (got < expected or times == 3):
        several = "one of them" if got < expected else "all of them"
        parts = (
            f"{seen}: {times} parts that are joined (layers of an encoder, a pair and its difference), and {several}"
        )
        yield causes.BRANCH_LOST.since(parts, COMMON + (0.012 if got < expected else 0.06))
    if expected == 1000 and sizes.is_width(got) and product:
        scores = f"{seen}: 1000 are the outputs of an ImageNet classifier's last layer, which a layer was put behind"
        yield LEFT_OUT.since(scores, FITS + 0.04)
    if got >= LEAST_VOCABULARY and (got % 16 or got in counts.VOCABULARIES) and expected in sizes.ENCODERS and scored:
        words = f"{seen}: as many as a vocabulary has words, as the scores of a language model's head"
        yield APPLIED_BEFORE.since(words, FITS + 0.06, **given)
    elif {expected, got} <= sizes.ENCODERS.keys() and not whole:
        yield causes.OTHER_ENCODER.since(encoders(expected, got), FITS + 0.05, **given)
    if whole:
        near = times is None or times in (2, 4)
        yield causes.OTHER_ENCODER.since(encoders(expected, got), FITS + 0.05 if near else COMMON, **given)
    if stacked := _stacked_encoders(expected, got):
        count, taken, come = stacked
        layers = f"{expected} = {count} x {taken} and {got} = {count} x {come}: as many layers of two encoders"
        yield causes.OTHER_ENCODER.since(layers, FITS + 0.06, **given)
    if bands := sizes.spectra(expected, got):
        yield causes.OTHER_SPECTRUM.since(f"{seen}: {bands}", FITS + 0.12)
    if expected < 64 and got == expected**2:
        square = f"{got} = {expected} x {expected}: both axes of a square input, flattened, where one is counted"
        yield causes.OTHER_INPUT_SIZE.since(square, FITS + 0.03)
    if times == 2:
        yield causes.BOTH_DIRECTIONS.since(f"{high} is twice {low}", FITS, **given)
    elif times and times <= 16 and not whole:
        yield causes.OTHER_SETTING.since(
            f"{high} is {times} times {low}: {times} of them stacked or joined", FITS, **given
        )
    if times and 3 <= times <= 8 and 8 <= got < expected and not whole:
        alone = f"{expected} is {times} times {got}: one of {times} that were to be joined"
        yield causes.BRANCH_LOST.since(alone, FITS - 0.02)
    weight = facts.shape(pasted, "right") if pasted is not None and product else None
    if weight and len(weight) == 2 and weight[0] == 1 and sizes.is_width(got) and _is_packed_row(weight[1]):
        row = f"{seen}: a weight of one long row, as quantised weights (4 bits) are packed"
        yield PACKED.since(row, FITS + 0.15)
    outputs = (weight[1] or 0) if weight and len(weight) == 2 else 0
    if max(expected, got) < 64 and outputs >= 1024 and outputs % 128 == 0:
        few = f"{seen}, for {outputs} outputs: no layer of a large model takes so few features"
        yield OUTLIERS.since(few, FITS + 0.02)
    if product and {expected, got} & counts.WORD_VECTORS and any(map(sizes.is_width, (expected, got))):
        vectors = f"{seen}: {min({expected, got} & counts.WORD_VECTORS)} is a width of word vectors (GloVe, fastText)"
        yield causes.OTHER_ENCODER.since(vectors, FITS + 0.06, **given)
        yield causes.OTHER_SETTING.since(vectors, FITS, **given)
    if product and got == 1 < expected and not (times and sizes.is_width(expected)):
        yield NOT_ENCODED.since(f"{seen}: one number for each row", FITS + 0.04)
    elif product and got > expected > 1 and times and times >= 5 and not sizes.is_width(expected):
        several = f"{seen}: {times} times as many, as of {times} steps, nodes or places side by side"
        yield FLATTENED_EARLY.since(several, FITS + 0.02 if times > 16 or times == expected else COMMON + 0.02)
    elif product and times and times >= 5 and not maps and sizes.is_width(low):
        several = f"{seen}: {high} = {times} x {low}, as of {times} steps or nodes side by side"
        if got > expected:
            yield FLATTENED_EARLY.since(several, COMMON + 0.04)
        else:
            yield POOLED.since(f"{several}, of which one comes", COMMON + 0.03, got=got)
    if times == 3 and (sizes.root(low) or 0) >= 7:
        colours = f"{high} is three times {low}: one colour channel against three"
        side = sizes.root(low) or 0
        likely = NUMBERS - 0.05 if side in (28, 32, 64) else COMMON if side >= 14 else COMMON - 0.02  # images' sides
        yield (causes.GREY if got < expected else causes.COLOUR).since(colours, likely)
    if product and sizes.is_width(expected) and not times and 4 < got < expected and got % 8:
        tokens = f"{seen}: {expected} is a width, and {got} more likely a number of tokens, steps or places"
        yield causes.SWAPPED.since(tokens, COMMON - 0.015)
    if weight and len(weight) == 2 and (weight[1] or 0) >= 1024 and times in (2, 4, 8) and whole and high >= 4096:
        share = f"{seen}: one is {times} times the other, as of a weight that is shared among {times} devices"
        yield causes.KEY_HEADS.since(share, COMMON + 0.01)
    if got == 1000 and sizes.is_width(expected) and scored:
        scores = f"{seen}: 1000 are the scores of an ImageNet classifier, not its features"
        yield causes.OTHER_ENCODER.since(scores, FITS + 0.04, **given)
    if got <= 4 and expected >= 64:
        yield NO_FEATURES.since(f"{seen}: {got} is the size of an image's or a point's last axis", FITS + 0.05)
    if abs(expected - got) <= 3 and high > 3:
        yield causes.OTHER_COLUMNS.since(f"{seen}: off by {abs(expected - got)}, as a column or two make it", FITS)
    elif high < 1024 and not whole:
        table = product and not times and expected % 16 + got % 16 != 0  # what layers give is mostly a multiple of 16
        near = table and abs(expected - got) <= MOST_CONDITIONS
        table = table and high < 4 * low
        less = 0.05 if times else 0.01 if high < 64 else 0.005 if near else 0.02 if table else 0.05
        yield causes.OTHER_COLUMNS.since(seen, COMMON - less)
    elif product and expected % 64 and got % 64 and high < 4 * low and not (times or maps):
        words = f"{seen}: so many are the words that a vectoriser or tokenizer has counted, if these are texts"
        yield causes.OTHER_COLUMNS.since(words, COMMON - 0.05)
    yield causes.OTHER_SETTING.since(f"{seen}; nothing in these numbers says which of them is meant", COMMON, **given)
    if high < 64:
        counted = f"{seen}: so few are counted by the data or the environment (columns, observations, actions)"
        yield causes.OTHER_SETTING.since(counted, FITS - 0.02, **given)
    joined = abs(expected - got) in sizes.ENCODERS and not {expected, got} <= sizes.ENCODERS.keys()
    if whole and joined and not times and 2048 < high < 2 * low:
        parts = f"{seen}: they differ by {abs(expected - got)}, as wide as an embedding that is joined to the others"
        yield causes.BRANCH_LOST.since(parts, FITS - 0.02)
    gap = abs(expected - got)
    rows = (facts.shape(pasted, "left") or (None,))[0] if pasted is not None and product else None
    if {expected, got} <= OF_POINTS and {expected, got} != {3, 4} and (rows or 0) >= LEAST_POINTS:  # colours have those
        points = f"{seen}, in {rows} rows: points with their coordinates, and what is joined to them"
        yield NOT_JOINED.since(points, FITS + 0.02)
    elif 2 * high == 3 * low and low % 16 and (high // 3) >= LEAST_JOINTS and low <= 2 * MOST_JOINTS:
        joints = f"{seen}: {high // 3} points with 2 values each, and with 3"
        yield NOT_JOINED.since(joints, FITS - 0.02)
    elif low >= 8 and gap <= MOST_CONDITIONS and not (whole or times):
        condition = (
            f"{seen}: {gap} more or less, as of a condition (one-hot labels, coordinates) that is joined to them"
        )
        yield NOT_JOINED.since(condition, COMMON + 0.02 if low >= 48 or gap in (3, 6) else COMMON - 0.01)
    if not whole:
        parted = f"{abs(expected - got)} features too {'few' if got < expected else 'many'}"
        part = sizes.is_width(abs(expected - got)) and not times and not maps
        yield causes.BRANCH_LOST.since(f"{parted}{', the width of a branch' if part else ''}", FITS if part else RARE)
    if pasted is not None and pasted.runs("flatten", "view(", "reshape"):
        yield causes.OTHER_INPUT_SIZE.since("the lines above it flatten the features", FITS)


def _is_packed_row(size: Size) -> bool:
    return size is not None and size >= 1024 and size % 64 == 0


POOLED = Cause(
    "the map (or the sequence) is brought to one place (a global pooling, `pooling='avg'`, the last step alone), where "
    "the layer was made for all of them, flattened; or their axes are there still and nothing flattens them",
    "Flatten the map in place of pooling it, as where the layer's weights were made, or make the layer for {got}.",
    "Print the shape just before this layer, and that of the map before it.",
    {"keras": "x = layers.Flatten()(x)", "torch": "x = x.flatten(1)"},
)
MOST_CONDITIONS = 40
"""More classes, actions or coordinates are seldom joined to features as they are."""
OF_POINTS = frozenset({3, 4, 5, 6, 7, 9})
"""Coordinates of points, alone or with intensity, colours, normals."""
LEAST_POINTS = 512
LEAST_JOINTS, MOST_JOINTS = 11, 150
LEAST_VOCABULARY = 20_000
"""So many words have the vocabularies of language models. Flattened maps are as long, in multiples of 16."""
NOT_JOINED = Cause(
    "something that is joined to the features (coordinates, normals, colours or confidence of points, time, an action, "
    "labels, a condition) is counted by the layer and is not given, or is given and not counted: an option or a line "
    "joins it on one side alone",
    "Join it where the layer counts it, or leave it out of both; the layer's inputs are the sum of what is joined.",
    "Print the width of each part before they are joined, and compare their sum with the layer's.",
    {"torch": "x = torch.cat([features, condition], dim=-1)"},
)


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

    if {expected, got} <= counts.UNET_WIDTHS:
        return f"{got} come where {expected} are expected: both are widths of a diffusion U-Net's levels"
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
