"""A value has too few or too many axes for the layer that takes it, or for the axis that is asked of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, roles, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.fed import DECLARED_MORE, OBJECTS, OTHER_FEED
from shapewatch.messages.faults.recurrent import of_state_rank
from shapewatch.messages.faults.splitting import parts
from shapewatch.messages.faults.wording import of_rank, shaped
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

OTHER_CLASS = Cause(
    "the layer is of the class for another number of axes (1d, 2d, 3d): e.g. BatchNorm2d or Conv2d among 3-D "
    "layers, or after a dense layer; Conv3d where images come",
    "Use the class for {got} axes ({fitting}), or give the data the axes that the layer expects.",
    "Compare the layer's class with its neighbours'.",
)
ALREADY_FLAT = Cause(
    "the features are flat already: a Flatten, a global pooling or a dense layer stands before this layer (or the base "
    "model pools its output), so the layers are wired in another order than planned",
    "Leave this layer out or put it before the flattening; take the base model's last map (no top, no pooling).",
    "Print the shape that the layer before gives.",
)
NO_TIME = Cause(
    "the time axis (steps, frames) is missing: one step is given where a sequence is expected; or the steps are plain "
    "numbers, without an axis for the features",
    "Give (batch, steps, features): add the axis that is missing, of size 1, and let a recurrent layer before it "
    "return its whole sequence (`return_sequences=True`).",
    "Print the shape that comes in.",
    {"keras": "x = np.expand_dims(x, 1)    # one step; return_sequences=True where layers are stacked"},
)
ONE_AT_A_TIME = Cause(
    "a function for one image (an augmentation, a crop, a resize, a decoder) is given a whole batch",
    "Apply it to each sample (`tf.map_fn`, in the data set before `batch`), or use a release or a function that takes "
    "batches.",
    "Compare the shape that comes with what the function documents.",
    {"tensorflow": "dataset = dataset.map(augment).batch(batch_size)    # not batch(...).map(augment)"},
)
OTHER_OPERATION = Cause(
    "another operation than was meant is called: its filter (or index, or second factor) has another rank than the one "
    "that is given, as with `dilation2d` for a dilated convolution",
    "Call the operation that takes a filter of this rank.",
    "Read which rank each argument of the operation must have.",
)
NOT_FOLDED = Cause(
    "an axis of patches, crops, frames or views is there that should have been folded into the batch (or averaged "
    "away)",
    "Fold it into the batch before this layer and unfold it after it.",
    "Look for a line that reshapes the patches, and whether it is reached.",
    {"torch": "x = x.flatten(0, 1)    # (N, T, C, H, W) to (N * T, C, H, W)"},
)

NOT_FLATTENED_TO_STEPS = Cause(
    "a map (height, width and channels, or features of several parts) is given to a layer of sequences: of its axes "
    "one has to become the steps, and all the others one axis of features",
    "Reshape it to (batch, steps, features) before this layer: flatten each step (`TimeDistributed(Flatten())`), or "
    "make the width the steps and height x channels the features.",
    "Print the shape that the layer before gives, and say which of its axes is the time.",
    {
        "keras": "x = layers.TimeDistributed(layers.Flatten())(x)    # (N, T, H, C) to (N, T, H * C)",
        "torch": "x = x.permute(0, 3, 1, 2).flatten(2)    # (N, C, H, W) to (N, W, C * H)",
    },
)

NO_RESHAPE = Cause(
    "a dense layer's features (or a latent vector) are given to a layer of maps, and the reshape to (height, width, "
    "channels) between them is missing",
    "Put it there, with a dense layer of height x width x channels units before it.",
    "Print the shape that the layer before gives.",
    {
        "keras": "x = layers.Dense(7 * 7 * 128)(x)\nx = layers.Reshape((7, 7, 128))(x)",
        "torch": "x = self.dense(x).view(-1, 128, 7, 7)",
    },
)
LEAST_WORDS = 1000
"""Fewer rows are seldom those of a vocabulary."""
ROWS_EMBEDDED = Cause(
    "an Embedding is given one-hot rows (or an input declared as such): it takes the numbers of the words, (batch, "
    "steps), and adds an axis for their vectors itself",
    "Give it word numbers and declare the input as (steps,), or put a dense layer in its place.",
    "Print the shape before and behind the Embedding.",
    {"keras": "inputs = keras.Input((steps,), dtype='int32')", "torch": "x = embedding(x.argmax(-1))"},
)
ONE_NUMBER = Cause(
    "the input is declared by one number where (height, width, channels) is meant: a setting that is a flat list where "
    "a list of shapes is taken apart, `(224)` without its comma, or a loop over the shape itself",
    "Declare all axes of one sample, one shape for each input.",
    "Print the shape that the Input layer is made with.",
    {"keras": "inputs = keras.Input((height, width, channels))"},
)
STACK_OF_MATRICES = Cause(
    "a stack of matrices (a sequence for each sample) is multiplied with one matrix by an operation that takes two "
    "matrices of equal rank",
    "Put all rows under each other before the product and take them apart after it, or use an operation that "
    "stretches (`tensordot`, `einsum`, a dense layer); or take the last step alone.",
    "Print the ranks of both factors.",
    {"tensorflow": "y = tf.tensordot(x, w, axes=[[2], [0]])    # (N, T, A) with (A, B)"},
)

NOT_REDUCED = Cause(
    "a value per sample (or pixel) is there where one number is needed: the loss is not reduced, or several values "
    "are turned "
    "into a Python number",
    "Reduce it first (`loss.mean()`), or convert it as a whole (`tolist()`, `numpy()`).",
    "Print its shape.",
    {"torch": "loss.mean().backward()"},
)

ONE_ENTRY = Cause(
    "an array of one entry is given where a bare number is meant: what gives it (an action, a prediction, a column) "
    "has an axis of 1 around the number",
    "Take the entry out: `x[0]`, or `x.item()`.",
    "Print the shape and type of what is given.",
    {"tensorflow": "x = tf.squeeze(x)", "torch": "x = x.squeeze()"},
)
NO_FEATURES = Cause(
    "each sample is a single number, without an axis for its features, and nothing adds one: the model declares no "
    "input shape, or a plain list, column or array (N,) is passed where training was given a table (`fit` of some "
    "releases adds the axis, a call does not)",
    "Give it an axis of 1 at the end, or declare the shape of the model's input.",
    "Print the shape of the data.",
    {"keras": "x = np.expand_dims(x, -1)", "torch": "x = x.unsqueeze(-1)", "tensorflow": "x = tf.expand_dims(x, -1)"},
)

NO_TRUE_CLASSES = Cause(
    "the labels of a sampled loss (`nce_loss`, `sampled_softmax_loss`) have no axis for the true classes of a sample",
    "Give them one: (batch, num_true), which is (batch, 1) where each sample has one class.",
    "Print the shape of the labels that the loss is given.",
    {"tensorflow": "labels = tf.expand_dims(labels, 1)"},
)

FLAT_LIST = Cause(
    "what should be a table has one axis only, because it holds one row, none, or rows of different lengths: an image "
    "without objects, a file of labels with one line, a list whose entries were not stacked, a single column",
    "Give it its columns: `boxes.reshape(-1, 4)`, `np.loadtxt(path, ndmin=2)`, `np.stack(rows)`; leave empty samples "
    "out.",
    "Print the shape and type of what is indexed, for the sample that fails.",
    {"torch": "boxes = torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)"},
)

FITTING = {2: "1d", 3: "1d", 4: "2d", 5: "3d"}

NORMS_AND_CONVS = ("conv", "norm", "pool", "bn")

OF_ONE_IMAGE = (
    "adjust_", "random_", "hue", "saturation", "contrast", "brightness", "crop", "flip", "rot90", "decode", "resize",
    "image_standardization", "distort", "augment", "bounding_box",
)  # fmt: skip
"""What functions for one image are called, in the names of a graph's nodes."""


UNPACKED_SHAPE = (".shape", ".size(", ".get_shape(", "= input_shape")


def rank(pasted: Pasted) -> Told:
    if facts.word(pasted, "op") == "unpacking" and pasted.near and not pasted.raises(*UNPACKED_SHAPE):
        return parts(pasted)
    given, got = facts.shape(pasted, "input"), facts.size(pasted, "got")
    if got is None and given is not None:
        got = len(given)
    if given is None:
        given = next((each for each in facts.shapes(pasted, "inputs")[:1] if len(each) == got), None)
    ranks = _ranks(pasted)
    words = facts.word(pasted, "expected")
    layer, op = facts.word(pasted, "layer"), facts.word(pasted, "op", "layer_type")
    subject = f"layer {layer}" if layer else op or "the operation"
    wanted = _wanted(pasted, ranks, words)
    shape = f", shape {shaped(given)}" if given is not None else ""
    came = f"one with {of_rank(got)} comes{shape}" if got is not None else "another one comes"
    headline = f"{subject} takes {wanted}, and {came}"
    meaning = (
        f"The number of axes (the rank) is wrong, whatever their sizes: {subject} takes {wanted}. {_as_laid_out(ranks)}"
    )
    if facts.word(pasted, "what") == "hidden state":
        return told(pasted, "SW701", headline, meaning.strip(), of_state_rank(facts.size(pasted, "rank"), got), layer)
    evidence = list(_of_ranks(pasted, ranks, got, given, f"{layer} {op} {pasted.reading.message}".lower()))
    evidence += _of_channels(pasted.reading.shape("weight"), given)
    return told(pasted, "SW701", headline, meaning.strip(), evidence, layer)


def _wanted(pasted: Pasted, ranks: list[int], words: str) -> str:
    if ranks == [0]:
        return "a single number, without axes"
    if len(ranks) == 1:
        return f"a value with {_minimum(pasted)}{of_rank(ranks[0])}"
    if not words:
        return "a value with another number of axes"
    return (
        f"a value with {words}"
        if "element" in words
        else f"a value of {words}"
        if "D" in words
        else f"a value with {words} axes"
    )


def _ranks(pasted: Pasted) -> list[int]:
    """Those that would do, as the message says them: a number, or `3D (unbatched) or 4D (batched)`."""
    given = pasted.reading.facts.get("expected")
    weight = facts.shape(pasted, "weight", "filter")
    if given is None and weight is not None:
        return [len(weight)]
    if isinstance(given, int):
        return [given]
    return [int(each) for each in re.findall(r"(?<!\d)(\d)(?=\s*-?\s*[Dd]|\b)", str(given or ""))]


def _minimum(pasted: Pasted) -> str:
    return "at least " if any(words in pasted.reading.message for words in ("min_ndim", "at least", ">=")) else ""


def _as_laid_out(ranks: list[int]) -> str:
    layouts = {
        3: "With three axes these are mostly batch, steps and features (or one image without a batch).",
        4: "With four axes these are batch, channels, height and width, in the framework's order.",
        5: "With five axes these are batch, channels, depth (or time), height and width, in the framework's order.",
    }
    return layouts.get(max(ranks), "") if ranks else ""


def _of_ranks(pasted: Pasted, ranks: list[int], got: int | None, given: Shape | None, text: str) -> Iterator[Evidence]:
    if "element" in facts.word(pasted, "expected"):
        yield NOT_REDUCED.since("the message asks for a single number", NUMBERS)
        if facts.word(pasted, "op") == "item":
            several = "the message asks for a single number: with a batch of one, or on one device, there was one"
            yield causes.LAST_BATCH.since(several, COMMON)
            yield causes.SPLIT_BATCH.since(several, COMMON - 0.02)
        yield causes.LOST_AXIS.since("a common cause of this error", RARE)
        return
    images = any(word in text for word in NORMS_AND_CONVS)
    if given is not None and 0 in given[1:]:
        yield causes.TOO_SMALL.since(f"{shaped(given)} has an axis of 0", NUMBERS)
        yield causes.NOTHING_LEFT.since(f"{shaped(given)} has an axis of 0", FITS)
    if facts.word(pasted, "op") == "the weight of a convolution" and ranks and got == max(ranks) + 1:
        path = f"the code for an input of {max(ranks)} axes was taken, and the weight is of a layer for {got}"
        yield causes.MISSING_BATCH.since(path, FITS + 0.14)
        yield causes.LOST_AXIS.since(f"{path}: no axis of time or depth came", FITS + 0.12)
        yield OTHER_CLASS.since(path, FITS, got=max(ranks), fitting=FITTING[max(ranks)])
        return
    if facts.word(pasted, "op") == "unpacking" and len(ranks) == 1:
        yield from _of_unpacking(ranks[0], got, pasted)
        return
    if not ranks or got is None:
        common = "a common cause of this error; the message does not tell both ranks"
        yield causes.MISSING_BATCH.since(common, COMMON + 0.02)
        yield causes.LOST_AXIS.since(common, COMMON)
        if "too many indices" in text and got == 1:
            bare = "one axis, where boxes, points or labels are taken apart by columns"
            yield FLAT_LIST.since(bare, COMMON + 0.01)
        if "too many indices" in text:
            handed = f"{common}: an option or a release makes a call return something else"
            yield causes.OTHER_VALUE.since(handed, COMMON - 0.02)
        else:
            yield causes.EXTRA_AXIS.since(common, COMMON - 0.05)
            yield causes.OTHER_VALUE.since(common, COMMON - 0.07)
        return
    if got < min(ranks):
        either = "batched" not in facts.word(pasted, "expected")
        wanted = min(ranks) if _minimum(pasted) or either else max(ranks)
        yield from _too_few(pasted, wanted, got, given, text)
    elif got > max(ranks):
        yield from _too_many(max(ranks), got, given, images, pasted.reading.framework)
        if given is not None and max(ranks) == 3 and _are_embedded_rows(given):
            rows = f"{shaped(given)}: {given[2]} rows for each step, as many as a vocabulary has words"
            yield ROWS_EMBEDDED.since(rows, FITS + 0.14)
        if max(ranks) == 3 and any(word in text for word in RECURRENT):
            declared = pasted.reading.framework != "torch"
            yield from _of_map_into_steps(given, f"{got} axes where a layer of sequences takes 3", declared)
        if ranks == [2] and "matmul" in text:
            several = f"{got} axes, where `matmul` (of old releases, or of two given ranks) takes two matrices"
            yield STACK_OF_MATRICES.since(several, FITS + 0.02)
        if any(word in text for word in OF_ONE_IMAGE) and got == max(ranks) + 1:
            yield ONE_AT_A_TIME.since("its name is that of a function for one image", NUMBERS)
        yield from _of_filter(facts.shapes(pasted, "inputs"), got)
    else:
        yield causes.LOST_AXIS.since(f"{got} axes lie between those that are taken", COMMON)
        yield causes.EXTRA_AXIS.since(f"{got} axes lie between those that are taken", COMMON)
    yield causes.OTHER_RELEASE.since("no number speaks for it; what ran with one release is refused by another", RARE)
    yield causes.OTHER_VALUE.since("no number speaks for it; a value of another rank may be another value", RARE)
    fitting = got in FITTING and (got != 2 or "norm" in text or "bn" in text)  # of the 1d classes, norms alone
    if images and fitting and got is not None and "dense" not in text:
        typed = (
            "norm" in text
            or "bn" in text
            or "weight" in text
            or (given is not None and given[1:2] == (3,) and got == 4)
        )
        pooled = "pool" in text and abs(got - max(ranks)) == 1 and pasted.reading.framework == "keras"
        weight = FITS + 0.22 if pooled else FITS + 0.1 if typed and got != max(ranks) - 1 else FITS if typed else RARE
        if got > max(ranks) and not typed and not pooled:
            weight = COMMON + 0.02
        seen = f"{got} axes are what the {FITTING[got]} class takes"
        yield OTHER_CLASS.since(seen, weight, got=got, fitting=FITTING[got])


def _of_unpacking(named: int, got: int | None, pasted: Pasted) -> Iterator[Evidence]:
    """A shape is taken apart into names, and has more axes than these (`got` is not told then, mostly) or fewer."""
    sides = pasted.raises("h, w", "w, h", "height", "width", "rows", "cols")
    if got is None or got > named:
        seen = f"more axes come than the {named} that are named"
        yield causes.EXTRA_AXIS.since(seen, FITS + 0.06)
        if named == 2:
            yield causes.COLOUR.since(f"{seen}: a grey image has two axes, one with colours three", FITS + 0.08 * sides)
        elif named == 3:
            image = f"{seen}: one image has three axes, a batch of them four"
            yield ONE_AT_A_TIME.since(image, FITS + 0.1 * sides)
            yield NOT_FLATTENED_TO_STEPS.since(f"{seen}: (batch, steps, features)", COMMON if sides else FITS + 0.02)
        else:
            yield NOT_FOLDED.since(f"{seen}: frames or patches beside the batch", FITS)
        yield causes.OTHER_VALUE.since(seen, COMMON)
        yield causes.OTHER_RELEASE.since(seen, RARE)
        return
    seen = f"{named} axes are named, and {of_rank(got)} come"
    if (named, got) == (3, 2):
        grey = f"{seen}: an image without its channels, as greyscale ones are read"
        yield causes.MISSING_CHANNELS.since(grey, FITS + 0.15 if sides else FITS - 0.02)
    elif (named, got) == (4, 3):
        yield causes.MISSING_CHANNELS.since(f"{seen}: greyscale images without a channel", FITS - 0.05)
        tokens = f"{seen}: (batch, tokens, features) where a map is taken apart"
        yield causes.OTHER_VALUE.since(tokens, COMMON + 0.02)
    elif (named, got) == (4, 2):
        yield ALREADY_FLAT.since(f"{seen}: (batch, features) where a map is taken apart", FITS + 0.02)
    elif named == 5:
        yield NO_TIME.since(f"{seen}: single images where clips or volumes are expected", FITS + 0.02)
    if got == 0:
        yield causes.OTHER_VALUE.since(f"{seen}: a single number or object", FITS)
    yield causes.MISSING_BATCH.since(f"{seen}: one sample without its batch", FITS if got else RARE)
    yield causes.LOST_AXIS.since(seen, COMMON + 0.04)
    yield causes.OTHER_VALUE.since(seen, COMMON)
    yield causes.OTHER_RELEASE.since(seen, RARE)


def _of_filter(inputs: tuple[Shape, ...], got: int) -> Iterator[Evidence]:
    """The second input looks like the filter of a convolution, height, width, inputs and outputs, and is refused."""
    if len(inputs) < 2 or len(inputs[1]) != got or got != 4 or None in inputs[1]:
        return
    height, width, taken, _ = inputs[1]
    if height == width and (height or 0) <= 11 < (taken or 0) and inputs[0][-1:] == (taken,):
        seen = f"{shaped(inputs[1])} is the filter of a convolution over {taken} channels"
        yield OTHER_OPERATION.since(seen, FITS + 0.12)


def _too_few(pasted: Pasted, wanted: int, got: int, given: Shape | None, text: str) -> Iterator[Evidence]:
    seen = f"{wanted - got} axis too few" if wanted - got == 1 else f"{wanted - got} axes too few"
    recurrent = any(word in text for word in (*RECURRENT, *OVER_STEPS, "attention", "time"))
    unnamed = pasted.reading.framework == "keras" and not facts.word(pasted, "layer", "layer_type", "op")
    whole = unnamed or any(word in text for word in ("sequential", "functional", "model"))
    if given is not None and len(given) == 2 and wanted >= 4 and "input" in text:
        yield from _of_rows(given, seen)
    layer = text.split("input 0")[0] if "input 0" in text else text
    if "candidatesampler" in text and got == 1:
        yield NO_TRUE_CLASSES.since(f"{seen}: a sampler of classes takes a row of true ones for each sample", NUMBERS)
    if given is not None and len(given) == 2 and wanted >= 4 and given[1] == 1:
        yield OBJECTS.since(f"{shaped(given)}: one entry per sample", NUMBERS)
    if wanted == 5 and got == 4 and given is not None and _has_no_channels(given, pasted.reading.framework):
        volumes = f"{seen}: {shaped(given)} reads as volumes without an axis of channels"
        yield causes.MISSING_CHANNELS.since(volumes, FITS + 0.08)
    if got == 1 and wanted == 3 and any(word in text for word in RECURRENT):
        scalars = f"{seen}: each sample is a single number"
        yield NO_TIME.since(scalars, FITS + 0.04)
        yield NO_FEATURES.since(scalars, FITS - 0.02)
    if got == 2 and wanted == 4 and any(word in layer for word in ENLARGING):
        latent = f"{seen}: what enlarges maps comes behind a dense layer in generators and decoders"
        yield NO_RESHAPE.since(latent, FITS + 0.12)
    elif got == 2 and wanted == 4 and not whole and given is not None and given[0] is None:
        yield NO_RESHAPE.since(f"{seen}: (batch, features) where maps are taken", COMMON + 0.02)
    declared = given is not None and given[0] is None and pasted.reading.framework == "keras"
    if declared and given is not None and "conv" in layer and wanted >= 4 and got == 2 and _may_be_a_side(given[1]):
        side = f"{seen}: {given[1]} reads as the side of an image, as a list that is taken apart leaves it"
        yield ONE_NUMBER.since(side, FITS + 0.06)
    if got == 1 and wanted == 2 and pasted.reading.framework == "keras":
        yield NO_FEATURES.since(f"{seen}: each sample is a single number, (batch,)", FITS + 0.02)
    if got == 2 and wanted >= 3 and not recurrent:
        flat = f"{seen}: (batch, features) is what a flattening or a dense layer gives"
        yield ALREADY_FLAT.since(flat, FITS - 0.02 if unnamed else RARE if whole else FITS + 0.05)
    if got == 2 and wanted == 3 and whole:
        yield NO_TIME.since(f"{seen}: what a model of sequences is fed has steps and features", FITS + 0.06)
    if wanted - got == 1:
        colours = given is not None and len(given) >= 3 and _has_colours(given, pasted.reading.framework)
        if given is not None and wanted == 4 and got == 3 and not colours:
            square = len(given) == 3 and (given[1] == given[2] or given[0] in (None, 1))
            stack = f"{seen}: {shaped(given)} reads as a batch of maps without channels"
            yield causes.MISSING_CHANNELS.since(stack, NUMBERS if square else FITS)
            yield causes.MISSING_BATCH.since(seen, FITS - 0.05)
            weight = facts.shape(pasted, "weight")
            if weight is not None and len(weight) == 4 and given[0] != weight[1] == given[1]:
                squeezed = f"{seen}: the {weight[1]} channels that the layer takes stand behind another axis in "
                yield causes.LOST_AXIS.since(f"{squeezed}{shaped(given)}, so a side is gone", FITS + 0.03)
        elif colours and wanted == 4:
            image = f"{seen}, and {shaped(given)} reads as one image with its channels"
            yield causes.MISSING_BATCH.since(image, COMMON if declared else NUMBERS)
            if declared and given is not None:
                signal = f"{seen}: {shaped(given)} has its batch, and reads as steps with {given[-1]} channels"
                yield OTHER_CLASS.since(signal, FITS + 0.04, got=got, fitting=FITTING[got])
        elif recurrent and got == 2:
            symbolic = given is None or given[0] is None
            steps = f"{seen}: (batch, features) without steps"
            likely = FITS + 0.04 if any(word in text for word in OVER_STEPS) else NUMBERS + 0.02
            yield causes.LAST_STEP_ONLY.since(steps, likely if symbolic else FITS + 0.1)
            yield NO_TIME.since(steps, NUMBERS)
            yield causes.MISSING_BATCH.since(f"{seen}: (steps, features) without a batch", FITS)
        else:
            likely = FITS if got else RARE if given is None else COMMON
            yield causes.MISSING_BATCH.since(f"{seen}: one sample without its batch", likely)
            if wanted == 4:
                yield causes.MISSING_CHANNELS.since(f"{seen}: greyscale images without a channel", FITS - 0.05)
                if given is None and "conv2d" in text:
                    backend = f"{seen}: layers that are built so in one release or backend are refused in another"
                    yield causes.OTHER_RELEASE.since(backend, COMMON + 0.01)
            if wanted == 5 and any(word in text for word in RECURRENT):
                last = f"{seen}: without steps, as a recurrent layer of maps gives its last one"
                yield causes.LAST_STEP_ONLY.since(last, FITS + 0.03)
            if wanted == 5:
                single = f"{seen}: single images where clips or volumes are expected"
                yield NO_TIME.since(single, NUMBERS if _are_images(given) else COMMON + 0.05)
    else:
        yield causes.MISSING_BATCH.since(f"{seen}; batch and channels may both be missing", COMMON)
        if wanted >= 4:
            yield causes.MISSING_CHANNELS.since(f"{seen}; batch and channels may both be missing", COMMON - 0.05)
    if "got array with shape" in text:
        yield DECLARED_MORE.since(f"{seen}, or one too many in the declaration", COMMON + 0.05)
    elif "cannot set tensor" in text:
        yield OTHER_FEED.since(f"{seen}: a converted model may have its inputs in another order", FITS - 0.02)
    yield causes.LOST_AXIS.since(seen, COMMON)
    if recurrent and got == 2:
        yield NO_TIME.since(seen, FITS)


def _are_embedded_rows(given: Shape) -> bool:
    """Whether (batch, steps, words, features) has as many words as a vocabulary, and features for each."""
    return len(given) == 4 and sizes.is_less(LEAST_WORDS, given[2]) and sizes.is_less(15, given[3])


def _may_be_a_side(size: Size) -> bool:
    """Whether a size is that of an image sooner than a number of features."""
    return size is not None and 32 <= size <= 1024 and not sizes.is_width(size)


OVER_STEPS = ("conv1d", "convolution1d")
ENLARGING = ("up_sampling", "upsampling", "transpose", "deconv", "resizing")
RECURRENT = ("lstm", "lst_m", "gru", "rnn", "recurrent", "bidirectional")


def _are_images(given: Shape | None) -> bool:
    """Whether it reads as (images, channels, height, width)."""
    if given is None or len(given) != 4 or given[1] not in (1, 3, 4):
        return False
    return all(side is None or side >= 16 for side in given[2:])


def _has_no_channels(given: Shape, framework: str) -> bool:
    """Whether (batch, depth, height, width) has three sides, as far as its last or second axis tells."""
    side = given[-1] if framework in roles.CHANNELS_LAST_FRAMEWORKS else given[1]
    return side is not None and side >= 16


def _has_colours(given: Shape, framework: str) -> bool:
    """Whether one image stands there with its channels. Where they are last, an axis of 1 in front is a batch."""
    first = given[0] in ((3, 4) if framework in roles.CHANNELS_LAST_FRAMEWORKS else (1, 3, 4))
    return first or given[-1] in (1, 3, 4)


def _of_channels(weight: Shape | None, given: Shape | None) -> Iterator[Evidence]:
    """What a convolution's weight, (outputs, inputs, ...), tells of a value with one axis fewer."""
    if weight is None or given is None or len(weight) < 3 or weight[1] is None:
        return
    if len(given) == len(weight) + 1:
        joined = [at for at in range(1, len(given) - 1) if sizes.product(given[at : at + 2]) == weight[1]]
        if joined and 1 not in given[joined[0] : joined[0] + 2]:
            pair = f"axes {joined[0]} and {joined[0] + 1} of {shaped(given)} make the {weight[1]} channels together"
            yield causes.EXTRA_AXIS.since(f"{pair}: frames that were to be stacked on the channel axis", NUMBERS)
    if len(given) != len(weight) - 1:
        return
    if given[0] == weight[1] != 1:
        seen = f"{shaped(given)} begins with the {weight[1]} channels that the layer takes"
        yield causes.MISSING_BATCH.since(seen, NUMBERS + 0.02)
    channels, taken = given[1], weight[1]
    frames = sizes.ratio(channels, taken) if channels and 1 < taken < channels else None
    if frames and frames <= MOST_FRAMES and given[0] != taken:
        seen = f"{channels} channels are {frames} times the {taken} of the layer: frames beside each other"
        yield causes.STACKED_INPUT.since(seen, NUMBERS, a=channels, b=taken)
    elif taken not in given and not _are_images(given):
        seen = f"no axis of {shaped(given)} has the {taken} channels of the layer: a batch without that axis"
        yield causes.MISSING_CHANNELS.since(seen, NUMBERS - 0.03)


def _of_map_into_steps(given: Shape | None, seen: str, declared: bool) -> Iterator[Evidence]:
    if given is not None and 1 in given[1:]:
        yield NOT_FLATTENED_TO_STEPS.since(f"{seen}: {shaped(given)}", COMMON)
        return
    shape = f": {shaped(given)}" if given is not None else ""
    yield NOT_FLATTENED_TO_STEPS.since(f"{seen}{shape}, as a convolution gives a map", FITS + 0.06)
    if declared:
        yield DECLARED_MORE.since(f"{seen}: the batch may be counted in the declared shape", FITS + 0.02)
    yield causes.EXTRA_AXIS.since(f"{seen}: a batch added twice", COMMON + 0.08 if declared else FITS + 0.02)


MOST_FRAMES = 64
"""More are seldom stacked on the channel axis; it then is a side, and the axis of the channels is missing."""


def _of_rows(given: Shape, seen: str) -> Iterator[Evidence]:
    """A table is fed where images are expected."""
    if 0 in given:
        yield NOTHING_READ.since(f"{shaped(given)} holds nothing", NUMBERS + 0.05)
    elif given[1] == 1:
        yield OBJECTS.since(f"{shaped(given)}: one entry per sample", NUMBERS)
    else:
        # a power of two from 256 on is no image's width times height times channels, but a layer's
        pixels = any(sizes.root((given[1] or 0) // colours) for colours in (1, 3) if (given[1] or 0) % colours == 0)
        yield FLAT_ROWS.since(f"{seen}: {given[1]} values in each row", FITS + 0.1 if pixels else COMMON + 0.1)


NOTHING_READ = Cause(
    "no image was read: the path or the pattern of the files matches none, or all were filtered out",
    "Check the path, and print the number of files that are found.",
    "Print the shape of the data after loading.",
)
FLAT_ROWS = Cause(
    "each image is one flat row",
    "Give the rows the shape of an image before they are fed.",
    "Print the shape of the data after loading.",
    {"keras": "x = x.reshape(-1, 28, 28, 1)"},
)


def _ends_with_colours(given: Shape, wanted: int) -> bool:
    """Whether maps (N, C, H, H) have their colours a second time, behind their sides."""
    return len(given) == wanted + 1 == 5 and given[-1] in (3, 4) and given[2] == given[3] != given[-1]


def _too_many(wanted: int, got: int, given: Shape | None, images: bool, framework: str) -> Iterator[Evidence]:
    seen = f"{got - wanted} axis too many" if got - wanted == 1 else f"{got - wanted} axes too many"
    ones = given is not None and 1 in given
    if wanted == 0:
        single = given is not None and sizes.count(given) == 1
        yield ONE_ENTRY.since(f"{shaped(given)} where no axis is expected", NUMBERS if single else COMMON)
        yield NOT_REDUCED.since(f"{shaped(given)} where no axis is expected", COMMON if single else FITS + 0.1)
    if images or wanted >= 3:
        # an axis of 1 is taken off rather than folded: the other cause says that
        folded = RARE if ones else FITS
        yield NOT_FOLDED.since(f"{seen}{': ' + shaped(given) if given is not None else ''}", folded)
        bare = given is None and framework == "torch"  # a summary is of images, and the message shows them
        yield DECLARED_MORE.since(seen, FITS - 0.05 if images and not bare else RARE)
    if framework == "keras" and (wanted, got) == (2, 3):
        yield DECLARED_MORE.since(f"{seen}: of ids or rows, a sample has one axis", COMMON - 0.02)
    if given is not None and given[:2] == (None, None) and got == wanted + 1:
        open_ones = f"{seen}, and two axes of {shaped(given)} are open: `Input` puts the batch in front by itself"
        yield DECLARED_MORE.since(open_ones, FITS + 0.12)
    if given is not None and framework == "torch" and _ends_with_colours(given, wanted):
        coloured = f"{seen}: {shaped(given)} ends with an axis of colours behind height and width"
        yield causes.EXTRA_AXIS.since(coloured, FITS + 0.1)
        yield causes.MASK_CHANNELS.since(coloured, FITS - 0.05)
    if given is not None and given.count(None) >= 3 and got == wanted + 1:
        generated = f"{seen}, and all but one are open, as of what a generator gives: one may be added there twice"
        yield causes.EXTRA_AXIS.since(generated, FITS + 0.03)
    if wanted <= 3 and got >= 3:
        yield causes.NOT_POOLED.since(
            f"{seen}: a map or a sequence where features are expected", FITS if wanted <= 2 else COMMON
        )
    extra = f"{seen}, and {shaped(given)} has an axis of 1" if ones else seen
    left = f"{seen}: a last axis that a layer before left, of 1 mostly, and nothing squeezed"
    if images and given is None and framework == "torch":
        yield causes.EXTRA_AXIS.since(left, FITS - 0.06)
    yield causes.EXTRA_AXIS.since(extra, FITS + 0.05 if ones else COMMON - 0.05)
