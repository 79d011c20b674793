"""Attention: heads that do not divide the width, masks, keys and values of other lengths."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.products import widths
from shapewatch.messages.faults.wording import plural, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape

HEADS = Cause(
    "the number of heads does not belong to this width: it was chosen for another one (another data set, encoder or "
    "configuration), or stands in the place of another setting (the number of layers)",
    "Choose a number of heads that divides the width (1 always does), or a width that is a multiple of the heads.",
    "Print the width and the number of heads that the layer is built with.",
)
WIDTH_IS_LENGTH = Cause(
    "the width is not a number of features: the axes are swapped, or the attention runs over another axis, so that a "
    "sequence length or a number of columns of the data arrives as its width",
    "Project the features to a width that the heads divide, or move the feature axis to the end.",
    "Print the shape that enters, and say what each axis is.",
)
GIVEN_HEAD_SIZE = Cause(
    "the check does not take an explicit head size into account: with one, the width need not be divisible",
    "Choose a divisible width, or a release in which the head size may be set on its own.",
    "See whether a head size is given beside the number of heads.",
)
BATCH_FIRST = Cause(
    "batch and sequence are swapped: `batch_first` or the library's convention is another one than the data follows",
    "Set `batch_first` as the data are laid out, or permute the input; use the library's release that the code was "
    "written for.",
    "See whether the wanted length is the batch size.",
    {"torch": "x = x.transpose(0, 1)    # (N, L, E) to (L, N, E)"},
)
NO_HEAD_AXIS = Cause(
    "the mask lacks the axis of the heads (or the one of the batch)",
    "Add it: the mask must have the shape the message asks for, with 1 where it is to be stretched.",
    "Print the mask's shape.",
    {"torch": "mask = mask[:, None]    # (N, L, S) to (N, 1, L, S)"},
)


def attention(pasted: Pasted) -> Told:
    what = facts.word(pasted, "what") or ("heads" if facts.size(pasted, "num_heads") is not None else "")
    if what == "heads":
        return _heads(pasted)
    if what == "padding":
        return _padding(pasted)
    if what == "batches":
        return _batches(pasted)
    expected, got = facts.shape(pasted, "expected", "key", "left"), facts.shape(pasted, "got", "mask", "value", "right")
    if expected is None and facts.size(pasted, "expected", "embed_dim") is not None and what != "mask":
        return _width(pasted, what)
    wanted, came = facts.size(pasted, "expected"), facts.size(pasted, "got")
    thing = {"mask": "the attention mask", "key": "the key", "value": "the value"}.get(what, "what attention is given")
    if expected is not None or got is not None:
        wants = f", and {shaped(expected)} is needed" if expected is not None else ""
        headline = f"{thing} has shape {shaped(got)}{wants}"
    elif wanted is not None or came is not None:
        headline = f"{thing} has {sized(came)} where {sized(wanted)} is needed"
    else:
        headline = f"{thing} does not fit the tokens"
    meaning = (
        "Attention compares every query with every key: a mask needs as many rows as queries and as many columns as "
        "keys (with batch and heads in front where they are asked for), and there is one value for each key."
    )
    return told(
        pasted,
        "SW103",
        headline,
        f"{meaning} {headline[0].upper()}{headline[1:]}.",
        _mask(expected, got, "2d" in pasted.reading.message.lower()),
    )


def _heads(pasted: Pasted) -> Told:
    width, heads = facts.size(pasted, "embed_dim"), facts.size(pasted, "num_heads")
    numbers = f": width {sized(width)}, {sized(heads)} heads" if width is not None or heads is not None else ""
    headline = f"the attention's width cannot be divided among its heads{numbers}"
    meaning = (
        "Each head takes an equal part of the width, so the width (embed_dim, hidden size) must be a multiple of "
        f"the number of heads{numbers}. It is refused when the layer is built, before any data come."
    )
    return told(pasted, "SW103", headline, meaning, _of_heads(width, heads))


def _of_heads(width: int | None, heads: int | None) -> Iterator[Evidence]:
    if width and heads and width % heads:
        rest = width % heads
        yield HEADS.since(f"{width} = {width // heads} x {heads} + {rest}", NUMBERS)
        if width % 8:
            unusual = f"{width} is {'odd' if width % 2 else 'no multiple of 8'}, unusual for a width"
            yield WIDTH_IS_LENGTH.since(unusual, FITS)
        elif not sizes.is_width(width):
            yield WIDTH_IS_LENGTH.since(f"{width} may be a length as well", COMMON)
    else:
        yield HEADS.since("the message says it", FITS)
        yield WIDTH_IS_LENGTH.since("where the width follows from the data, it need not be divisible", COMMON)
    yield GIVEN_HEAD_SIZE.since("some libraries check it even with an explicit head size", RARE)


def _width(pasted: Pasted, what: str) -> Told:
    expected, got = facts.size(pasted, "expected", "embed_dim"), facts.size(pasted, "got")
    inputs = what if what in ("key", "value") else "inputs"
    headline = f"attention takes {inputs} of width {sized(expected)}, and {sized(got)} comes"
    meaning = (
        f"The layer's projections were made for {sized(expected)} features on the last axis; the input has "
        f"{sized(got)} "
        "there."
    )
    swapped = BATCH_FIRST.since("with batch or sequence on the last axis the width is another", COMMON)
    flat = (causes.OTHER_INPUT_SIZE, causes.NOT_FLATTENED, causes.NOT_POOLED)  # nothing is flattened before attention
    found = [each for each in widths(pasted, expected, got) if each.cause not in flat]
    return told(pasted, "SW103", headline, meaning, [*found, swapped])


def _batches(pasted: Pasted) -> Told:
    """Source and target of an encoder and a decoder, which belong together sample by sample."""
    meaning = (
        "Source and target belong together sample by sample. Which axis counts the samples `batch_first` says, and "
        "without it axis 1 does: both are (steps, batch, features) then."
    )
    return told(pasted, "SW103", "source and target have different batches", meaning, _of_batches())


def _of_batches() -> Iterator[Evidence]:
    one = "one of the two has its batch on axis 0, as without `batch_first=True` neither has"
    yield BATCH_FIRST.since(one, FITS + 0.08)
    made = "queries or a start that are made in the program: the new axis, and what repeats them, stand the wrong way"
    yield causes.SWAPPED.since(made, FITS + 0.02)
    yield causes.OTHER_BATCH.since("the message says so", COMMON + 0.05)
    yield causes.LAST_BATCH.since("the message says so", COMMON)


def _padding(pasted: Pasted) -> Told:
    """The mask of padded keys, (batch, keys)."""
    expected, got = facts.shape(pasted, "expected"), facts.shape(pasted, "got")
    axis, wanted, came = facts.size(pasted, "axis"), facts.size(pasted, "expected"), facts.size(pasted, "got")
    whole = expected is not None
    needs = f"must be {shaped(expected)}" if whole else f"must have {sized(wanted)} on axis {sized(axis)}"
    headline = f"the mask of padded keys {needs}, and {'is ' + shaped(got) if whole else 'has ' + sized(came)}"
    meaning = (
        "The mask of padded keys says for each sample which keys are padding: (batch, keys), whatever the order of "
        f"the axes of the input is. {headline[0].upper()}{headline[1:]}."
    )
    return told(pasted, "SW103", headline, meaning, _of_padding(expected, got, axis, wanted, came))


def _of_padding(
    expected: Shape | None, got: Shape | None, axis: int | None, wanted: int | None, came: int | None
) -> Iterator[Evidence]:
    if expected is not None and got is not None:
        seen = f"{shaped(got)} where {shaped(expected)} is needed"
        turned = len(expected) == 2 and got == expected[::-1] != expected
        if len(expected) != len(got):
            yield causes.EXTRA_AXIS.since(seen, FITS) if len(got) > 2 else causes.LOST_AXIS.since(seen, FITS)
        ahead, behind = (one != other for one, other in zip(expected[:2], (*got, None, None), strict=False))
    else:
        seen = f"{sized(came)} where {sized(wanted)} is needed on axis {sized(axis)}"
        turned, ahead, behind = False, axis == 0, axis == 1
    yield BATCH_FIRST.since(seen, NUMBERS if turned else FITS + 0.02 if ahead else COMMON)
    alone = FITS + 0.01 if ahead and expected is None else COMMON
    yield causes.SWAPPED.since(f"{seen}: (keys, batch) in place of (batch, keys)", NUMBERS if turned else alone)
    if ahead and not turned:
        yield causes.LAST_BATCH.since(f"{seen}: the batches differ", COMMON + 0.05)
    if behind and not turned:
        yield causes.OTHER_LENGTH.since(f"{seen}: the lengths differ", NUMBERS)
        yield MASK_OF_OTHER.since(f"{seen}, if it is the length of the other sequence", FITS)
    yield causes.OTHER_RELEASE.since(f"{seen}: releases differ in what they check", RARE)


MASK_OF_OTHER = Cause(
    "the mask was made for the other sequence or the other attention: that of the target where its keys are the source "
    "(cross-attention), those of source and target in each other's place, or arguments in another order",
    "Pass the mask that belongs to this attention, with as many rows as queries and as many columns as keys, and pass "
    "masks by name.",
    "Print the lengths of source and target, and the shape of each mask.",
    {"torch": "out = model(src, tgt, tgt_mask=tgt_mask, memory_key_padding_mask=src_padding)"},
)


def _mask(expected: Shape | None, got: Shape | None, of_two_axes: bool) -> Iterator[Evidence]:
    """`of_two_axes`: the message says that the mask has two, which fits whatever the heads and the batch are."""
    if expected is None or got is None:
        common = "a common cause of this error"
        yield causes.OTHER_LENGTH.since(common, COMMON)
        yield NO_HEAD_AXIS.since(common, RARE if of_two_axes else COMMON)
        yield causes.OTHER_RELEASE.since("the fast path of some releases takes other masks than the plain one", COMMON)
        # releases that word it without sizes know no `batch_first`
        yield BATCH_FIRST.since(common, COMMON + 0.03 if of_two_axes else RARE)
        return
    if len(expected) != len(got):
        fewer = f"it has {len(got)} axes and needs {len(expected)}"
        same = sizes.squeezed(expected) == sizes.squeezed(got)
        yield NO_HEAD_AXIS.since(fewer + (", and is the same without the axes of 1" if same else ""), NUMBERS)
        yield causes.OTHER_RELEASE.since("model code of another release makes the mask without that axis", COMMON)
    apart = sizes.apart(expected, got)
    behind = len(expected) - (1 if len(got) < len(expected) else 2)
    lengths = sorted({(a, b) for axis, a, b in apart if len(expected) == 2 or axis >= behind})
    if lengths:
        made = "masks, caches and the order of batch and sequence are made otherwise from release to release"
        yield causes.OTHER_RELEASE.since(made, FITS + 0.01)
    for a, b in [each for each in lengths if 0 not in each] or lengths:
        seen, times = f"a length of {b} where {a} is needed", sizes.ratio(a, b)
        yield causes.OTHER_LENGTH.since(seen, FITS + 0.02)
        yield causes.TOO_LONG.since(f"{seen}: the configured length against the tokenised one", FITS)
        if a > b:
            yield causes.CACHE.since(
                f"{a} keys for {plural(b, 'masked position')}" + (f", {times} times as many" if times else ""),
                RARE if len(expected) <= 2 else NUMBERS if times == 2 else FITS + (0.06 if b == 1 else 0),
            )
        if len(expected) == 2 and len(set(expected)) == 1 and len(set(got)) == 1:
            yield BATCH_FIRST.since(
                f"the mask is square with side {b}, and {a} may be the batch size", FITS + 0.05 if a < b else COMMON
            )
    if len(expected) >= 2 and len(got) >= 2 and (queries := expected[-2]) != (keys := expected[-1]) and lengths:
        crossed = f"{queries} queries look at {keys} keys, and the mask is {shaped(got)}"
        if 1 not in (queries, keys) and got[-2] == got[-1] in (queries, keys) and sizes.ratio(queries, keys) != 2:
            yield MASK_OF_OTHER.since(f"{crossed}, for one of the two alone", NUMBERS)
        elif got[-2:] == (keys, queries):
            yield MASK_OF_OTHER.since(f"{crossed}, for the other way round", NUMBERS)
    if any(axis < len(expected) - 2 for axis, _, _ in apart) and len(expected) == len(got):
        front = (expected[0], got[0]) if len(expected) == 3 else (None, None)
        if sizes.is_less(front[1], front[0]) and (heads := sizes.ratio(*front)):
            each = f"{front[0]} = {front[1]} x {heads}: a mask for each sample, where each of {heads} heads needs one"
            yield NO_HEAD_AXIS.since(each, NUMBERS)
        differ = "batch or heads of the mask differ from what is needed"
        yield causes.LAST_BATCH.since(differ, FITS)
        yield causes.OTHER_BATCH.since(f"{differ}: beams, guidance or a cache of another batch", FITS - 0.02)
        yield causes.OTHER_RELEASE.since(f"{differ}: masks are made otherwise from release to release", COMMON + 0.05)
        yield NO_HEAD_AXIS.since(differ, COMMON)
