"""A normalisation gets another number of features than it was made for, or one value where it needs several."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.products import NOT_JOINED, widths
from shapewatch.messages.faults.wording import shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

CHANNEL_NORM = Cause(
    "a LayerNorm over the last axis is applied to channels-first feature maps (N, C, H, W)",
    "Move the channels to the end around it, or use a norm over the channel axis (GroupNorm with one group, "
    "BatchNorm2d, a LayerNorm2d of the project).",
    "Print the shape that enters it.",
    {"torch": "x = norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)    # or nn.GroupNorm(1, channels)"},
)
OTHER_CHANNELS = Cause(
    "the features come from a layer (or an encoder) with another number of channels: a channel list, a width factor, "
    "an adapter or a teacher's and student's stages do not agree",
    "Give the norm (and the 1x1 convolution before it) the number of channels that comes: {got}.",
    "Print the layer before it, and compare the channel lists of both configurations.",
)
OWN_WIDTHS = Cause(
    "two widths of the one model are mixed up: the norm was built with its width before a projection, and stands "
    "behind it, or the other way round (embedding and hidden width, width of a head and of all heads, with and "
    "without a concatenation)",
    "Build the norm for {got}, or put it on the other side of the projection.",
    "Compare the widths in the configuration with the last axis at each step of `forward`.",
)
POINTS_FIRST = Cause(
    "the features still have an axis of points, steps, regions or boxes before the channels, (batch, points, "
    "channels), and a BatchNorm in torch takes axis 1 for the channels",
    "Transpose before the norm and back behind it, or make the leading axes one first.",
    "Print the shape that enters the norm.",
    {"torch": "x = norm(x.transpose(1, 2)).transpose(1, 2)    # or norm(x.flatten(0, 1)) where each row counts"},
)
ONE_SAMPLE = Cause(
    "a batch of one reaches a BatchNorm in training mode, with one value per channel: the last batch of an epoch, a "
    "batch size of 1, or one sample for each device",
    "Train with batches of at least 2 and drop an incomplete last one, or put the model into evaluation mode "
    "(`model.eval()`) where it is only tried.",
    "Print the batch size, and see whether it fails in the last step of an epoch.",
    {"torch": "loader = DataLoader(dataset, batch_size=16, shuffle=True, drop_last=True)    # model.eval() to predict"},
)
POOLED_TO_ONE = Cause(
    "the norm stands behind a global pooling (or a map shrunk to 1x1), so each channel has as many values as the "
    "batch has samples",
    "Leave the norm out of the pooled branch, or use GroupNorm or LayerNorm there, which need no batch.",
    "Print the shape that enters the norm.",
    {"torch": "norm = nn.GroupNorm(1, channels)    # in place of BatchNorm2d after a global pooling"},
)
ONE_SAMPLE_PER_DEVICE = Cause(
    "the batch is split among devices so that one of them gets a single sample",
    "Use at least two samples per device, or synchronised batch normalisation.",
    "Divide the batch size by the number of devices.",
)


def norm(pasted: Pasted) -> Told:
    given, normalised = facts.shape(pasted, "input"), facts.shape(pasted, "normalized_shape")
    expected, got = facts.size(pasted, "expected"), facts.size(pasted, "got")
    held, wanted = facts.shape(pasted, "given"), facts.shape(pasted, "expected_shape")
    if held and wanted:
        return _of_parameter(pasted, held, wanted)
    if expected is None and normalised:
        expected = normalised[-1]
    if got is None and given is not None and normalised:
        got = given[-1] if given else None
    elif got is None and given is not None and len(given) > 1:
        got = given[1]
    over = f" over {shaped(normalised)}" if normalised is not None else ""
    come = (
        f"the input {shaped(given)} ends with {sized(got)}"
        if normalised and given is not None
        else f"{sized(got)} come"
    )
    headline = f"a normalisation{over or f' of {sized(expected)} features'} does not fit: {come}"
    what = (
        "A LayerNorm normalises the last axes, which must be those it was built with."
        if normalised is not None
        else "A BatchNorm (or GroupNorm, InstanceNorm) keeps one mean, variance, scale and shift per channel; the "
        "channels "
        "stand on axis 1 in torch, on the last axis in Keras."
    )
    meaning = f"{what} It was built for {sized(expected)}, and {come}."
    evidence = list(_of_norm(given, normalised, expected, got))
    return told(pasted, "SW502", headline, meaning, evidence, facts.word(pasted, "layer"))


def _of_parameter(pasted: Pasted, held: Shape, wanted: Shape) -> Told:
    """Its own scale or shift has another size than the axes it normalises."""
    name = facts.word(pasted, "parameter") or "parameter"
    headline = f"the {name} of a normalisation has shape {shaped(held)}, and {shaped(wanted)} is needed"
    meaning = (
        f"A normalisation scales and shifts each feature, so its {name} needs one value for each: {shaped(wanted)}."
    )
    return told(pasted, "SW502", headline, meaning, _of_norm(None, None, wanted[-1], held[-1]))


LEAST_ENCODER = 512
"""Encoders whose tokens are handed on are no narrower as a rule."""


def _of_norm(given: Shape | None, normalised: Shape | None, expected: Size, got: Size) -> Iterator[Evidence]:
    if expected is None or got is None or expected == got:
        common = "a common cause of this error"
        yield causes.OTHER_SETTING.since(common, COMMON, expected=sized(expected), got=sized(got))
        yield causes.CHANNELS_LAST.since(common, COMMON)
        return
    seen = f"{got} features come, {expected} are expected"
    last = normalised is not None
    if last and given is not None and len(given) == 1:
        alone = f"{shaped(given)} has one axis: of (batch, features) one was indexed or reduced away before"
        yield causes.LOST_AXIS.since(alone, FITS + 0.1)
        yield causes.OTHER_RELEASE.since(f"{alone}: a base class pools in one release and not in another", FITS)
    if given is not None:
        here = len(given) - 1 if last else 1
        elsewhere = [axis for axis in sizes.axes_of(expected, given) if axis != here and axis > 0]
        if elsewhere:
            found = f"{expected} stands on axis {elsewhere[0]} of {shaped(given)}, and axis {here} is normalised"
            maps = last and len(given) >= 4
            yield (CHANNEL_NORM if maps else causes.SWAPPED).since(found, NUMBERS + 0.04 if maps else NUMBERS)
            if not last:
                yield causes.CHANNELS_LAST.since(found, NUMBERS + 0.02)
        elif last and len(given) >= 4:
            yield CHANNEL_NORM.since(f"{shaped(given)} has the rank of a map", COMMON)
    if normalised is not None and len(normalised) > 1 and given is not None and len(given) > len(normalised):
        built = f"it was built for maps of {shaped(normalised)}, and {shaped(given[-len(normalised) :])} come"
        yield causes.OTHER_INPUT_SIZE.since(built, NUMBERS)
        yield causes.OTHER_RESOLUTION.since(built, FITS)
    if not last:
        yield OTHER_CHANNELS.since(seen, FITS + 0.08, expected=expected, got=got)
        yield causes.OTHER_SETTING.since(seen, COMMON + 0.05, expected=expected, got=got)
    if last and (given is None or len(given) in (2, 3)):
        yield OWN_WIDTHS.since(f"{seen}: a model has several widths", FITS + 0.02, expected=expected, got=got)
    if last and given is not None and len(given) == 3 and min(expected, got) >= LEAST_ENCODER:
        whose = f"{seen} on the last of three axes, if these are the tokens of a text or an image"
        yield causes.OTHER_ENCODER.since(whose, COMMON + 0.1, expected=expected, got=got)
    if last and given is not None and len(given) == 3 and (patches := sizes.patches(expected, got)):
        side, taken, come = patches
        cut = f"{expected} = {taken} x {side} x {side} and {got} = {come} x {side} x {side}: values of a patch"
        images = f"{cut}, of images with {taken} and with {come} channels"
        yield causes.STACKED_INPUT.since(images, FITS + 0.03, a=come, b=taken)
    for each in widths(None, expected, got):
        # a LayerNorm stands behind no flattening, a BatchNorm behind no encoder
        same = (causes.OTHER_INPUT_SIZE, causes.NOT_POOLED) if last else (causes.OTHER_ENCODER,)
        if each.cause not in (causes.BOTH_DIRECTIONS, causes.BRANCH_LOST, NOT_JOINED, *same):
            yield each
    times = sizes.ratio(expected, got)
    if times == 2:
        twice = f"{max(expected, got)} is twice {min(expected, got)}"
        usual = sizes.is_width(expected) and sizes.is_width(got) and 64 < max(expected, got) <= 2048
        yield causes.BOTH_DIRECTIONS.since(twice, COMMON + 0.02 if usual else FITS)
    if not times and not last and given is None:
        moved = f"{seen}, {sizes.in_ratio(expected, got)}: another axis stands in the place of the channels"
        # a width against a number of points or samples, rather than two widths
        likely = COMMON + (0.06 if expected % 32 == 0 != got % 32 else 0.04)
        yield causes.LOST_AXIS.since(moved, likely)
        yield POINTS_FIRST.since(f"{moved}: (batch, {got}, {expected})", FITS + 0.02)
    if times and times >= 4 and got > 1 and not last and given is None:
        places = f"{seen}, if axis 1 counts points or steps: (batch, {got}, {expected})"
        yield POINTS_FIRST.since(places, COMMON + 0.11)
    if got == 1 and not last and given is None:
        yield POINTS_FIRST.since(f"{seen}, if axis 1 counts points or steps: (batch, 1, {expected})", FITS + 0.06)
    if times and not last and abs(expected - got) > 3:
        yield causes.BATCH_IN_VIEW.since(f"{max(expected, got)} is {times} times {min(expected, got)}", COMMON + 0.1)
    if times:
        yield causes.BRANCH_LOST.since(f"{max(expected, got)} is {times} times {min(expected, got)}", COMMON)


def one_value(pasted: Pasted) -> Told:
    given = facts.shape(pasted, "input")
    shape = f" of shape {shaped(given)}" if given is not None else ""
    headline = f"a normalisation in training gets one value per channel: an input{shape}"
    meaning = (
        "In training, BatchNorm takes mean and variance of each channel over the batch and all positions. With a "
        "batch of one and no (or one) position there is a single value per channel, and no variance."
    )
    if facts.word(pasted, "op") == "instance_norm":
        meaning = (
            "In training, InstanceNorm takes mean and variance of each channel of each sample over its positions. "
            "With a single position there is one value, and no variance."
        )
        return told(pasted, "SW507", headline, meaning, _of_one_place(given))
    pooled = given is not None and len(given) > 2
    parallel = pasted.runs("data_parallel", "distributed", "parallel_apply") or "distributed" in pasted.wrapped_by
    evidence = [
        ONE_SAMPLE.since(f"the first axis is {sized(given[0])}" if given else "the message says it", SAID),
        POOLED_TO_ONE.since(
            f"{shaped(given)}: height and width are 1" if pooled else "a dense head has one value per sample",
            NUMBERS if pooled else COMMON,
        ),
        EVALUATION.since("in evaluation mode the running statistics are used and one sample will do", FITS),
        ONE_SAMPLE_PER_DEVICE.since(
            "it was raised in a replica" if parallel else "a common cause", FITS if parallel else RARE
        ),
    ]
    return told(pasted, "SW507", headline, meaning, evidence)


def _of_one_place(given: Shape | None) -> Iterator[Evidence]:
    seen = f"{shaped(given)}: one position for each sample, whatever the batch"
    yield causes.TOO_SMALL.since(seen, NUMBERS)
    yield POOLED_TO_ONE.since(seen, FITS + 0.08)
    yield causes.OTHER_INPUT_SIZE.since(f"{seen}: at the configured size there are more", COMMON + 0.02)
    yield EVALUATION.since(seen, RARE)


EVALUATION = Cause(
    "the model is in training mode where it is only to predict (validation, export, a trial pass with one sample), "
    "or a frozen part was not put into evaluation mode",
    "Call `model.eval()` (or `layer.eval()` on the frozen BatchNorm layers) before.",
    code={"torch": "model.eval()"},
)
