"""An axis is asked for that the value does not have, or that cannot be taken off; an order that names too few axes."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, facts
from shapewatch.messages.faults.evidence import COMMON, FITS, RARE, Cause, Evidence, told
from shapewatch.messages.faults.operations import AT_LEAST_ONE
from shapewatch.messages.faults.rank import FLAT_LIST
from shapewatch.messages.faults.wording import of_rank, plural, sized
from shapewatch.messages.nouns import Pasted, Told


def axis_range(pasted: Pasted) -> Told:
    axis, had, most = (facts.size(pasted, name) for name in ("axis", "rank", "most"))
    had = most + 1 if had is None and most is not None else had
    op = facts.word(pasted, "op") or "the operation"
    named, size = facts.size(pasted, "given", "got"), facts.size(pasted, "size")
    valued = f", and the value has {of_rank(had)}" if had is not None else ""
    if op.lower() == "squeeze":
        holds = "holds more than one entry" if size is None else f"holds {plural(size, 'entry', 'entries')}"
        headline = f"{op} is to take off {'an axis' if axis is None else f'axis {axis}'}, which {holds}"
        meaning = f"Only an axis of 1 can be squeezed; this one {holds}."
    elif axis is None and named is not None and had is not None and named != had:
        headline = f"{op} names {of_rank(named)}{valued}"
        meaning = (
            f"Here {of_rank(named)} {'is' if named == 1 else 'are'} named{valued}. The value came with another rank "
            "than this line was written for."
        )
    elif axis is None and op.lower() in ORDERS:
        headline = f"the axes that {op} names are not those of the value{valued}"
        meaning = (
            "An order of axes must name every axis of the value, each once. The value came with another rank than this "
            "line was written for, or the order is not a whole one."
        )
    elif axis is None or had is None or abs(axis) >= had:
        headline = (
            f"{op} asks for {f'axis {axis}' if axis is not None else 'axes that the value does not have'}{valued}"
        )
        meaning = (
            f"An axis is named that the value does not have{valued}; axes are counted from 0, or from -1 at the end. "
            "The value came with another rank than this line was written for."
        )
    else:
        headline = f"{op} asks for axis {axis}{valued}"
        meaning = "The axes that are named do not fit the value's rank."
    return told(pasted, "SW304", headline, meaning, _of_axes(pasted, axis, had, named))


ORDERS = ("permute", "transpose", "movedim", "flatten", "roll")
"""Operations that are given several axes, in an order."""


def _of_squeeze(seen: str) -> Iterator[Evidence]:
    labels = f"{seen}: losses and metrics of class numbers squeeze the labels, (N, 1) to (N,)"
    yield causes.ONE_HOT.since(labels, FITS + 0.12)
    yield AT_LEAST_ONE.since(seen, FITS + 0.05)
    yield causes.NOT_POOLED.since(f"{seen}: a map of one place is counted on", COMMON + 0.05)
    yield causes.OTHER_INPUT_SIZE.since(f"{seen}: of a larger input the last map has more than one place", COMMON)
    yield causes.OTHER_RELEASE.since(seen, RARE)


OTHER_COUNT = Cause(
    "the axes are written down for values of another rank: those of volumes or clips where images come, of batches "
    "where single samples come, or the other way round",
    "Name the axes from the end (-1, -2), or bring the value to the rank that the line was written for.",
    "Print the value's shape just before this line.",
)


ONE_OBJECT = Cause(
    "the array has no axes, because it holds one object: a file that was not read (nothing), a dictionary that was "
    "saved as an array, a generator or `map` that was not made a list; or one entry, whose axis was squeezed away",
    "Take the object out (`np.load(path, allow_pickle=True).item()`), make the list first (`list(...)`), or read the "
    "file from the right path.",
    "Print its dtype and its content.",
    {"numpy": "data = np.load(path, allow_pickle=True).item()"},
)


def _of_indexing(named: int, had: int) -> Iterator[Evidence]:
    seen = f"{named} indices for {of_rank(had)}"
    if had == 0:
        yield ONE_OBJECT.since(seen, FITS + 0.1)
    elif had == 1:
        yield FLAT_LIST.since(f"{seen}: rows are counted on, each with columns", FITS + 0.06)
    elif (named, had) == (3, 2):
        grey = f"{seen}: greyscale images are read without the axis of the channels"
        yield causes.MISSING_CHANNELS.since(grey, FITS + 0.06)


def _of_axes(pasted: Pasted, axis: int | None, had: int | None, named: int | None) -> Iterator[Evidence]:
    if (size := facts.size(pasted, "size")) not in (None, 0, 1):
        yield from _of_squeeze(f"axis {sized(axis)} has {size} entries, and only an axis of 1 can be squeezed")
        return
    op = facts.word(pasted, "op").lower()
    if axis is None and named is not None and had is not None and had > named:
        more = f"{of_rank(named)} named, and {had} there"
        yield causes.EXTRA_AXIS.since(more, FITS + 0.1)
        yield OTHER_COUNT.since(more, FITS + 0.06)
        yield causes.OTHER_VALUE.since(more, COMMON)
        return
    if had == 3 and op == "transpose":
        grey = "a map without its channels, as greyscale images are read"
        yield causes.MISSING_CHANNELS.since(grey, FITS - 0.01)
    if op == "indexing" and named is not None and had is not None:
        yield from _of_indexing(named, had)
    if op == "shape" and had is None and pasted.raises("shape[2]"):
        third = "a third axis is asked of the shape: greyscale images are read with two"
        yield causes.MISSING_CHANNELS.since(third, FITS + 0.06 if pasted.raises("im", "frame") else FITS - 0.01)
    if op == "shape" and had is None and pasted.raises("shape[1]"):
        yield FLAT_LIST.since("a second axis is asked of the shape: rows are counted on, with columns", FITS + 0.02)
    if axis == -3 and had == 2:
        grey = "axis -3 is that of an image's channels, and greyscale ones are read without it"
        yield causes.MISSING_CHANNELS.since(grey, FITS + 0.03)
    if op == "permute" and had in (None, 2):
        grey = "an image without its channels, as greyscale ones are read, has an axis fewer than the order names"
        yield causes.MISSING_CHANNELS.since(grey, FITS - 0.01 if had is None else FITS + 0.06)
    seen = f"axis {axis} of {sized(had)}" if axis is not None else "the ranks differ"
    yield causes.MISSING_BATCH.since(f"{seen}: one axis fewer than the line counts on", FITS if had != 0 else COMMON)
    yield causes.LOST_AXIS.since(
        f"{seen}: an axis was squeezed or reduced before", FITS + (0.05 if had in (0, 1) else -0.02)
    )
    yield OTHER_COUNT.since(seen, FITS - 0.01 if op in ORDERS else COMMON)
    if pasted.runs("loss", "criterion", "entropy", "argmax", "softmax"):
        yield causes.TRAILING_ONE.since("the lines above it compute a loss or a choice of classes", FITS)
