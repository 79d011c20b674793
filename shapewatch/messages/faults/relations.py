"""What two shapes that do not fit have to do with each other, whatever was to be done with them.

That one is flat and the other a grid, that one has an axis of 1 more, that a size is 0: such a relation means the same
in a sum, a copy, a loss and a feed. It is found here, once, and said beside what a fault knows of its own operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shapewatch.messages.faults import causes, facts, roles, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence
from shapewatch.messages.faults.wording import shaped
from shapewatch.messages.nouns import Pasted
from shapewatch.recording import Shape, Size

PLACES_FOR_CHANNELS = Cause(
    "the number of channels (or features) is the number of places of a map, height x width, so that it follows the "
    "size of the input (attention or correlation over all places, patches that are used as filters): the layer was "
    "built for one input size alone",
    "Feed the size that it was built for, or make the number of places from the map that comes, with the same padding "
    "on every way.",
    "Multiply height and width of the map, and compare the product with both numbers.",
)
SIZE_OF_NOTHING = Cause(
    "a size is 0 because it was read from something empty: a weight whose values are elsewhere (sharded among devices, "
    "not loaded yet), an empty list (of classes, columns, files), or a setting that was not set",
    "Read the size from the configuration (or gather the weight first), and stop where the list or setting is empty.",
    "Print what the size is taken from.",
    {"torch": "with deepspeed.zero.GatheredParameters(weight):\n    rows = weight.shape[0]"},
)
MERGED_SAMPLES = Cause(
    "the samples of the batch were merged into one inside the model: a readout of a batched graph that has lost its "
    "batch numbers (a transform was applied to the batch and not to each graph), a mean or sum over all axes, a "
    "reshape that takes the batch in",
    "Keep the batch axis through the model: reduce the other axes alone, hand the batch numbers to the readout, and "
    "transform each graph before they are batched.",
    "Print the first axis after each stage, with a batch of two.",
    {"torch": "x = x.flatten(1).mean(dim=1)    # in place of x.mean()"},
)
INDEX_ADDS_AXIS = Cause(
    "the index itself adds an axis to the place: an array of indices of shape [n, 1], beside a slice or another array, "
    "gives [n, 1, ...], as does an index of None",
    "Take the axis of 1 off the index (`squeeze(-1)`), or give the value that axis.",
    "Print the shape of each index, and that of the place they choose.",
    {"torch": "x[rows.squeeze(-1), :] = value    # in place of x[rows, :], with rows of [n, 1]"},
)
NOT_REPEATED_FOR_HEADS = Cause(
    "one of the two is repeated (for the heads of attention, for guidance, for several images of one prompt) and the "
    "other is not: it still has one entry where the other has one for each",
    "Repeat both alike: `x.repeat_interleave(heads, dim=0)` for the mask, context or weights as well.",
    "Compare the first axis with the number of heads, and with twice the number of images.",
    {"torch": "mask = mask.repeat_interleave(heads, dim=0)"},
)
TURNED = Cause(
    "height and width are swapped on one side: libraries of images, and declarations of sizes, give (width, height), "
    "where arrays and tensors are (height, width)",
    "Give both in one order; a resize of OpenCV and Pillow takes (width, height).",
    "Print the shape of the image after loading, beside the size that is declared.",
)
RATIO_ROUNDED = Cause(
    "two sequences that stand in a fixed ratio (tokens and frames of sound, sound and frames, text and durations) were "
    "rounded apart, so that one has a step more",
    "Interpolate the one to the other's length, or cut both to whole multiples of the ratio when loading.",
    "Print both lengths and their ratio at each stage.",
    {"torch": "frames = F.interpolate(frames.transpose(1, 2), size=tokens.size(1)).transpose(1, 2)"},
)

MAXIMA = frozenset({77, 128, 256, 512, 514, 1024, 1026, 2048, 4096, 8192, 16384, 32768, 65536, 131072})
"""Maximum lengths that text models are set up for; some count two positions more."""

LEAST_IMAGE = 16
MOST_OBLONG = 8
"""No image is more times as long as it is high; tokens, and the places that look at them, are."""

LONG = 4_000
"""An axis of more values beside one of 2 holds sound, and seldom anything else."""
LEAST_STEPS = 32
OF_MAPS = ("unet", "skip", "fpn", "decoder", "upsample", "image")
"""Names in lines of code that work on maps, whose sizes are sides and no steps."""
LEAST_SIDE = 7

LOSSES = ("target-shape", "target-batch")
EQUALS = ("elementwise", "expand", "concat", "stack", "samples", "attention", "gradient")
PLACED = ("expand", "index-shape")
PRODUCTS = ("matmul", "layer-width", "batched-matmul", "einsum", "recurrent")
ON_MAPS = ("conv-channels", "norm", "layer-width")
COUNTED = ("layer-width", "matmul", "conv-channels", "groups", "norm", "attention", "classes", "index-range", "reshape")
"""Faults that tell what a layer, a table or a reshape counts on, by one of these names."""
COUNTS = ("expected", "embed_dim", "num_heads", "groups", "multiple", "classes", "size")

_NAMES = (
    ("output", "target"),
    ("expected", "given"),
    ("expected", "got"),
    ("target", "given"),
    ("selected", "value"),
    ("left", "right"),
    ("first", "other"),
)
_SIZES = (("expected", "got"), ("output", "target"), ("output_count", "target_count"), ("a", "b"))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two that had to fit, as far as the text tells of them: what is there or was declared, and what comes."""

    wanted: Shape | None
    given: Shape | None
    apart: tuple[sizes.Apart, ...]

    @property
    def shapes(self) -> tuple[Shape, Shape] | None:
        return None if self.wanted is None or self.given is None else (self.wanted, self.given)

    @property
    def seen(self) -> str:
        return f"{shaped(self.wanted)} against {shaped(self.given)}"


def pair(pasted: Pasted) -> Pair:
    joined = pasted.reading.fault == "concat"
    axis = facts.size(pasted, "axis")
    shapes = _two_shapes(pasted)
    if shapes is not None:
        along = axis % len(shapes[0]) if joined and axis is not None and shapes[0] else None
        return Pair(*shapes, tuple(each for each in sizes.apart(*shapes) if each[0] != along))
    for one, other in _SIZES:
        a, b = facts.size(pasted, one), facts.size(pasted, other)
        if a is not None and b is not None and a != b:
            return Pair(None, None, ((None if joined else axis, a, b),))
    return Pair(None, None, ())


def _two_shapes(pasted: Pasted) -> tuple[Shape, Shape] | None:
    for one, other in _NAMES:
        wanted, given = facts.shape(pasted, one), facts.shape(pasted, other)
        if wanted is not None and given is not None:
            return wanted, given
    several = facts.shapes(pasted, "inputs")
    if len(several) < 2:
        return None
    return several[0], next((each for each in several[1:] if each != several[0]), several[1])


def evidence(pasted: Pasted) -> Iterator[Evidence]:
    """Everything that speaks for a cause in the sizes alone, for the faults in which they had to be equal."""
    fault, met = pasted.reading.fault, pair(pasted)
    yield from _of_zero(pasted)
    yield from _of_places(pasted)
    sample = facts.word(pasted, "what") == "target"  # the batch is in neither shape
    if (fault in LOSSES and not sample) or (
        fault == "elementwise" and pasted.reading.framework in roles.CHANNELS_LAST_FRAMEWORKS
    ):
        yield from _of_merged(met, fault in LOSSES)
    yield from _of_layout(pasted, met)
    if fault in PRODUCTS:
        yield from _of_widths(*inner(pasted))
    if fault in (*EQUALS, *PLACED, *LOSSES, "model-input"):
        yield from _of_prompts(met, fault)
        yield from _of_colours(met, fault)
        yield from _of_maxima(pasted, met)
    if fault in ("concat", "stack", "target-shape"):
        yield from _of_batch_axis(met)
    if fault in (*EQUALS, *PLACED):
        yield from _of_flat(met)
    if fault in EQUALS:
        yield from _of_heads(met)
        yield from _of_steps(pasted, met)
    if fault in ("elementwise", "expand"):
        yield from _of_sides(met)
    if fault in PLACED:
        yield from _of_index(met)
    if fault in (*EQUALS, *PLACED, "model-input", "target-shape"):
        # two columns of a long mask, or of what is written where it says, are sound as seldom as any
        yield from _of_sound(met, COMMON if fault == "index-shape" else NUMBERS + 0.02)
    given = met.given or facts.shape(pasted, "input")
    if fault in ("rank", "model-input") and not met.apart and given and is_stereo(given):
        yield causes.STEREO.since(f"{shaped(given)} holds two channels of a long axis, if it is sound", FITS + 0.06)


# One flat, the other a grid


def _of_flat(met: Pair) -> Iterator[Evidence]:
    if met.shapes is not None:
        short, long = sorted(met.shapes, key=len)
        if sizes.is_merged(short, long) and len(sizes.squeezed(long)) > 1:
            flat = f"{shaped(short)} is {shaped(long)} with neighbouring axes made one"
            yield causes.ONE_FLATTENED.since(flat, NUMBERS - 0.01)
            return
    for axis, a, b in met.apart:
        low, high = sorted((a, b))
        if axis != 0 and is_side_of(low, high):
            grid = f"{high} = {high // low**2} x {low} x {low}: all the places of a grid of side {low}, in one axis"
            sure = axis is not None and axis >= 2 and low > 12
            yield causes.ONE_FLATTENED.since(grid, NUMBERS if sure else FITS + 0.06)


def is_side_of(side: int, places: int) -> bool:
    """Whether many places are square grids of this side. Multiples of 8 and of 10 divide too many numbers."""
    return side >= LEAST_SIDE and side % 8 != 0 != side % 10 and places > side**2 and places % side**2 == 0


# Channels that are places


def _of_places(pasted: Pasted) -> Iterator[Evidence]:
    given, expected, got = facts.shape(pasted, "input"), facts.size(pasted, "expected"), facts.size(pasted, "got")
    if given is None or len(given) != 4 or expected == got or pasted.reading.fault not in ON_MAPS:
        return
    for at, (height, width) in ((1, given[2:]), (3, given[1:3])):
        if at == 1 and (sides := sizes.places_apart((height or 0, width or 0), (expected or 0, got or 0))):
            side, stride = sides
            cut = f"{expected} and {got} channels are the places of a map of {height} x {width}, cut by {stride}"
            yield causes.ODD_SIZE.since(f"{cut}: {side} is no multiple of {stride}, and is rounded both ways", NUMBERS)
        places = sizes.product((height, width))
        # powers of two are numbers of filters, and products of sides, by chance
        if not places or min(height or 0, width or 0) < 2 or places % 32 == 0 or places not in (given[at], expected):
            continue
        whose = "come" if places == given[at] else "are expected"
        counted = f"{places} channels {whose}, and the map is {height} x {width} = {places}: one channel for each place"
        yield PLACES_FOR_CHANNELS.since(counted, NUMBERS + 0.04)


# Features


def inner(pasted: Pasted) -> tuple[Size, Size]:
    """How many features a product or a layer takes, and how many come."""
    left, right = facts.shape(pasted, "left"), facts.shape(pasted, "right")
    if left and right and len(right) > 1:
        return right[-2], left[-1]
    if pasted.reading.fault == "einsum":  # letters and axes are what it expects and gets
        return facts.size(pasted, "a"), facts.size(pasted, "b")
    taken, come = facts.shape(pasted, "expected"), facts.shape(pasted, "got")
    if taken and come and pasted.reading.fault == "batched-matmul":
        return taken[-1], come[-1]
    return facts.size(pasted, "expected", "b"), facts.size(pasted, "got", "a")


def _of_widths(expected: Size, got: Size) -> Iterator[Evidence]:
    if not expected or not got or expected == got:
        return
    seen = f"{got} come where {expected} are taken"
    if bands := sizes.spectra(expected, got):
        yield causes.OTHER_SPECTRUM.since(f"{seen}: {bands}", FITS + 0.12)
    if {expected, got} == {3, 4}:
        yield causes.ALPHA.since(f"{seen}, if the last axis holds colours", COMMON + 0.08)
    if {expected, got} == {1, 3}:
        colours = f"{seen}, if the last axis holds colours"
        yield (causes.COLOUR if got == 3 else causes.GREY).since(colours, COMMON + 0.08)
    if (maps := sizes.same_maps(expected, got)) and maps[0] >= 16 and min(maps[1:]) > 1:
        channels, one, other = maps
        squares = f"{seen}: {channels} maps of {one} x {one} and of {other} x {other}, flattened"
        yield causes.OTHER_INPUT_SIZE.since(squares, COMMON + 0.1)


# Nothing


def _of_zero(pasted: Pasted) -> Iterator[Evidence]:
    asked = facts.shape(pasted, "shape", "target", "expected_shape", "weight", "normalized_shape")
    fault = pasted.reading.fault
    if fault in ("reshape", "expand", "conv-channels", "norm") and asked and 0 in asked:
        named = f"{shaped(asked)} is asked for: a size that is 0 holds nothing, whatever comes"
        # a first axis of 0 is a quotient as often
        likely = FITS - 0.02 if asked[0] == 0 and len(asked) > 1 else NUMBERS
        yield SIZE_OF_NOTHING.since(named, likely if fault == "reshape" else FITS + 0.05)
    if fault in COUNTED and any(facts.size(pasted, name) == 0 for name in COUNTS):
        yield SIZE_OF_NOTHING.since("0 is what is counted on", FITS + 0.07)
    elif fault in COUNTED and facts.size(pasted, "got") == 0:
        yield causes.NOTHING_LEFT.since("0 come", NUMBERS)


# Layout


def _of_layout(pasted: Pasted, met: Pair) -> Iterator[Evidence]:
    """A map that looks channels-first, in a framework whose layers take the channels last unless told otherwise."""
    framework = pasted.reading.framework
    if pasted.reading.fault in ON_MAPS:
        given = facts.shape(pasted, "input")
        wanted: Shape | None = None
    elif pasted.reading.fault == "model-input" and met.shapes is not None:
        wanted, given = met.shapes
    else:
        return
    for shape, other in ((given, wanted), (wanted, given)):
        channels = None if shape is None else roles.first_channels(shape, framework)
        mixed = other is None or roles.first_channels(other, framework) is None
        if shape is not None and channels is not None and mixed and is_picture(shape[-1], channels):
            looks = f"{shaped(shape)} looks channels-first, and layers take channels last by default"
            yield causes.CHANNELS_LAST.since(looks, FITS + 0.1)


def is_picture(side: Size, channels: int) -> bool:
    return side is None or (side >= 8 and (channels <= 4 or channels % 8 == 0))


# One sample for many


def _of_merged(met: Pair, in_loss: bool) -> Iterator[Evidence]:
    first = None if met.shapes is None else tuple(shape[0] if shape else None for shape in met.shapes)
    one_axis = met.shapes is None and len(met.apart) == 1
    a, b = (met.apart[0][1:] if one_axis else (None, None)) if first is None else first
    rest = met.shapes is None or met.shapes[0][1:] == met.shapes[1][1:]
    if a == 1 and b is not None and b > 1 and rest:
        rows = "" if met.shapes is None else f"{met.seen}: "
        alone = met.shapes is not None and len(met.shapes[0]) > 1
        usual = sizes.is_power_of_two(b) or b <= 64
        likely = FITS - 0.02 if not in_loss else FITS + 0.06 if alone else FITS + 0.02 if usual else COMMON
        yield MERGED_SAMPLES.since(f"{rows}one row comes out, and there are {b} samples", likely)


# Heads


def _of_heads(met: Pair) -> Iterator[Evidence]:
    if met.shapes is None or not are_scores(*met.shapes):
        return
    low, high = sorted((met.shapes[0][0] or 0, met.shapes[1][0] or 0))
    if (times := sizes.ratio(low, high)) and times <= 32:
        scores = f"{met.seen}: {low} and {high} on the first axis of attention's scores, (heads, queries, keys)"
        yield NOT_REPEATED_FOR_HEADS.since(scores, NUMBERS - 0.04)


def are_scores(one: Shape, other: Shape) -> bool:
    """(n, queries, keys) of attention over an image, which differ in the first alone: as many queries as a grid has
    places, and the tokens of a prompt. The sides of images are not so unlike."""
    if len(one) != 3 or len(other) != 3 or one[1:] != other[1:] or None in (*one, *other):
        return False
    queries, keys = one[1] or 0, one[2] or 0
    return (sizes.root(queries) or 0) >= 8 and (keys % 77 == 0 < keys or 4 * keys < queries) and keys not in ENDS


ENDS = frozenset({1, 2, 3, 4, *sizes.ENCODERS})
"""Last axes of images and of features."""


# Steps


def _of_steps(pasted: Pasted, met: Pair) -> Iterator[Evidence]:
    """Sizes that differ by one are rounded; where they may count steps, in a ratio of two sequences as well."""
    if pasted.runs(*OF_MAPS) or len(met.apart) != 1 or (met.shapes is not None and len(met.shapes[0]) != 3):
        return
    axis, a, b = met.apart[0]
    joined = pasted.reading.fault == "concat"
    if abs(a - b) == 1 and min(a, b) >= LEAST_STEPS and (axis in (1, 2) or (joined and axis is None)):
        steps = f"{a} against {b}: one step more or less, if these are sequences"
        likely = FITS - 0.025 if joined else RARE + 0.12 if axis == 1 else RARE + 0.05
        yield RATIO_ROUNDED.since(steps, likely)


# An axis that an index adds


def _of_index(met: Pair) -> Iterator[Evidence]:
    if met.shapes is None or met.wanted is None or met.given is None or not met.given:
        return
    place, value = met.wanted, met.given
    added = [at for at in range(len(place)) if (*place[:at], *place[at + 1 :]) == value]
    if not added or len(place) < 2 or not met.apart:
        return
    more = f"{shaped(value)} into {shaped(place)}: the place has an axis of {place[added[0]]} more"
    yield INDEX_ADDS_AXIS.since(more, NUMBERS + 0.02 if place[added[0]] == 1 else FITS - 0.02)
    if place[added[0]] == 1:
        yield causes.LOST_AXIS.since(f"{more}, which the value lacks", FITS + 0.08)


# The batch


def _of_batch_axis(met: Pair) -> Iterator[Evidence]:
    if met.shapes is None:
        return
    short, long = sorted(met.shapes, key=len)
    if len(short) >= 2 and len(long) == len(short) + 1 and None not in short and short == long[1:]:
        alone = f"{shaped(short)} is {shaped(long)} without its first axis: one sample, and a batch"
        yield causes.MISSING_BATCH.since(alone, FITS + 0.06)


# Colours


def _of_colours(met: Pair, fault: str) -> Iterator[Evidence]:
    """Two images that differ in their channels alone. Of files that are stacked, some are of another mode."""
    if fault in ("concat", "index-shape", "target-shape"):
        yield from _of_bare_image(met)
    if met.shapes is not None and {met.wanted, met.given} == {(3,), (4,)}:
        colour = f"{met.seen}: one colour (or point) of three values and one of four"
        yield causes.ALPHA.since(colour, FITS + 0.06 if fault in PLACED else FITS - 0.05)
    if fault in ("stack", "samples") or met.shapes is None or len(met.apart) != 1 or len(met.shapes[0]) not in (3, 4):
        return
    axis, wanted, given = met.apart[0]
    rank = len(met.shapes[0])
    if len(met.shapes[1]) != rank or axis not in (rank - 3, rank - 1):
        return
    if not {wanted, given} <= {1, 3, 4} or met.wanted is None:
        return
    sides = [size or 0 for at, size in enumerate(met.wanted) if at >= rank - 3 and at != axis]
    if min(sides) < LEAST_IMAGE or max(sides) > MOST_OBLONG * min(sides) or are_scores(*met.shapes):
        return
    images = f"{met.seen}: images that differ in their channels alone, {wanted} against {given}"
    if 4 in (wanted, given):
        yield causes.ALPHA.since(images, FITS + 0.08)
    else:
        coloured = given == 3 and fault in ("model-input", "index-shape", "target-shape")
        yield (causes.COLOUR if coloured else causes.GREY).since(images, FITS + 0.08)


def _of_bare_image(met: Pair) -> Iterator[Evidence]:
    """(H, W) and (H, W, 3), or (3, H, W)."""
    if met.shapes is None:
        return
    short, long = sorted(met.shapes, key=len)
    if len(short) != 2 or len(long) != 3 or min(size or 0 for size in short) < LEAST_IMAGE:
        return
    if (short == long[:-1] and long[-1] in (1, 3, 4)) or (short == long[1:] and long[0] in (1, 3, 4)):
        bare = f"{shaped(short)} is the image {shaped(long)} without its axis of channels"
        yield causes.MISSING_CHANNELS.since(bare, NUMBERS - 0.02)
        if 1 not in (long[0], long[-1]):
            yield causes.GREY.since(bare, FITS + 0.1)


# Lengths that are set


def _of_prompts(met: Pair, fault: str) -> Iterator[Evidence]:
    for axis, a, b in met.apart:
        rows = axis == 0 and fault == "index-shape"  # as many as were chosen
        if not rows and a % 77 == 0 == b % 77 and min(a, b) > 0 and max(a, b) <= 16 * 77:
            on = f" on axis {axis}" if axis is not None else ""
            parts = f"{a} against {b}{on}: {a // 77} and {b // 77} times the 77 tokens that CLIP takes at once"
            yield causes.PROMPT_CHUNKS.since(parts, NUMBERS + 0.04)


def _of_maxima(pasted: Pasted, met: Pair) -> Iterator[Evidence]:
    """Two rows of tokens, one of them as long as a usual maximum. What is a multiple of 8 may be a width."""
    if met.shapes is None or len(met.shapes[0]) != 2 or pasted.reading.fault == "expand":
        return
    for axis, a, b in met.apart:
        low, high = sorted((a, b))
        if axis == 1 and low in MAXIMA and high % 8 and sizes.ratio(low, high) is None and high < 4 * low:
            tokens = f"{a} against {b}: {low} is a usual maximum of tokens, and {high} no usual width"
            yield causes.TOO_LONG.since(tokens, FITS + 0.02)
            yield causes.OTHER_LENGTH.since(tokens, FITS)


# Sides


def _of_sides(met: Pair) -> Iterator[Evidence]:
    for axis, a, b in met.apart:
        if met.shapes is None and axis and sizes.are_sides(a, b):
            image = f"{a} against {b}: the sides of one usual image, if height and width have changed places"
            yield TURNED.since(image, FITS)


# Sound


def _of_sound(met: Pair, likely: float) -> Iterator[Evidence]:
    if met.shapes is None or not met.apart:
        return
    for shape, other in (met.shapes, met.shapes[::-1]):
        if is_stereo(shape) and _is_mono(other):
            long = f"{shaped(shape)} holds two channels of a long axis, and {shaped(other)} one"
            yield causes.STEREO.since(long, likely)


def is_stereo(shape: Shape) -> bool:
    """Whether two channels stand beside one long axis, before it or behind it; a batch may stand before both."""
    if len(shape) == 4 and shape[1] == 2:  # before the bands of a spectrogram and its frames
        return shape[2] in sizes.MELS | sizes.BINS and sizes.is_less(99, shape[3])
    bare = sizes.squeezed(shape)
    last = bare[-2:]
    return len(bare) in (2, 3) and 2 in last and None not in last and max(size or 0 for size in last) >= LONG


def _is_mono(shape: Shape) -> bool:
    bare = sizes.squeezed(shape)
    return len(bare) == 1 and (bare[0] or 0) >= LONG
