"""Axes are cut, merged and moved by a pattern (einops), and the tensor does not have them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.wording import plural, shaped
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape

NOT_DIVISIBLE = Cause(
    "an axis is not divisible into the parts that the pattern cuts it into (patches, frames, groups, heads, windows, "
    "shares of parallel devices)",
    "Pad or crop that axis to a multiple of the part's size (of the patch size times the downsampling), or change the "
    "part's size.",
    "Print the axis, the part's size and the rest of the division.",
)
IMAGE_FOR_FEATURES = Cause(
    "an image's channels are cut into groups or heads, where features are meant: a layer stands too early, or is put "
    "at the image's own level for this size",
    "Leave the layer out at that level, or give it the features after the first convolution.",
    "Print the shape that enters, and the setting that says where the layer stands.",
)
LACKS_AXIS = Cause(
    "the tensor lacks an axis that this layer works on (frames, patches, heads, height and width): the layer is of "
    "another kind than its input (for clips, for maps), or the example it is used after does not belong to the code",
    "Give the axis that the pattern names, or use the layer that is made for such an input.",
    "Say what each letter of the pattern stands for, and compare with the shape.",
)
EXTRA_TOKENS = Cause(
    "the axis holds other values than the grid that the pattern takes it for: extra tokens (class, text, reference, "
    "register tokens), or tokens padded or cut for parallel devices",
    "Take the extra tokens off before the rearrangement and put them back after it, or compute the grid from the data.",
    "Compare the axis with the product of the named sizes.",
)


OTHER_GRID = Cause(
    "height and width (or the number of frames) that the pattern is told are not those of the tokens: they are fixed "
    "for another image size or aspect, taken as a square, or rounded by a division",
    "Take them from the map that the tokens were made of.",
    "Print height, width and their product beside the number of tokens.",
)


ALREADY_SO = Cause(
    "the tensor has the form already that the pattern is to give it: the rearrangement is done twice (a hook or "
    "wrapper within another, a layer that does it too), or this value never had the axes merged",
    "Rearrange it once, in one of the two places; take the second wrapper off.",
    "Print the shape before and after each rearrangement on the way.",
)
OTHER_FRAMES = Cause(
    "the number that the pattern is told ({told} frames, views or windows of each sample) is not the one that came: "
    "the axis holds all of them for the whole batch, and with guidance each two or three times",
    "Take the number from what was sampled, or sample as many as are set.",
    "Divide {came} by the batch, and by two or three with guidance, and compare with {told}.",
)


def _sides(left: str, given: Shape | None, size: int) -> str:
    """The names of the group on the axis of this size, if they are those of places: `h w`, `t h w`."""
    axes = re.findall(r"\([^()]*\)|\S+", left)
    if given is None or len(axes) != len(given) or size not in given:
        return ""
    names = axes[given.index(size)].strip("()").split()
    return " ".join(names) if len(names) > 1 and {"h", "w"} <= {name.lower()[0] for name in names} else ""


def pattern(pasted: Pasted) -> Told:
    text, detail = facts.word(pasted, "pattern"), facts.word(pasted, "detail") or pasted.reading.message
    given = facts.shape(pasted, "input")
    of = f" of {shaped(given)}" if given is not None else ""
    cut, other = _cut(detail), _against(detail)
    what = (
        f": {cut[0]} cannot be divided by {cut[1]}"
        if cut
        else f": {other[0]} values on an axis that should have {other[1]}"
        if other
        else f": it names {plural(names, 'axis', 'axes')}, and the tensor has {len(given)}"
        if given is not None and (names := _named(text) or _expected(detail)) not in (0, len(given))
        else ""
    )
    headline = f"the pattern {f'`{text}` ' if text else ''}does not fit the tensor{of}{what}"
    meaning = (
        "The left side of the pattern names the axes of what comes, one name each; names in parentheses share one "
        f"axis, whose size is their product.{f' Here{what[1:]}.' if what else ''}"
    )
    return told(pasted, "SW303", headline, meaning, _of_pattern(text, detail, given, cut, other))


def _named(text: str) -> int:
    """How many axes the left side of a pattern names; 0 where it leaves that open."""
    left = text.split("->")[0]
    return 0 if "..." in left else len(re.sub(r"\([^()]*\)", "x", left).split())


def _expected(detail: str) -> int:
    """How many axes the library says it expected; 0 where it does not say so."""
    found = re.search(r"expected (\d{1,2}) dim", detail, re.IGNORECASE)
    return int(found[1]) if found else 0


def _cut(detail: str) -> tuple[int, int] | None:
    found = re.search(r"divide axis of length (\d{1,15}) in chunks of (\d{1,15})", detail)
    return (int(found[1]), int(found[2])) if found else None


def _against(detail: str) -> tuple[int, int] | None:
    found = re.search(r"mismatch,? (\d{1,15}) != (\d{1,15})", detail)
    return (int(found[1]), int(found[2])) if found else None


def _of_pattern(
    text: str, detail: str, given: Shape | None, cut: tuple[int, int] | None, other: tuple[int, int] | None
) -> Iterator[Evidence]:
    left = text.split("->")[0]
    grouped = re.findall(r"\(([^()]*)\)", left)
    names = _named(text) or _expected(detail)
    if cut:
        yield NOT_DIVISIBLE.since(
            f"{cut[0]} = {cut[0] // cut[1]} x {cut[1]} + {cut[0] % cut[1]}" if cut[1] else detail,
            NUMBERS,  # named it would say the message again
        )
        merged: list[str] = next((group.split() for group in grouped if group.split()[:1] in (["b"], ["B"])), [])
        of_batch = given is not None and len(given) > 0 and given[0] == cut[0] and text.startswith("(") and merged
        if of_batch:
            count = f"({' '.join(merged)}) is {cut[0]}, all that the batch holds"
            yield OTHER_FRAMES.since(count, FITS + 0.1, told=cut[1], came=cut[0])
        letters = {
            letter for name in re.findall(r"[A-Za-z]\w*", left) for letter in (name[0].lower(), name[-1].lower())
        }
        maps = not text or {"h", "w"} <= letters
        if cut[0] % 2 and cut[0] > 1 and maps:
            yield causes.ODD_SIZE.since(f"{cut[0]} is odd", FITS)
        if given is not None and len(given) > 2 and given[-1] == given[-2] == cut[0] and not maps:
            square = f"{shaped(given)} ends with two axes of {cut[0]}, as a table of all steps against all others"
            yield causes.OTHER_VALUE.since(square, FITS + 0.04)
        yield EXTRA_TOKENS.since(f"{cut[0]} is no multiple of {cut[1]}", RARE if of_batch else COMMON)
        if cut[0] in (1, 3, 4):
            colours = f"{cut[0]} is an image's number of channels"
            yield IMAGE_FOR_FEATURES.since(colours, FITS - 0.02)
            yield causes.OTHER_RELEASE.since(f"{colours}: a layer that is built for this size too by mistake", COMMON)
    elif other:
        sides = _sides(left, given, other[0])
        whole = sizes.is_width(other[0]) and sizes.is_width(other[1]) and not sides
        if sides and abs(other[0] - other[1]) > 2:
            places = f"{other[0]} places come, and ({sides}) makes {other[1]}"
            yield OTHER_GRID.since(places, NUMBERS - 0.02)
        parted = f"{abs(other[0] - other[1])} values too {'many' if other[0] > other[1] else 'few'}"
        few = sides or abs(other[0] - other[1]) <= max(2, other[1] // 10)
        yield EXTRA_TOKENS.since(parted, RARE if whole else NUMBERS if few else COMMON + 0.1)
        if whole:
            widths = f"{other[0]} against {other[1]}: widths as encoders have them, cut into heads"
            yield causes.OTHER_ENCODER.since(widths, FITS + 0.06, expected=other[1], got=other[0])
        yield NOT_DIVISIBLE.since(f"{other[0]} is not {other[1]}", FITS)
        yield causes.OTHER_SETTING.since(f"{other[0]} is not {other[1]}", FITS - 0.02, expected=other[1], got=other[0])
    elif _expected(detail):
        ranks = "the pattern and the tensor have another number of axes"
        fewer = given is not None and len(given) < names
        yield causes.MISSING_BATCH.since(ranks, FITS if fewer else RARE)
        yield causes.EXTRA_AXIS.since(ranks, RARE if fewer else FITS - 0.02)
        alone = given is not None and len(given) == 1
        yield causes.LOST_AXIS.since(ranks, FITS + 0.14 if alone and fewer else FITS if fewer else RARE)
        if fewer and alone:
            flat = f"{ranks}: one axis alone, as a call of another release (or an option) may give it"
            yield causes.OTHER_RELEASE.since(flat, FITS + 0.08)
    elif grouped and (given is None or not names or names == len(given)):
        seen = f"the pattern cuts an axis into ({') and ('.join(grouped)})"
        yield NOT_DIVISIBLE.since(seen, FITS + 0.05)
        yield EXTRA_TOKENS.since(seen, COMMON + 0.05)
    if not cut and given is not None and names and names != len(given):
        count = f"the pattern names {names} axes, the tensor has {len(given)}"
        if names > len(given):
            yield LACKS_AXIS.since(count, FITS + 0.04)
        if names - len(given) >= 2:
            fewer_still = f"{count}: another value, as arguments in another order give (tokens for a map or clip)"
            yield causes.OTHER_VALUE.since(fewer_still, FITS + 0.05)
        yield causes.MISSING_BATCH.since(count, FITS + 0.12 if names - len(given) == 1 else RARE)
        yield causes.EXTRA_AXIS.since(count, FITS + 0.12 if names < len(given) else RARE)
        if names < len(given) == _named(text.partition("->")[2]):
            yield ALREADY_SO.since(f"{count}, as many as its right side names", FITS + 0.15)
    yield causes.SWAPPED.since("with its axes in another order the pattern finds other sizes", COMMON - 0.05)
    yield causes.OTHER_RESOLUTION.since("the pattern's sizes may belong to another resolution", RARE)
