"""What the shapes of an output and of its target tell, where they have to be one or to differ by the classes alone."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence
from shapewatch.messages.faults.wording import shaped
from shapewatch.recording import Shape, Size

SQUEEZED_BATCH = Cause(
    "a batch of one lost its batch axis: a `squeeze()` without an axis takes that one as well",
    "Name the axis: `squeeze(1)` (or `squeeze(-1)`).",
    "Try it with a batch of one.",
    {"torch": "output = output.squeeze(-1)    # in place of output.squeeze()"},
)

OTHER_MAP = Cause(
    "the output map and the label map have different heights or widths: the network's output is smaller (its "
    "stride), or images and masks were resized differently",
    "Bring the output to the mask's size before the loss, or resize both alike.",
    "Print both shapes.",
    {"torch": 'output = F.interpolate(output, size=target.shape[-2:], mode="bilinear")'},
)

MAP_LEFT = Cause(
    "the network (a discriminator, mostly) was built for images of another size than it is given, so that a map of "
    "values is left for each sample where its last layer was to leave one",
    "Give it images of the size it was built for (`--imageSize`, `Resize`), add or drop a stage with a stride, or pool "
    "the output to one value; if it is to judge each patch, give labels of the output's own shape.",
    "Print the output's shape before it is flattened.",
    {"torch": "target = torch.ones_like(output)    # or output.mean(dim=(2, 3)), one value for each sample"},
)

OF_SOME_IMAGES = Cause(
    "one side has the places (anchors, points, pixels) of one image, and the other those of all images of the batch: "
    "targets or outputs of the others were not collected (a loop that ends early, an image that is skipped), or the "
    "batch was lost by an index or a reshape",
    "Join what belongs to all images of the batch on both sides.",
    "Print both shapes before they are flattened, and divide both sizes by the places of one image.",
)

OUTER_PRODUCT = Cause(
    "a product (`Dot`, `matmul`, `einsum`) made a table of all against all where one number was meant: it runs over "
    "an axis of 1 that is kept, or over the wrong axis",
    "Let it run over the features, and flatten what has an axis of 1 too many before it.",
    "Print the shapes of its operands.",
    {"keras": "score = layers.Dot(axes=1)([layers.Flatten()(a), layers.Flatten()(b)])"},
)

LIST_OF_LABELS = Cause(
    "the labels came as a plain list, or as single numbers, which were taken for several targets or for a scalar",
    "Turn them into one array with the shape of the output: `np.array(labels)`, with a last axis where the output "
    "has one.",
    "Print the type and shape of the labels.",
    {"keras": "y = np.array(y).reshape(-1, 1)", "tensorflow": "y = tf.reshape(y, [-1, 1])"},
)

CLASSES_FIRST = Cause(
    "the classes stand on another axis of the output than the loss looks at: torch takes (N, classes, ...), Keras "
    "(N, ..., classes)",
    "Move the class axis to its place.",
    "Print the output's shape, and find the number of classes in it.",
    {"torch": "loss = F.cross_entropy(output.permute(0, 2, 1), target)    # (N, L, C) to (N, C, L)"},
)

WRONG_FLATTEN = Cause(
    "output and target were flattened (or shifted, filtered, cut) differently, so that their rows no longer belong "
    "together",
    "Keep the class axis and flatten all the others alike: `output.reshape(-1, classes)`, `target.reshape(-1)`.",
    "Print both shapes before they are flattened.",
    {"torch": "loss = F.cross_entropy(output.reshape(-1, output.size(-1)), target.reshape(-1))"},
)

OTHER_NUMBER_OF_LABELS = Cause(
    "each sample has several labels ({times} classes, tags or steps), and the model or the loss was set up for another "
    "number of them (`num_labels`, often read from an empty or wrong list of labels), so that a `view(-1, num_labels)` "
    "makes rows of them",
    "Build the model with as many outputs as a sample has labels ({times}).",
    "Print the number of labels that the model was built with, and a sample's labels.",
)

MASK_OF_ONE = Cause(
    "the mask keeps a channel axis of 1, (N, 1, H, W) in place of (N, H, W): one number for the class of each pixel, "
    "where the output has a channel for each class",
    "Take the axis off before a loss of class indices; make the mask one-hot for a loss that compares every channel.",
    "Print the mask's shape.",
    {"torch": "loss = criterion(output, target.squeeze(1).long())"},
)

WITHOUT_BATCH = Cause(
    "the target has no batch axis: the labels or the mask of one sample come as the data set gives them (it is not "
    "batched, or they were indexed with [0], or squeezed), so that their own first axis (height, length), if there is "
    "one, is counted as the batch",
    "Batch the data set (`batch`, `padded_batch`), or add the axis in front of the target.",
    "Print the shapes of output and target.",
    {"torch": "target = target.unsqueeze(0)", "tensorflow": "target = tf.expand_dims(target, 0)"},
)

ONE_HOT_TWICE = Cause(
    "labels that are one-hot already are made one-hot again",
    "Convert class numbers once: leave out the second `to_categorical` (`one_hot`).",
    "Print a label before it is converted.",
)

NOT_THE_LABELS = Cause(
    "another array than the labels is given as the target: the inputs themselves, or both arrays in the wrong order",
    "Pass the labels second: `fit(x, y)`; see which slice each name was given.",
    "Print the shape of what is passed as labels.",
)

BINARY_OUTPUT = Cause(
    "the last layer's number of outputs does not belong to this loss: one output is for binary labels (sigmoid) or a "
    "number that is predicted, one for each class (softmax) for one-hot or sparse labels",
    "Give the last layer as many outputs as the labels have columns, and choose the loss that goes with them.",
    "Print the last layer and a few labels.",
)

OTHER_COLUMNS_OUT = Cause(
    "the target holds more (or fewer) quantities than the model predicts: a label column too many, another data set",
    "Select the columns that are predicted, or give the last layer as many outputs.",
    "Print a row of the target.",
)


NAMED_METRIC = Cause(
    "the metric (or loss) of a short name, `accuracy`, is chosen by the shapes of labels and output, and flattens one "
    "of them only: a sparse one for one-hot labels, or the other way round",
    "Name the metric that is meant (`sparse_categorical_accuracy`, `categorical_accuracy`, `binary_accuracy`), or "
    "leave it out to see whether it is that.",
    "Compile without metrics, and print the shapes of labels and output.",
    {"keras": 'model.compile(loss=loss, metrics=["sparse_categorical_accuracy"])'},
)
NO_LABELS = Cause(
    "there are no labels: the list of label columns, classes, boxes or files is empty or was not given, every row was "
    "filtered out (an image without objects), or one device got an output and no labels",
    "See which batch it is; give the option that names the labels; leave empty batches out; try one device.",
    "Print both lengths for each step and device.",
)


def left_over(output: Size, target: Size, seen: str) -> Iterator[Evidence]:
    """A square number of values for each that the target has."""
    side = sizes.root(output // target) if output and target and output % target == 0 else None
    if side is not None and side > 1:
        yield MAP_LEFT.since(f"{seen}: {side} x {side} values for each of the target's", FITS + 0.08)


NO_OUTPUT = Cause(
    "there is no output: the input was empty, nothing was detected or chosen (a mask, a threshold, a filter left no "
    "row), or the model was built for no classes at all",
    "Leave such samples out of the loss, or give the model the list of classes; see where the rows are lost.",
    "Print the input's shape, and the output's after each stage.",
)


def of_pair(output: Shape, target: Shape) -> Iterator[Evidence]:
    seen = f"output {shaped(output)}, target {shaped(target)}"
    if 0 in target and 0 not in output:
        yield NO_LABELS.since(f"{seen}: the target holds nothing", NUMBERS + 0.04)
    elif 0 in output:
        yield NO_OUTPUT.since(f"{seen}: the output holds nothing", NUMBERS + 0.04)
    if not output:
        yield SQUEEZED_BATCH.since(f"{seen}: the output has no axis at all", NUMBERS)
        yield causes.LOST_AXIS.since(f"{seen}: the output has no axis at all", FITS)
    elif not target:
        yield LIST_OF_LABELS.since(f"{seen}: the target has no axis at all", NUMBERS)
        alone = f"{seen}: a data set that is not batched gives one label at a time"
        yield WITHOUT_BATCH.since(alone, NUMBERS + (0.02 if output[0] is None else -0.02))
        yield causes.LOST_AXIS.since(f"{seen}: the target has no axis at all", FITS)
    if len(output) != len(target):
        yield from _of_other_rank(output, target, seen)
    else:
        apart = sizes.apart(output, target)
        parted = {axis for axis, _, _ in apart}
        maps = {1, 2} <= parted and output[-1] == target[-1]  # the classes stand last
        last = len(output) - 1
        both = last >= 3 and {last - 1, last} <= parted and output[1] == target[1]  # the classes stand on axis 1
        squares = len(output) == 3 and parted == {1, 2} and output[1] == output[2] and target[1] == target[2]
        if squares:  # (batch, height, width)
            yield OTHER_MAP.since(f"{seen}: squares of other sides", NUMBERS + 0.02)
            apart = []
        for axis, a, b in apart:
            side = (maps and axis == 1) or (both and axis == last)
            yield from _of_entry(2 if side else axis, a, b, len(output), seen)
        if sizes.is_reordered(output, target):
            yield causes.SWAPPED.since(f"{seen}: the same sizes in another order", NUMBERS)
            yield causes.CHANNELS_LAST.since(
                f"{seen}: the same sizes in another order", FITS if len(output) >= 4 else RARE
            )
    if len(output) == len(target) == 2 and target[0] == 1 and target[1] == output[0] and (output[0] or 0) > 1:
        numbers = f"{seen}: one number for each of the {output[0]} rows, as class indices are"
        yield causes.ONE_HOT.since(numbers, SAID - 0.05)
    yield from _of_flat(output, target, seen)
    if len(target) == 2 and target[0] == target[1] and (target[0] or 0) > 1 and output in (target[:1], (target[0], 1)):
        table = f"{seen}: each of {target[0]} samples against each other, as (N, 1) and (N,) make together"
        yield causes.TRAILING_ONE.since(table, NUMBERS)
    places = sizes.count(target[1:])
    if len(output) == len(target) >= 3 and places is not None and places == output[1]:
        flat = f"{seen}: the output counts {places} places on one axis, and the target keeps height and width"
        yield WRONG_FLATTEN.since(flat, NUMBERS + 0.06)
        yield causes.ONE_HOT.since(f"{flat}, without an axis of classes", NUMBERS + 0.02)
    yield WRONG_FLATTEN.since(seen, COMMON - 0.05)
    yield causes.NOT_POOLED.since(seen, RARE)
    yield causes.ONE_HOT.since(seen, RARE + 0.02)


def _of_flat(output: Shape, target: Shape, seen: str) -> Iterator[Evidence]:
    """One of the two has several axes of the other as one, as of an image that goes through dense layers."""
    short, long = sorted((output, target), key=len)
    if len(short) >= 1 and len(sizes.squeezed(long)) > len(short) and sizes.is_merged(short, long):
        flat = f"{seen}: {shaped(short)} is {shaped(long)} with neighbouring axes made one"
        yield causes.ONE_FLATTENED.since(flat, NUMBERS + 0.04)


def _of_other_rank(output: Shape, target: Shape, seen: str) -> Iterator[Evidence]:
    short, long = sorted((output, target), key=len)
    if sizes.squeezed(short) == sizes.squeezed(long) or _alike(sizes.squeezed(short), sizes.squeezed(long)):
        if long[-1] == 1 and len(short) > 0:
            yield causes.TRAILING_ONE.since(f"{seen}: they differ in a last axis of 1", SAID - 0.05)
        if long and long[0] == 1 and short and short[0] != 1:
            yield SQUEEZED_BATCH.since(f"{seen}: they differ in a first axis of 1", NUMBERS + 0.05)
            yield causes.LAST_BATCH.since(f"{seen}: a batch of one", COMMON)
        yield causes.EXTRA_AXIS.since(
            f"{seen}: they differ in axes of 1 only", FITS + 0.08 if long[-1] != 1 else FITS - 0.05
        )
        yield causes.LOST_AXIS.since(f"{seen}: they differ in axes of 1 only", COMMON)
    if (
        len(output) >= 4
        and len(target) == len(output) - 1
        and _alike(target, (output[0], *output[2:]))
        and output[1] == 1
    ):
        one = f"{seen}: the output has one channel, and the target no axis for it"
        yield causes.MISSING_CHANNELS.since(one, NUMBERS)
    if len(target) >= 1 and output[:1] == (1,) and output[1:] == target:
        alone = f"{seen}: the target is the output without its batch of one"
        yield WITHOUT_BATCH.since(alone, NUMBERS + 0.02)
    if len(output) >= 3 and len(target) <= 2:
        surplus = len(output) - len(target)
        more = f"{seen}: the output still has {surplus} {'axis' if surplus == 1 else 'axes'} more"
        maps = len(output) >= 4 or None in output[1:-1]
        yield causes.NOT_POOLED.since(more, NUMBERS if maps else FITS + 0.06)
    if len(target) <= 2 and len(output) == 3 and output[1] == output[2] not in (None, 1):
        table = f"{seen}: {output[1]} x {output[2]} values for each sample"
        if len(target) == 1:
            yield MAP_LEFT.since(f"{table}, as a map has them", FITS + 0.12)
        yield OUTER_PRODUCT.since(f"{table}, as many one way as the other", FITS)
    if len(target) <= 2 and len(output) == 4 and output[1] == 1:
        patches = f"{seen}: a map of scores for each sample, and one label"
        yield MAP_LEFT.since(patches, FITS + 0.12)
    flat = sizes.squeezed(output) == sizes.squeezed(target) or sizes.is_merged(output, target)
    if len(target) >= 3 and 1 <= len(output) <= 2 and not flat:
        places = f"{seen}: the target has places or steps that the output lacks"
        yield OUTPUT_IS_FLAT.since(places, FITS + 0.05)
    if len(target) <= 2 and _are_images(output):
        given = f"{seen}: the output has the shape of images, and the target a row for each"
        yield LABELS_FOR_IMAGES.since(given, FITS + 0.08)
    yield from _of_label_map(output, target, seen)
    per_sample = len(short) == 1 and len(long) >= 3 and short[0] not in (None, 1) and short[0] == long[0]
    if per_sample:
        weights = f"{seen}: a value for each sample, as weights or a reduced loss, meets values for each place"
        yield causes.LOST_AXIS.since(weights, NUMBERS)
    elif len(target) > len(output) and target[-1] in (3, 4) and len(target) >= 3:
        images = len(output) <= 2 and len(target) >= 4
        if images:
            inputs = f"{seen}: the target has the shape of a batch of images, the output a row for each"
            yield NOT_THE_LABELS.since(inputs, NUMBERS)
        coloured = f"{seen}: the target ends with {target[-1]}, as colour images do"
        yield causes.MASK_CHANNELS.since(coloured, FITS if images else NUMBERS)
    if output and len(target) == len(output) + 1 and target[-1] == target[-2] == output[-1] and (target[-1] or 0) > 1:
        twice = f"{seen}: the axis of the {target[-1]} classes stands there twice"
        yield ONE_HOT_TWICE.since(twice, NUMBERS)
    side = sizes.root(output[-1]) if len(output) == 2 and len(target) == 1 else None
    if side is not None and side >= 3:
        # 169 is 13 x 13: scores of patches; 100 classes are a square too
        map_of = f"{seen}: {output[-1]} = {side} x {side} may be a map, one value for each place"
        yield causes.NOT_POOLED.since(map_of, FITS + 0.06)
        yield causes.OTHER_INPUT_SIZE.since(f"{map_of}, of a larger input", FITS)
        yield causes.ONE_HOT.since(f"{seen}: one has an axis of classes, the other has indices", FITS + 0.08)
    elif len(short) == 1 and len(long) == 2 and 1 not in long:
        yield causes.ONE_HOT.since(f"{seen}: one has an axis of classes, the other has indices", NUMBERS)
    elif abs(len(short) - len(long)) == 1:
        yield causes.ONE_HOT.since(f"{seen}: one axis more, as one-hot labels have", FITS - 0.05)
    if output[-1:] == (2,) and output[:-1] == target and len(target) <= 2:
        two = f"{seen}: two outputs, as for two classes, against one label"
        yield BINARY_OUTPUT.since(two, FITS + 0.06)
    yield causes.TRAILING_ONE.since(seen, FITS if 1 in (*output[-1:], *target[-1:]) else RARE)


OUTPUT_IS_FLAT = Cause(
    "the model flattens or pools what the target has place by place, or gives its last step alone: it ends as a "
    "classifier does, and the target is an image, a map or a sequence",
    "End the model with layers that keep the places (a 1x1 convolution, an upsampling, a dense layer on each step), or "
    "give one label for each sample.",
    "Compare the model's output shape with that of the target.",
)
LABELS_FOR_IMAGES = Cause(
    "labels of classes are given where images are to be compared: the model gives images (an autoencoder, a "
    "segmentation, a generator), and the data set gives one label for each",
    "Give the images (the inputs themselves, the masks) as targets: `class_mode='input'`, `fit(x, x)`; or end the "
    "model in a classifier.",
    "Print the shapes of one batch, inputs and targets.",
    {"keras": "model.fit(x, x)", "torch": "loss = criterion(model(x), x)"},
)


def _are_images(shape: Shape) -> bool:
    """A batch of maps with one or three channels, first or last, and sides of images."""
    if len(shape) != 4 or None in shape[1:]:
        return False
    sides = shape[1:3] if shape[-1] in (1, 3) else shape[2:]
    return 3 in (shape[1], shape[-1]) and min(side or 0 for side in sides) >= 28


def _of_label_map(output: Shape, target: Shape, seen: str) -> Iterator[Evidence]:
    """Class indices for a map: the output's shape without its classes, which stand on axis 1 or on the last."""
    if len(target) != len(output) - 1 or len(target) < 2:
        return
    places = [(output[0], *output[2:]), output[:-1]]
    if any(_alike(target, place) for place in places):
        return
    if all(len(sizes.apart(target, place)) >= 1 and (target[0] in (None, place[0])) for place in places):
        yield OTHER_MAP.since(f"{seen}: without its classes the output has other sides than the target", NUMBERS)


def _alike(short: Shape, long: Shape) -> bool:
    return len(short) == len(long) and not sizes.apart(short, long)


def of_axis(axis: int | None, a: int, b: int, seen: str) -> Iterator[Evidence]:
    """Output and target differ, and the message tells of one axis alone; the ranks are not known."""
    if axis == 0:
        yield causes.LAST_BATCH.since(seen, FITS + 0.05)
        yield WRONG_FLATTEN.since(seen, FITS)
        yield causes.TRAILING_ONE.since(f"{seen}, if one of them has an axis of 1 more", COMMON)
        return
    if axis in (2, 3):
        yield OTHER_MAP.since(seen, FITS + 0.1)
        yield causes.CHANNELS_LAST.since(seen, COMMON)
        return
    if {a, b} == {3, 4}:
        yield causes.ALPHA.since(f"{seen}: three colours against four, where a loss compares images", FITS + 0.02)
    yield causes.CLASS_COUNT.since(seen, FITS if 1 not in (a, b) else COMMON, output=a, target=b)
    yield causes.ONE_HOT.since(f"{seen}: class numbers (N,) are aligned with the classes of (N, classes)", FITS + 0.04)
    yield WRONG_FLATTEN.since(seen, COMMON)
    yield OTHER_MAP.since(seen, RARE)


LEAST_FEATURES = 256
"""Fewer may be classes as well."""


def _of_entry(axis: int, a: int, b: int, rank: int, seen: str) -> Iterator[Evidence]:
    where = f"{seen}: {a} against {b} on axis {axis}"
    if rank == 1:
        yield from left_over(a, b, where)
    if rank == 1 and max(a, b) > 1000:
        yield WRONG_FLATTEN.since(f"{where}: all entries in one axis", FITS + 0.05)
        if max(a, b) == 3 * min(a, b):
            yield causes.MASK_CHANNELS.since(f"{where}: one is three times the other, as with colours", NUMBERS)
        yield OTHER_MAP.since(f"{where}: flattened maps of other sides", FITS)
        yield causes.CLASS_COUNT.since(f"{where}: flattened with another number of classes", COMMON, output=a, target=b)
        return
    if rank == 1:
        yield causes.LAST_BATCH.since(f"{where}: one value for each sample", FITS)
        yield WRONG_FLATTEN.since(f"{where}: all entries in one axis", FITS + 0.01)
        if sizes.ratio(a, b) and 1 not in (a, b):
            yield causes.SPLIT_BATCH.since(f"{where}: one is {sizes.ratio(a, b)} times the other", COMMON)
        yield causes.CLASS_COUNT.since(f"{where}, if these are classes", COMMON + 0.05, output=a, target=b)
        yield causes.OTHER_LENGTH.since(f"{where}, if these are steps", COMMON - 0.02)
        return
    if axis == 0:
        places = min(a, b) >= LEAST_PLACES
        yield causes.LAST_BATCH.since(where, COMMON if places else FITS + 0.05)
        yield causes.SPLIT_BATCH.since(where, FITS if sizes.ratio(a, b) and 1 not in (a, b) else RARE)
        yield from of_some_images(a, b, where)
        if sizes.ratio(a, b) and a > b:
            several = f"{where}: a flatten with a fixed width makes several rows of one"
            yield causes.OTHER_INPUT_SIZE.since(several, FITS + 0.02)
            if (side := sizes.root(a // b)) is not None and side >= 3:
                yield causes.NOT_POOLED.since(f"{where}: a row for each of {side} x {side} places", FITS + 0.08)
        yield WRONG_FLATTEN.since(where, FITS)
        yield from _of_several(a, b, seen)
        yield causes.OTHER_BATCH.since(where, COMMON)
    elif axis == rank - 1 or (axis == 1 and rank >= 4):
        if 1 in (a, b):
            yield causes.ONE_HOT.since(f"{where}: one column against one for each class", FITS + 0.08)
            yield BINARY_OUTPUT.since(f"{where}: one column against one for each class", FITS + 0.06)
            if rank >= 4 and {a, b} == {1, 3}:
                images = f"{where}: one colour channel against three, if the loss compares images"
                yield (causes.GREY if b == 1 else causes.COLOUR).since(images, FITS + 0.07)
            if rank >= 4 and b == 1:
                yield MASK_OF_ONE.since(f"{where}, the axis of channels", NUMBERS - 0.02)
            elif rank >= 4:
                yield causes.MASK_CHANNELS.since(where, FITS + 0.1 if b in (3, 4) else FITS)
        times = sizes.ratio(a, b) or 0
        values = rank == 2 and a > b >= LEAST_FEATURES and times > 2
        if values:
            each = f"{where}: {times} values for each of the target's, as many channels or places are left"
            yield causes.NOT_POOLED.since(each, FITS + 0.04)
            yield causes.CHANNELS_LAST.since(f"{each}; where channels are taken for a side, that one grows too", FITS)
        classes = FITS - 0.03 if values or 1 in (a, b) else NUMBERS
        yield causes.CLASS_COUNT.since(f"{where}, the axis of classes", classes, output=a, target=b)
        if b == a + 1 and a > 1:
            beyond = f"{where}: one more than the output, as one-hot labels get that are made of 1 to {a}"
            yield causes.FROM_ONE.since(beyond, FITS + 0.05)
        if rank >= 4 and {a, b} & {3, 4}:
            yield causes.MASK_CHANNELS.since(f"{where}: {3 if 3 in (a, b) else 4} may be colours", FITS)
        if rank == 4 and axis == rank - 1:
            yield OTHER_MAP.since(where, FITS)
        if rank == 2 and min(a, b) > 1:
            yield OTHER_COLUMNS_OUT.since(where, COMMON)
        if rank <= 2 and b >= 64 and b > 4 * a:
            yield NOT_THE_LABELS.since(f"{where}: {b} values are a sample's rather than its label's", FITS + 0.02)
    else:
        yield OTHER_MAP.since(where, NUMBERS if rank >= 4 else FITS if rank == 3 else RARE)
        if rank >= 4 and abs(a - b) <= 32 and min(a, b) > 32:
            yield causes.ODD_SIZE.since(f"{where}: halved with rounding and doubled again", FITS - 0.02)
            if a < b and (b - a) % 2 == 0:
                yield causes.NO_PADDING.since(f"{where}: the output lost an even number", FITS - 0.04)
        yield causes.OTHER_LENGTH.since(f"{where}, if axis {axis} counts steps", FITS + 0.06 if rank == 3 else RARE)


LEAST_PLACES = 1024
"""As many rows are no samples of a batch."""


def of_some_images(output: int, target: int, seen: str) -> Iterator[Evidence]:
    """More rows than a batch has, and a whole number of times as many on the other side."""
    times = sizes.ratio(output, target)
    if times and times <= 64 and min(output, target) >= LEAST_PLACES:
        yield OF_SOME_IMAGES.since(f"{seen}: {times} times as many, as a batch of {times} has", FITS + 0.08)


def _of_several(output: int, target: int, seen: str) -> Iterator[Evidence]:
    """Rows of the target for each of the output's: what each sample has several of was folded into the rows."""
    times = sizes.ratio(output, target)
    if times and times > 2 and target > output > 1:
        folded = f"{seen}: {target} = {output} x {times}, so {times} labels for each row of the output"
        yield OTHER_NUMBER_OF_LABELS.since(folded, FITS + 0.07, times=times)
