"""Windows over maps: a kernel larger than its input, padding, resizing, the size a transposed convolution is asked "
"for."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, relations, roles, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.fed import NOT_RESIZED
from shapewatch.messages.faults.wording import listed, plural, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

FIXED_POOL = Cause(
    "the pooling's (or last convolution's) kernel was chosen for the map of another input size, or an earlier stage "
    "takes off more than it was planned to (a stride, a kernel as long as the whole axis)",
    "Use adaptive (global) pooling, a kernel no larger than the map, or stride 1 in one of the stages.",
    "Print the map's height and width here, and the stride of each stage.",
    {
        "torch": "self.pool = nn.AdaptiveAvgPool2d(1)",
        "keras": "x = layers.GlobalAveragePooling2D()(x)",
        "tensorflow": "x = tf.reduce_mean(x, axis=[1, 2])",
    },
)
DEGENERATE = Cause(
    "the input is too small in one direction: a long and narrow image, a series that is laid out as an image, or one "
    "image (scale of a pyramid, crop, bucket) that is a few pixels high or wide",
    "Leave such images out, bound the scales and crops from below, or pool along the other direction only.",
    "Print the sizes of the images; look for the smallest side.",
)
PAD_LESS = Cause(
    "the input is shorter than the padding that is asked for (a clip too short for an STFT or for the chunks it is cut "
    "into): reflection and circular padding take their values from the input, and need more of it than they add",
    "Give longer clips, or bring short ones to a least length; pad with constants or by replication, or pad less.",
    "Print the padding and the input's shape.",
    {"torch": 'x = F.pad(x, pad, mode="constant")    # or mode="replicate"'},
)
WRONG_AXES = Cause(
    "the padding (or size) is applied to other axes than meant: torch counts its pairs from the last axis back",
    "Order the pairs from the last axis to the first: (left, right, top, bottom).",
    "Print the input's shape and say what each axis is.",
)


def window(pasted: Pasted) -> Told:
    whole, weight = facts.shape(pasted, "input"), facts.shape(pasted, "weight")
    kernel, sides = _kernel(pasted, weight), _sides(pasted, whole, weight)
    output = facts.shape(pasted, "output")
    op = facts.word(pasted, "op") or "a convolution or pooling"
    size, needed = facts.size(pasted, "size"), facts.size(pasted, "kernel")
    if size is not None and needed is not None:
        headline = f"a window of {needed} does not fit into an axis of {size}"
    elif kernel is not None:
        headline = f"a window of {_by(kernel)} does not fit into its input{' of ' + _by(sides) if sides else ''}"
    elif output is not None:
        headline = f"{op} over {shaped(whole)} would give {shaped(output)}, an axis of no size"
    else:
        headline = f"the window of {op} is larger than its input"
    said = [
        f"{name} {shaped(shape)}"
        for name, shape in (
            ("input", whole),
            ("height and width (with padding)", facts.shape(pasted, "padded")),
            ("kernel", kernel),
            ("output", output),
        )
        if shape is not None
    ]
    here = f" Here: {listed(said)}." if said else ""
    meaning = (
        "A convolution or pooling places its kernel inside the (padded) map; where an axis of the map is shorter "
        "than the "
        f"kernel there is no place, and nothing would come out.{here}{_doubted(sides, kernel)}"
    )
    layer = facts.word(pasted, "layer")
    return told(pasted, "SW503", headline, meaning, _of_window(pasted, sides, kernel, size), layer)


def _doubted(sides: Shape | None, kernel: Shape | None) -> str:
    if sides is None or kernel is None or any(size is None for size in (*sides, *kernel)) or len(sides) != len(kernel):
        return ""
    fits = all((side or 0) >= (size or 0) for side, size in zip(sides, kernel, strict=True))
    return " By these sizes it would fit: this release does not print all of what it compares." if fits else ""


def _kernel(pasted: Pasted, weight: Shape | None) -> Shape | None:
    """TensorFlow's weight has the kernel in front: height, width, inputs, outputs."""
    if facts.shape(pasted, "kernel"):
        return facts.shape(pasted, "kernel")
    return weight[:-2] if weight is not None and len(weight) >= 3 else None


def _sides(pasted: Pasted, whole: Shape | None, weight: Shape | None) -> Shape | None:
    """The axes of space, as far as the message tells which they are."""
    padded = facts.shape(pasted, "padded")
    if padded is not None or whole is None:
        return padded
    layout = facts.word(pasted, "data_format")
    if layout in ("NCHW", "NCDHW", "channels_first"):
        return whole[2:]
    if pasted.reading.framework in roles.CHANNELS_LAST_FRAMEWORKS or weight is not None:
        return whole[1:-1] if len(whole) > 3 else whole
    # torch writes channels x height x width, without the batch
    return whole[1:] if len(whole) in (3, 4) else whole[2:]


def _by(shape: Shape) -> str:
    return " x ".join(map(sized, shape))


def _of_window(pasted: Pasted, sides: Shape | None, kernel: Shape | None, short: Size) -> Iterator[Evidence]:
    known = [size for size in sides or () if size is not None] or ([short] if short is not None else [])
    if not known:
        common = "a common cause of this error; the message does not tell the sizes"
        yield causes.TOO_SMALL.since(common, FITS)
        yield causes.CHANNELS_LAST.since(common, COMMON)
        yield FIXED_POOL.since(common, COMMON)
        return
    low, high = min(known), max(known)
    seen = f"the map is {_by(sides or (short,))} here"
    if _is_short_clip(pasted, sides, kernel):
        frames = f"{seen}: {known[0]} frames (or slices) are left, and height and width would do"
        yield SHORT_SEQUENCE.since(frames, NUMBERS - 0.05)
    if _is_sequence(sides, kernel):
        length = known[-1] if known[0] == 1 else known[0]
        steps = f"{seen}, the kernel {_by(kernel or ())}: {plural(length, 'step')}, where the kernel takes more"
        yield SHORT_SEQUENCE.since(steps, NUMBERS)
        yield FIXED_POOL.since(f"{steps} at once", FITS)
        yield causes.SWAPPED.since(f"{steps}; steps and features may stand on each other's axis", COMMON)
        yield causes.OTHER_SETTING.since(steps, COMMON - 0.02, expected=(kernel or (None,))[0], got=known[0])
        return
    if len(known) > 1 and high >= 8 and (low <= 4 or high >= 8 * low):
        yield DEGENERATE.since(f"{seen}: one side is {low}, another {high}", FITS)
        like = f"{seen}: the side of {low} looks like the channels rather than like a side"
        colours = roles.like_colours(low)
        if facts.shape(pasted, "padded") is not None and low == 2 and sizes.is_power_of_two(high - 2):
            margin = f"{seen}: {high} is {high - 2} and a padding of 1 at both ends, so {low} is 0 and that padding"
            yield causes.NOTHING_LEFT.since(margin, NUMBERS + 0.02)
            colours = False
        whole = facts.shape(pasted, "input")
        filters = low == 1 and whole is not None and whole[:1] in FILTERS  # features already: no image enters here
        likely = FITS - 0.04 if filters else NUMBERS if low in (1, 3) else FITS - 0.02
        yield causes.CHANNELS_LAST.since(like if colours else seen, likely)
        alike = len(known) == 3 and known.count(low) == 2
        patch = f"{seen}: height and width have shrunk alike, as those of small patches do" if alike else seen
        yield causes.TOO_SMALL.since(patch, FITS + 0.05 if alike else COMMON)
        if colours and pasted.reading.framework in roles.CHANNELS_LAST_FRAMEWORKS:
            default = f"{like}: which layout is the default changed between releases and backends of Keras"
            yield causes.OTHER_RELEASE.since(default, FITS + 0.02)
    else:
        every = f"{seen}: every side is small" if len(known) > 1 and high < 64 else seen
        yield causes.TOO_SMALL.since(every, FITS + 0.1)
        yield DEGENERATE.since(seen, COMMON if low != high else RARE)
        if sides is None and low in (1, 3, 4):
            few = f"the one side that is told is {low}, a number of channels (or of stacked frames)"
            yield causes.CHANNELS_LAST.since(few, FITS)
        yield from _of_layout(pasted)
    pooled = "pool" in pasted.reading.message.lower() or "output size is too small" in pasted.reading.message.lower()
    large = kernel is not None and max((size for size in kernel if size is not None), default=0) >= 5
    if kernel in FIRST_KERNELS and not pooled and high < (kernel[0] or 0):
        first = f"{seen}: a kernel of {_by(kernel)} is that of a first layer, as networks for whole images have it"
        yield SMALL_DATA.since(first, FITS + 0.12)
    if large and kernel is not None:
        yield FIXED_POOL.since(f"the kernel, {_by(kernel)}, is large, as for the map of one input size", FITS + 0.05)
    elif pooled:
        yield FIXED_POOL.since(f"it is a pooling, and {seen}", FITS + (0.05 if high >= 3 else 0))
    else:
        yield FIXED_POOL.since(seen, RARE)


FIRST_KERNELS = ((8, 8), (11, 11))
"""Of the networks of Atari agents, and of AlexNet; no layer after the first has such ones."""
SMALL_DATA = Cause(
    "what is fed is no image of the size this network is for: a small grid, patch or vector of observations goes to an "
    "extractor for whole images",
    "Take an extractor for such data (flattened observations, a dense network, small kernels), or enlarge the images.",
    "Print the shape of one sample, and look up which extractor (policy, encoder) the settings choose.",
)
FILTERS = frozenset((each,) for each in (16, 32, 64, 96, 128, 256, 512, 1024, 2048))
"""Numbers of channels that convolutions give, as shapes of that one axis."""


def _is_short_clip(pasted: Pasted, sides: Shape | None, kernel: Shape | None) -> bool:
    """Of frames, height and width the frames alone are too few."""
    output = facts.shape(pasted, "output")
    if output is not None and len(output) == 4:
        return output[1] == 0 and 0 not in output[2:]
    if sides is None or kernel is None or len(sides) != 3 or len(kernel) != 3:
        return False
    short = [sizes.is_less(side, window) for side, window in zip(sides, kernel, strict=True)]
    return short == [True, False, False]


def _is_sequence(sides: Shape | None, kernel: Shape | None) -> bool:
    """One axis alone, or a kernel as wide as the whole of the last one: words and their vectors."""
    if not sides or not kernel or len(sides) != len(kernel):
        return False
    if len(sides) == 2 and sides[0] == kernel[0] == 1:  # a one-dimensional convolution, as TensorFlow runs it
        return sizes.is_less(sides[1], kernel[1])
    if not sizes.is_less(sides[0], kernel[0]):
        return False
    return len(sides) == 1 or (len(sides) == 2 and sides[1] == kernel[1] and (sides[1] or 0) >= 16)


SHORT_SEQUENCE = Cause(
    "the sequence is shorter than the kernel is long: a short text, clip or series, one that was generated or filtered "
    "down to a few steps, or one that strides and poolings before have shortened",
    "Pad every sequence to at least the kernel's length (or leave short ones out), or use a smaller kernel.",
    "Print the lengths of the sequences of each batch; look for the shortest.",
    {"torch": "x = F.pad(x, (0, 0, 0, max(0, kernel - x.size(-2))))"},
)


def _of_layout(pasted: Pasted) -> Iterator[Evidence]:
    layout = facts.word(pasted, "data_format") or ("NCHW" if "NCHW" in pasted.reading.message else "")
    if layout in ("NCHW", "NCDHW", "channels_first"):
        yield causes.CHANNELS_LAST.since(f"the layer is told that its data are {layout}", FITS)
    else:
        yield causes.CHANNELS_LAST.since("with channels taken for a side, a map shrinks to nothing", COMMON)


# Padding


def padding(pasted: Pasted) -> Told:
    pads, given, axis = facts.shape(pasted, "padding"), facts.shape(pasted, "input"), facts.size(pasted, "axis")
    side = given[axis] if given is not None and axis is not None and -len(given) <= axis < len(given) else None
    asked = f" of {shaped(pads)}" if pads is not None else ""
    where = f" on axis {axis}" if axis is not None else ""
    headline = f"padding{asked} is not smaller than the input{where}"
    if side is not None:
        headline = f"padding{asked}{where}, where the input {shaped(given)} has only {side}"
    meaning = (
        "Reflection and circular padding fill the border with the input's own values, so along each axis the "
        "padding must be smaller than the input (no larger, for "
        f"circular).{f' The input is {shaped(given)}.' if given is not None else ''}"
    )
    return told(pasted, "SW508", headline, meaning, _of_padding(pads, given, side))


def _of_padding(pads: Shape | None, given: Shape | None, side: Size) -> Iterator[Evidence]:
    widest = max((pad for pad in pads or () if pad is not None), default=None)
    small = side is not None and side <= 16
    seen = f"{sized(widest)} is asked for and the axis has {sized(side)}"
    large = widest is not None and widest > 16
    longest = max((size for size in given or () if size is not None), default=0)
    if small and side is not None and large and longest > 100 * side:
        turned = f"{seen}, and another axis of {shaped(given)} has {longest}: that may be the one to pad"
        yield causes.SWAPPED.since(turned, NUMBERS + 0.04)
    if given is not None and relations.is_stereo(given):
        yield causes.STEREO.since(f"{shaped(given)} holds two channels of a long axis, if it is sound", NUMBERS)
    few = small and not large
    yield causes.TOO_SMALL.since(f"{seen}: the map is that small here" if few else seen, NUMBERS if few else COMMON)
    yield PAD_LESS.since(f"{seen}: a long padding for this signal" if large else seen, NUMBERS if large else FITS)
    if given is not None and side is not None and any(size is not None and size > 4 * side for size in given[2:]):
        yield WRONG_AXES.since(f"another axis of {shaped(given)} is much larger", FITS)
        yield DEGENERATE.since(f"another axis of {shaped(given)} is much larger", COMMON)
    if given is not None and len(given) == 3 and side is not None and side > 16:
        yield causes.MISSING_BATCH.since(f"{shaped(given)} has three axes", RARE)
    yield WRONG_AXES.since(seen, RARE)
    settings = f"{seen}: crop or chunk and padding belong to different settings"
    yield causes.OTHER_SETTING.since(settings, COMMON, expected=f"more than {sized(widest)}", got=sized(side))


# Resizing


BAD_SIZE = Cause(
    "the size that is asked for is not one for these axes: batch or channels are in it, it has too few or too many "
    "entries, or one of them came out as 0",
    "Give the height and width only, as integers of at least 1.",
    "Print the size and the input's shape.",
    {"torch": "x = F.interpolate(x, size=skip.shape[-2:])"},
)


EMPTY_CROP = Cause(
    "what comes is empty: a crop or slice of no height or width (a box that is outside of the image, is turned round, "
    "was rounded to nothing or is in other units), or a file that was not read",
    "Clip the boxes to the image, and skip those less than one pixel high or wide.",
    "Print the box and the image's shape before the crop.",
)


def resize(pasted: Pasted) -> Told:
    given, size = _of_sizes(pasted)
    asked = f" to {shaped(size)}" if size is not None else ""
    headline = f"resizing{asked} does not fit the input{' ' + shaped(given) if given is not None else ''}"
    meaning = (
        "Interpolation changes the axes of space only: the input has batch and channels in front of one, two or "
        "three of them, and the size has one entry for "
        f"each.{f' Here height, width (or what there is of them) are {shaped(given)}.' if given is not None else ''}"
    )
    return told(pasted, "SW509", headline, meaning, _of_resize(given, size))


def _of_sizes(pasted: Pasted) -> tuple[Shape | None, Shape | None]:
    """The sides of the input and those that are asked for; torch names both without batch and channels."""
    given, size = facts.shape(pasted, "input"), facts.shape(pasted, "size")
    if given is None and facts.size(pasted, "width") is not None:
        sides = ("depth", "height", "width")
        given = tuple(each for name in sides if (each := facts.size(pasted, name)) is not None)
        size = tuple(each for name in sides if (each := facts.size(pasted, f"to_{name}")) is not None)
    return given, size


def _of_resize(given: Shape | None, size: Shape | None) -> Iterator[Evidence]:
    if 0 in (size or ()) or 0 in (given or ()):
        gone = "a size came out as 0"
        if 0 in (given or ()):
            likely = NUMBERS + (0.02 if any(given or ()) else 0)  # what a network shrinks, it shrinks on all sides
            yield EMPTY_CROP.since(f"{gone}: {shaped(given)} comes, which holds no pixel", likely)
        yield causes.TOO_SMALL.since(gone, NUMBERS)
        whole = "the size that the network was made for"
        yield NOT_RESIZED.since(gone, FITS, expected=whole, got="the size that comes", expected_code="height, width")
        yield causes.CHANNELS_LAST.since(f"{gone}, as with channels that are taken for a side", COMMON)
        yield BAD_SIZE.since(gone, COMMON - 0.02)
        return
    if given is None or size is None or len(size) == len(given):
        yield BAD_SIZE.since("the message refuses the size", FITS)
        yield causes.MISSING_BATCH.since("a common cause of this error", COMMON)
        yield causes.EXTRA_AXIS.since("a common cause of this error", COMMON - 0.02)
        return
    seen = f"{len(size)} sizes for an input with {len(given)} axes beside batch and channels"
    if len(size) > len(given):
        if size[-1] in (1, 3, 4) and len(size) == len(given) + 1:
            colours = f"{seen}: {shaped(size)} is the shape of an image with its {size[-1]} channels"
            yield causes.MASK_CHANNELS.since(f"{colours}, and may be that of a label", NUMBERS)
            yield BAD_SIZE.since(colours, FITS + 0.1)
        else:
            yield causes.MISSING_BATCH.since(seen, FITS + 0.06)
            yield BAD_SIZE.since(seen, FITS + 0.02)
    else:
        ones = f": {shaped(given)} has an axis of 1" if 1 in given else ""
        yield causes.EXTRA_AXIS.since(f"{seen}{ones}", NUMBERS if ones else FITS + 0.06)
        yield BAD_SIZE.since(seen, FITS)
        yield causes.OTHER_VALUE.since(seen, COMMON - 0.02)
    yield causes.OTHER_RELEASE.since(f"{seen}: code around the network hands on another rank", COMMON)


# Transposed convolutions


def transposed_output(pasted: Pasted) -> Told:
    asked, least, most = (facts.shape(pasted, name) for name in ("requested", "least", "most"))
    given = facts.shape(pasted, "input")
    bounds = f", and only {shaped(least)} to {shaped(most)} can be had" if least is not None or most is not None else ""
    headline = f"a transposed convolution cannot give the output size {shaped(asked)}{bounds}"
    source = f" from {shaped(given)}" if given is not None else ""
    meaning = (
        "With stride s, s neighbouring input sizes of a convolution have the same output size; a transposed "
        f"convolution can give back any of those{source}, and no other: (size - 1) x stride to that plus stride - 1, "
        "less the padding."
    )
    evidence = [
        causes.ODD_SIZE.since("the map that is to be restored was rounded by more than one stride", FITS),
        OTHER_OUTPUT.since("the size that is asked for belongs to another stride or another input", FITS - 0.02),
        causes.OTHER_STRIDE.since("the size that is asked for is that of another level", COMMON),
    ]
    return told(pasted, "SW510", headline, meaning, evidence)


OTHER_OUTPUT = Cause(
    "stride, kernel or output padding do not belong to the size that is asked for",
    "Use the stride and padding of the convolution that it mirrors, and an output padding smaller than the stride.",
    "Compare it with the convolution whose size it restores.",
    {"torch": "self.up = nn.ConvTranspose2d(c_in, c_out, 3, stride=2, padding=1, output_padding=1)"},
)
