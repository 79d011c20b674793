"""A convolution gets another number of channels than its weight has, or groups that do not divide them."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, roles, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.wording import plural, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

FILTER_LAYOUT = Cause(
    "the filter's own axes are in another order than the convolution takes: a transposed convolution takes (inputs, "
    "outputs, ...), a plain one (outputs, inputs, ...), and TensorFlow puts both last",
    "Swap the first two axes of the filter.",
    "Print the filter's shape, and see where it is made or from which framework it comes.",
    {"torch": "weight = weight.transpose(0, 1)"},
)
GROUPS_KEPT = Cause(
    "the channels were changed and the groups were not: their number belongs to another width",
    "Choose groups that divide both numbers of channels (1, or the number of channels for a depthwise convolution).",
    "Print both numbers of channels.",
)


ROUNDED_TO_NONE = Cause(
    "the layer computes its channels by a division (`channels // 2` of complex or paired layers, `// groups`, a ratio) "
    "that comes out as 0: the input has fewer channels than one part needs",
    "Give it as many channels as it takes in one part (real and imaginary, say), or a smaller divisor.",
    "Print the number of channels that the layer was built with, and what it is divided by.",
)
SOUND = ("audio", "wav", "speech", "sound", "voice", "feats", "fbank", "mel", "mfcc", "spec", "pcm")


def is_sound(name: str) -> bool:
    """Whether an input is called as those of sound are."""
    return any(word in name.lower() for word in SOUND)


def channels(pasted: Pasted) -> Told:
    weight, given = facts.shape(pasted, "weight"), facts.shape(pasted, "input")
    groups = facts.size(pasted, "groups") or 1
    transposed = facts.flag(pasted, "transposed")
    last = facts.flag(pasted, "channels_last")
    axis = _channels_axis(given, weight, last, pasted.reading.framework)
    got = facts.size(pasted, "got")
    if got is None and given and axis is not None:
        got = given[axis]
    expected = facts.size(pasted, "expected")
    if expected is None and weight is not None:
        expected = _taken(weight, groups, transposed, last)
    what = "transposed convolution" if transposed else "convolution"
    came = f"its input {shaped(given)} has {sized(got)}" if given is not None else f"{sized(got)} come"
    headline = f"a {what} takes {plural(expected, 'channel')}, and {came}"
    made = f" (its weight is {shaped(weight)})" if weight is not None else ""
    where = f", on axis {axis}" if axis is not None else ""
    grouped = f" with {groups} groups" if groups > 1 else ""
    meaning = (
        f"The weight of a convolution is made for one number of input channels{made}{grouped}: {sized(expected)} "
        f"here. The input has {sized(got)}{where}."
    )
    found = list(images(pasted, given, expected, got, axis))
    if weight is not None:
        found += _of_weight(weight, expected, got, groups, transposed)
    return told(pasted, "SW501", headline, meaning, found, facts.word(pasted, "layer"))


def _channels_axis(given: Shape | None, weight: Shape | None, last: bool, framework: str) -> int | None:
    if given is None:
        return None
    if last or framework in roles.CHANNELS_LAST_FRAMEWORKS:
        return len(given) - 1
    return 0 if weight is not None and len(given) == len(weight) - 1 else min(1, len(given) - 1)


def _taken(weight: Shape, groups: int, transposed: bool, last: bool) -> Size:
    if last:
        return weight[-2] if len(weight) > 1 else None
    if transposed:
        return weight[0] if weight else None
    return weight[1] * groups if len(weight) > 1 and weight[1] is not None else None


def images(pasted: Pasted, given: Shape | None, expected: Size, got: Size, axis: int | None) -> Iterator[Evidence]:
    """A layer that works on maps takes `expected` channels, and `got` come."""
    if expected is None or got is None or expected == got:
        common = "a common cause of this error; the message does not tell both numbers"
        yield causes.GREY.since(common, COMMON)
        yield causes.CHANNELS_LAST.since(common, COMMON)
        yield causes.BRANCH_LOST.since(common, RARE)
        return
    seen = f"{plural(got, 'channel')} against {expected} expected"
    if expected == 0:
        yield ROUNDED_TO_NONE.since(seen, NUMBERS)
        return
    if {got, expected} == {1, 2} and given is not None and len(given) == 3:
        yield causes.STEREO.since(f"{seen}, in {shaped(given)}: sound", NUMBERS)
    elif {got, expected} == {1, 2} and given is not None and len(given) == 4:
        long = _is_spectrogram(given, axis)
        spectrogram = f"{seen}, in {shaped(given)}: {'long and narrow, as' if long else 'if it is'} a spectrogram"
        yield causes.STEREO.since(spectrogram, NUMBERS if long else FITS - 0.04)
        yield causes.STACKED_INPUT.since(
            f"{seen}: one map for a pair, or a pair for one", FITS + 0.02, a=got, b=expected
        )
        if got == 2:
            yield causes.ALPHA.since(f"{seen}: grey and alpha", FITS + 0.01)
    elif (got, expected) == (1, 3):
        yield causes.GREY.since(f"{seen}: grey images for a layer that takes RGB", NUMBERS)
        yield causes.STACKED_INPUT.since(seen, RARE, a=got, b=expected)
    elif (got, expected) == (3, 1):
        yield causes.COLOUR.since(f"{seen}: RGB images for a layer that takes grey ones", NUMBERS)
    elif got in (2, 4) and expected in (1, 3) and given is not None and len(given) == 5:
        volumes = f"{seen}, in {shaped(given)}: modalities (or phases) of volumes, one on each channel"
        yield causes.STACKED_INPUT.since(volumes, FITS + 0.08, a=got, b=expected)
        yield causes.OTHER_SETTING.since(volumes, FITS, expected=expected, got=got)
    elif got in (2, 4) and expected in (1, 3):
        yield causes.ALPHA.since(f"{seen}: {'RGB' if got == 4 else 'grey'} and alpha", NUMBERS if got == 4 else FITS)
        yield causes.STACKED_INPUT.since(seen, COMMON, a=got, b=expected)
    elif expected <= 32 and got <= 32 and (expected < 16 or got < 16):
        if {expected, got} <= {4, 8, 9, 12, 16, 32, 33, 36} and got != expected:
            yield OTHER_LATENTS.since(f"{seen}: both are numbers that latents of image models have", FITS + 0.06)
        yield causes.STACKED_INPUT.since(
            f"{seen}: numbers of inputs rather than of filters", FITS + 0.02, a=got, b=expected
        )
        if got == 1:
            yield causes.GREY.since(seen, FITS if expected % 3 == 0 else COMMON - 0.1)
    if 5 <= expected <= 12 and 1 <= got - expected <= expected // 3:
        several = f"{seen}: of several images beside each other, each with alpha has one more"
        yield causes.ALPHA.since(several, FITS - 0.05)
    if expected == 4 * got and got in (1, 3):
        folded = f"{seen}: {expected} = 2 x 2 x {got}, as where pixels are folded into channels (Focus, space to depth)"
        yield causes.OTHER_RELEASE.since(folded, FITS - 0.04)
    if expected in (1, 3, 4) and got in BANDS:
        more = f"{seen}: {got} is a number of bands of satellites and other sensors"
        latents = (expected, got) == (4, 8)
        yield MORE_BANDS.since(more, FITS + 0.06 if got in (12, 13) else RARE if latents else FITS - 0.02)
    if given is not None and got > 4 and axis == 1 and expected == 1 == given[0] and len(given) in (3, 4):
        front = f"{seen}, and {shaped(given)} begins with 1: {got} samples, with the axis of 1 in front of them"
        yield AXIS_IN_FRONT.since(front, FITS + 0.08 if len(given) == 3 else FITS + 0.05)
    if bands := sizes.spectra(expected, got):
        yield causes.OTHER_SPECTRUM.since(f"{seen}: {bands}", NUMBERS - 0.02)
    filters = expected % 8 == 0 and got % 8 == 0
    if (
        given is not None
        and min(size or 0 for size in given[2:] or (0,)) >= 128
        and max(expected, got) > 4
        and not filters
    ):
        entry = f"{seen}, no numbers of filters, and the map is as large as an image: the data enter here"
        yield causes.STACKED_INPUT.since(entry, FITS + 0.03, a=got, b=expected)
        yield causes.OTHER_SETTING.since(entry, FITS, expected=expected, got=got)
        if abs(expected - got) == 2 and min(expected, got) > 1:
            others = max(expected, got) - 3
            mixed = f"{seen}: 3 + {others} with an image of colours among them, 1 + {others} with a grey one"
            yield causes.GREY.since(mixed, FITS + 0.02) if got < expected else causes.COLOUR.since(mixed, FITS - 0.06)
    yield from _of_order(given, expected, got, axis)
    if max(expected, got) > 16 and min(expected, got) > 4:
        yield from _of_features(pasted, seen, expected, got)
    elif min(expected, got) <= 4 and max(expected, got) > 16:
        thing = "an image" if got <= 4 else "features of a deeper layer"
        where = "features are" if got <= 4 else "an image is"
        yield causes.OTHER_VALUE.since(f"{seen}: {thing} where {where} expected", FITS)
    if given is not None and len(given) == 3 and axis == 0:
        yield causes.MISSING_CHANNELS.since(
            f"{shaped(given)} is taken as one image of {got} channels, and may be {got} images without a channel", FITS
        )
    if given is not None and len(given) == 3 and axis == 1 and min(expected, got) > 4:
        steps = f"{seen}, in a sequence: the features of each step, as their extraction is set (bands, bins, columns)"
        yield causes.OTHER_SETTING.since(steps, FITS + 0.04, expected=expected, got=got)
    if given is not None and len(given) >= 4 and set(given[2:]) == {1}:
        vector = f"{shaped(given)} is a vector for each sample, whose length is set in two places"
        yield causes.OTHER_SETTING.since(vector, FITS + 0.04, expected=expected, got=got)
    yield causes.BRANCH_LOST.since(seen, RARE)
    yield causes.OTHER_SETTING.since(seen, COMMON - 0.05, expected=expected, got=got)
    yield causes.OTHER_VALUE.since(seen, COMMON - 0.08)
    yield causes.OTHER_RELEASE.since(f"{seen}: model code and weights change from release to release", COMMON - 0.09)


BANDS = frozenset({5, 6, 7, 8, 10, 11, 12, 13, 31, 102, 103, 144, 172, 176, 191, 198, 200, 204, 220, 224, 242})
"""Of cameras, satellites and the hyperspectral scenes that are known."""
MORE_BANDS = Cause(
    "the images have more bands than the colours the first layer was built (and trained) for: multispectral or "
    "hyperspectral data",
    "Build the first layer for all bands (and adapt its pretrained weight, or train it anew), or choose three of them.",
    "Print the number of bands of one file.",
    {"torch": "model = timm.create_model(name, pretrained=True, in_chans=13)"},
)
AXIS_IN_FRONT = Cause(
    "the axis of 1 that was added stands in front of the samples in place of behind them: `unsqueeze(0)` for "
    "`unsqueeze(1)`, so that the samples are taken for channels",
    "Add the channel axis behind the batch.",
    "Print the shape before the axis is added.",
    {"torch": "x = x.unsqueeze(1)    # (N, L) to (N, 1, L), (N, H, W) to (N, 1, H, W)"},
)


def _is_spectrogram(given: Shape, axis: int | None) -> bool:
    """Whether a map is more than four times as long as it is high, and no higher than frames have bins."""
    sides = sorted(size for at, size in enumerate(given) if at not in (0, axis) and size is not None)
    return len(sides) == 2 and 4 * sides[0] < sides[1] and 16 <= sides[0] <= 1025


OTHER_LATENTS = Cause(
    "the latents are of another model family: another autoencoder (4 channels, 16 or more), or a model that takes a "
    "mask or an image beside them (8, 9, 33, 36)",
    "Use the autoencoder, the empty latent and the model (or adapter) that belong together.",
    "Compare the latents' channels with the `in_channels` of the model.",
)


def _of_order(given: Shape | None, expected: int, got: int, axis: int | None) -> Iterator[Evidence]:
    if given is None:
        return
    elsewhere = [other for other in sizes.axes_of(expected, given) if other != axis and (other > 0 or len(given) == 3)]
    if elsewhere:
        taken = f", and the channels are taken from axis {axis}" if axis is not None else ""
        found = f"{expected} stands on axis {elsewhere[0]} of {shaped(given)}{taken}"
        strong = expected > 1 and (got > 4 or expected == 3) and (elsewhere[0] in (len(given) - 1, 1, 0))
        steps = expected == 1 == given[-1] and len(given) == 3 and axis == 1  # (batch, steps, 1)
        volumes = expected == 1 and got > 4 and len(given) == 5 and elsewhere[0] == 2  # (batch, depth, 1, ...)
        maybe = NUMBERS if steps else FITS + 0.06 if volumes else FITS if expected > 1 else COMMON
        if len(given) == 4 and given[2] == given[3] == expected and axis == 1:
            # the sides of a square: with the channels last one of them would be a side and the other not
            strong, maybe = False, COMMON - 0.1
        yield causes.CHANNELS_LAST.since(found, SAID - 0.05 if strong else maybe)
    elif given and given[-1] in (1, 3, 4) and got > 16 and axis != len(given) - 1 and given[-1] != given[-2]:
        found = f"{shaped(given)} ends with {given[-1]}, as channels-last images do"
        yield causes.CHANNELS_LAST.since(found, NUMBERS)
    elif len(given) == 5 and sizes.axes_of(3, given[1:]):
        yield causes.SWAPPED.since(f"{shaped(given)} holds channels and frames on neighbouring axes", COMMON)


def _of_features(pasted: Pasted, seen: str, expected: int, got: int) -> Iterator[Evidence]:
    times = sizes.ratio(expected, got)
    fewer = f"{seen}: {expected - got} too few" if got < expected else f"{seen}: {got - expected} too many"
    stages = sizes.is_power_of_two(times) and (times or 0) >= 4 and min(expected, got) % 32 == 0
    yield causes.BRANCH_LOST.since(
        f"{fewer}, as a skip or concatenated branch that is missing or another makes it",
        FITS - 0.02 if stages else FITS + 0.02,
    )
    if stages:
        between = f"{seen}: channels double from stage to stage, so others lie between the two: the output of another"
        yield causes.OTHER_VALUE.since(f"{between} stage comes (one was left out, done twice or overwritten)", FITS)
    both = sizes.is_width(expected) and sizes.is_width(got)
    yield causes.OTHER_ENCODER.since(
        f"{seen}: widths as encoders and their stages have them" if both else seen,
        FITS if both else COMMON - 0.05,
        expected=expected,
        got=got,
    )
    if times == 2:
        yield causes.BOTH_DIRECTIONS.since(f"{seen}: one is twice the other", COMMON)
    scaled = f"{seen}: a width factor, a variant or a list of channels that is set in two places"
    yield causes.OTHER_SETTING.since(scaled, COMMON - 0.01, expected=expected, got=got)
    if pasted.runs("decoder", "unet", "skip", "torch.cat", "concat"):
        yield causes.BRANCH_LOST.since("the names in the lines above it speak of a decoder or a concatenation", NUMBERS)


def _of_weight(weight: Shape, expected: Size, got: Size, groups: int, transposed: bool) -> Iterator[Evidence]:
    if len(weight) < 3 or got is None:
        return
    other = weight[1] if transposed else weight[0]
    if other == got and other != expected and got > 4:
        name = "transposed convolution" if transposed else "convolution"
        seen = f"{got} is the size of the filter's other channel axis, {shaped(weight)}, for a {name}"
        yield FILTER_LAYOUT.since(seen, FITS + 0.15 if transposed else RARE + 0.05)
    if groups > 1 and weight[1] is not None:
        grouped = f"{groups} groups of {weight[1]} channels are {groups * weight[1]}"
        yield GROUPS_KEPT.since(grouped, COMMON)
        one_setting = f"{grouped}: grouped layers follow the width that is set, and joins seldom stand before them"
        yield causes.OTHER_SETTING.since(one_setting, FITS - 0.02, expected=expected, got=got)


# Groups


def groups(pasted: Pasted) -> Told:
    count, parts = facts.size(pasted, "channels"), facts.size(pasted, "groups")
    given = facts.shape(pasted, "input")
    if count is None and given is not None and len(given) > 1:
        count = given[1]
    sizes_said = f": {sized(count)} channels, {sized(parts)} groups" if count is not None or parts is not None else ""
    headline = f"the channels cannot be divided into the groups{sizes_said}"
    meaning = (
        "A grouped convolution or normalisation gives each group an equal number of channels, so the channels must "
        f"be a multiple of the groups{sizes_said}."
    )
    return told(pasted, "SW506", headline, meaning, _of_groups(count, parts))


def _of_groups(count: Size, parts: Size) -> Iterator[Evidence]:
    known = count is not None and parts is not None and parts > 0
    seen = f"{count} = {count // parts} x {parts} + {count % parts}" if known else "the message says it"  # type: ignore[operator]
    yield GROUPS_KEPT.since(seen, NUMBERS if known else FITS)
    if count in (1, 3, 4):
        yield causes.OTHER_VALUE.since(f"{count} channels are an image's, not those of features", FITS)
    if known and count is not None and parts is not None and count < parts:
        yield causes.OTHER_SETTING.since(
            f"there are fewer channels than groups: {count} for {parts}", FITS, expected=parts, got=count
        )
    yield causes.CHANNELS_LAST.since("with another axis taken for the channels their number is another", COMMON - 0.05)
    yield causes.OTHER_ENCODER.since(
        "features of another width came", RARE, expected=f"a multiple of {sized(parts)}", got=count
    )
