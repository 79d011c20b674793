"""Reshape, view and rearrange: the values do not fill the shape that is asked for, or lie in another order."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd

from shapewatch.messages.faults import causes, facts, rounding, sizes, taken_apart
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, RARE, SAID, Cause, Evidence, told
from shapewatch.messages.faults.fed import EMPTY, OBJECTS
from shapewatch.messages.faults.meeting.classes import CLASS_COUNTS, OTHER_CLASSES
from shapewatch.messages.faults.operations import NOTHING_COLLECTED
from shapewatch.messages.faults.vocabularies import OTHER_VOCABULARY
from shapewatch.messages.faults.wording import plural, shaped, sized
from shapewatch.messages.nouns import Pasted, Told
from shapewatch.recording import Shape, Size

GRID_OFF = Cause(
    "the tokens lie on a grid of another side than the shape says ({come} x {come} came, {asked} x {asked} is asked "
    "for): an odd map was rounded down on one way and up on the other",
    "Take height and width from the tensor the tokens come from, pad the input to a multiple of the total stride, or "
    "interpolate the map to the grid that is asked for.",
    "Print the height and width of both maps.",
)
NOT_THE_SETTING = Cause(
    "a size in the shape is fixed in the code or the configuration (image side, flattened width, sequence length, "
    "number of boxes, width of an encoder), and the data that came have another",
    "Compute it from the tensor (`x.shape`), pool to a fixed size before, or bring the data to the size that is meant.",
    "Print the tensor's shape just before the line, and say where each number of the shape comes from.",
)
TWO_OPEN = Cause(
    "two sizes of the shape are unknown where one may be: a size that is taken from a symbolic shape, in an "
    "input of any height, width or length or in an exported graph, or -1 written twice",
    "Take the sizes when the model runs, or declare them.",
    "Print the shape that is asked for, and see which of its sizes are open (-1).",
    {"tensorflow": "shape = tf.shape(x)\nx = tf.reshape(x, [shape[0], -1, channels])    # not x.shape[1]"},
)
OF_ONE = Cause(
    "the line was written for a batch of one (or a single number), and more come",
    "Let the first axis follow the data: -1, or `x.shape[0]`.",
    "Print the shape just before this line.",
    {"torch": "x = x.reshape(x.shape[0], -1)"},
)
UNEVEN_ROWS = Cause(
    "the rows do not have one length: what a mask chooses (matches, positives, valid tokens) is another number for "
    "each sample, and cannot be made a table",
    "Choose equally many of each row (sample or sort the batch so that they are), pad them, or reduce each row by "
    "itself.",
    "Count what is chosen in each row.",
)
VALUES_LOST = Cause(
    "values were lost, added or padded before: a layer with a unit too many or too few, tokens beside the grid, a cut "
    "or padded sequence, a filtered batch",
    "Take them off (or count them) before the reshape.",
    "Print the shape before and after each step that changes the length.",
)


LEAST_SIDE = 7
"""Rows and columns of a map, of which fewer divide too many numbers."""
OTHER_MAP = Cause(
    "height and width are taken from another map than the one that is reshaped (the other branch, the input), and the "
    "two differ by a rounding",
    "Take both from the tensor that is reshaped (`x.shape[-2:]`), or resize the one map to the other before.",
    "Print both maps' shapes just before this line.",
)
MOST_CLASSES = 200
"""More are seldom configured for a record."""
MOST_ROWS = 512
"""More values than these are seldom one for each row of a batch."""


def reshape(pasted: Pasted) -> Told:
    asked, given = facts.shape(pasted, "shape"), facts.shape(pasted, "input")
    count = facts.size(pasted, "count")
    if count is None:
        count = sizes.count(given)
    multiple = facts.size(pasted, "multiple")
    wanted = facts.size(pasted, "requested") if asked is None else sizes.count(asked)
    came = f"{sized(count)} values" + (f" ({shaped(given)})" if given is not None else "")
    into = shaped(asked) if asked is not None else _into(multiple, wanted)
    asked_for = multiple if multiple is not None and asked is None else None
    headline = f"{came} cannot be reshaped into {into}"
    needs = _needs(asked, wanted, asked_for)
    meaning = (
        f"A reshape keeps the number of values; an unknown axis (-1) takes what is left, without a rest. {needs} "
        f"There are {came}."
    )
    return told(pasted, "SW301", headline, meaning, _of_reshape(pasted, asked, given, count, multiple))


def _into(multiple: Size, wanted: int | None) -> str:
    if multiple is not None:
        return f"rows of {multiple}"
    return "the shape asked for" if wanted is None else f"a shape of {plural(wanted, 'value')}"


def _needs(asked: Shape | None, wanted: int | None, multiple: Size) -> str:
    if asked is None and wanted is not None:
        return f"The shape that is asked for holds {wanted}."
    if asked is not None and wanted is not None:
        return f"{shaped(asked)} holds {wanted}."
    known = [size for size in asked or () if size is not None]
    if known:
        step = sizes.product(tuple(known)) or 0
        return f"{shaped(asked)} takes a multiple of {step}."
    return f"It takes a multiple of {multiple}." if multiple is not None else ""


def _of_reshape(
    pasted: Pasted, asked: Shape | None, given: Shape | None, count: Size, multiple: Size
) -> Iterator[Evidence]:
    requested = facts.size(pasted, "requested")
    if count and multiple and asked is None:
        yield from taken_apart.of_boxes(count, multiple)
    if count == 0:
        yield NOTHING_COLLECTED.since("there are 0 values", NUMBERS + 0.04)
        if requested or (asked is not None and len(asked) > 1 and asked[0] not in (None, 0)):
            yield EMPTY.since(f"0 values come for {requested or shaped(asked)}", NUMBERS)
    if count and requested and asked is None:
        yield from _of_two_counts(count, requested)
        return
    if multiple and multiple <= MOST_CLASSES and count and asked is None:
        records = f"{count} is no multiple of {multiple}, if so many classes are configured"
        yield OTHER_CLASSES.since(records, COMMON - 0.01, a=multiple, b="those in the data")
    if facts.size(pasted, "unknowns") or "only one dimension can be inferred" in pasted.reading.message:
        yield TWO_OPEN.since("two sizes are left open", FITS + 0.12)
    if count is None or (asked is None and multiple is None):
        common = "a common cause of this error"
        yield NOT_THE_SETTING.since(common, COMMON)
        yield causes.LAST_BATCH.since(common, COMMON)
        yield causes.OTHER_RELEASE.since(common, RARE)
        return
    if asked is not None:
        yield from taken_apart.of_blocks(asked, given, count)
    if facts.word(pasted, "target") == "target_shape" and asked is not None and given is not None:
        yield from _of_layer(asked, given, count)
    elif asked is not None and asked[:1] == (0,):
        yield from _of_no_group(asked, count)
    elif asked is not None and None not in asked and asked:
        yield from _of_whole_shape(asked, given, count)
        yield from taken_apart.of_heads(asked, count, pasted.raises("head"))
        yield from taken_apart.of_anchors(asked, count)
    else:
        yield from _of_open_shape(asked, count, multiple, pasted.raises("mask"))
    yield NOT_THE_SETTING.since("the shape is not filled by what came", COMMON + 0.02)
    yield VALUES_LOST.since("the shape is not filled by what came", COMMON - 0.05)
    yield causes.OTHER_RELEASE.since(INSIDE_A_LIBRARY, RARE)
    if pasted.runs("data_parallel", "parallel_apply"):
        yield causes.SPLIT_BATCH.since("it was raised in a replica of DataParallel", FITS)


def _of_no_group(asked: Shape, count: int) -> Iterator[Evidence]:
    """The first axis is a quotient that came out as 0: fewer rows came than one group has."""
    group, width = asked[1] if len(asked) > 2 else None, sizes.product(asked[2:])
    rows = count // width if width and count % width == 0 else None
    seen = "the first axis was computed, and came out as 0: too few rows for one group"
    if rows and group and rows < group:
        seen = f"{rows} rows come, and a group has {group}: the first axis was computed, and came out as 0"
    share = bool(rows and group and sizes.ratio(rows, group))
    yield causes.SPLIT_BATCH.since(f"{seen}; a device got a share of them", NUMBERS if share else FITS)
    yield causes.LAST_BATCH.since(seen, FITS + 0.1)
    yield NOT_THE_SETTING.since(seen, FITS)


def _of_two_counts(count: int, asked: int) -> Iterator[Evidence]:
    """How many values come and how many are asked for: no more is told of the shapes."""
    common = gcd(count, asked)
    came, wanted = count // common, asked // common
    seen = f"{count} come and {asked} are asked for, {came} to {wanted}"
    colours = {(3, 1): causes.COLOUR, (1, 3): causes.GREY, (4, 3): causes.ALPHA}.get((came, wanted))
    if colours is not None:
        yield colours.since(f"{seen}, as colours make it", NUMBERS)
    one, other = sizes.root(came), sizes.root(wanted)
    if one is not None and other is not None and common > 1:
        yield NOT_THE_SETTING.since(f"{seen}: squares of {one} and {other}, as maps of other sides", NUMBERS - 0.02)
    single = common == wanted == 1 or (count < asked <= 1024 and sizes.is_power_of_two(asked) and common < 8)
    fewer = came < wanted <= 1024 and common >= 8
    full = fewer and wanted >= 8 and sizes.is_power_of_two(wanted)
    likely = NUMBERS - 0.04 if full else FITS if fewer else COMMON + 0.04
    if single:
        labels = f"{seen}: {asked} is a usual batch, of which one value each is taken"
        yield causes.LAST_BATCH.since(labels, FITS + 0.04)
    yield causes.LAST_BATCH.since(f"{seen} rows, if these are samples" if fewer else seen, likely)
    if max(came, wanted) in (2, 4, 8) and min(came, wanted) == 1:
        yield OTHER_TYPE.since(f"{seen}: as bytes that are read as another type", FITS - 0.02)
        yield causes.SPLIT_BATCH.since(f"{seen}, as shares of devices", COMMON + 0.02)
    yield NOT_THE_SETTING.since(seen, FITS + 0.05)
    yield VALUES_LOST.since(seen, COMMON + 0.06 if common < 8 else COMMON - 0.05)
    yield OTHER_RECORD.since(seen, COMMON + 0.03)
    yield causes.OTHER_RELEASE.since(INSIDE_A_LIBRARY, RARE)


INSIDE_A_LIBRARY = "a reshape inside a library or model code may be refused so after an update"


def _of_layer(asked: Shape, given: Shape, count: int) -> Iterator[Evidence]:
    """A Reshape layer of Keras: both shapes are one sample's, and there is no batch in them."""
    wanted = sizes.count(asked)
    seen = f"one sample has {count} values, and {sized(wanted)} are asked for"
    yield NOT_THE_SETTING.since(seen, FITS + 0.1)
    filters = f"{seen}; the last axis of {shaped(given)} is the number of filters (or classes) of the layer before"
    yield OTHER_FILTERS.since(filters, FITS)
    if len(given) >= 3:
        layout = f"{seen}: in another layout the map before has other sides"
        yield causes.CHANNELS_LAST.since(layout, FITS - 0.02 if None not in given else COMMON)
    if given[-1:] in ((1,), (3,), (4,)):
        yield from _of_colours(asked, wanted, count)


OTHER_FILTERS = Cause(
    "the layer before gives another number of channels (filters, classes, units) than the target shape counts with, or "
    "a pooling or an upsampling before it was added or left out",
    "Make the product of the target shape that of the map before, from the same numbers.",
    "Print the shape before the Reshape, and multiply.",
    {"keras": "x = layers.Reshape((x.shape[1] * x.shape[2], x.shape[3]))(x)"},
)
OTHER_TYPE = Cause(
    "raw bytes are read as another type than they were written in: uint8 as float32 gives a fourth of the values, "
    "float64 read as float32 twice as many",
    "Decode with the type they were written in, and convert afterwards.",
    "Compare the number of bytes with height x width x channels.",
    {"tensorflow": "image = tf.cast(tf.io.decode_raw(data, tf.uint8), tf.float32)"},
)
OTHER_RECORD = Cause(
    "the records (files) hold images or rows of another size than the code reads them as: written with another "
    "setting, not resized, or not those that were meant",
    "Write height, width and channels into the record and read them back, or resize before writing.",
    "Decode one record, and count its values.",
)


def _is_kernel(asked: Shape) -> bool:
    """(outputs, inputs, side, side), as a convolution's weight has them; no batch of maps is as small."""
    if len(asked) != 4 or None in asked or asked[2] != asked[3]:
        return False
    return (asked[2] or 0) in (1, 3, 5, 7) and (asked[0] or 0) >= 8 and (asked[1] or 0) >= 3


WEIGHTS_END = Cause(
    "the values are read from a file of weights layer by layer, and the file ends here: it belongs to another network "
    "or number of classes than the configuration (another variant, filters that were changed), was not loaded whole, "
    "or has a header of another length",
    "Load the weights that belong to the configuration, or stop before the layers that were changed (a cutoff).",
    "Compare the size of the file with the number of values that the configuration counts, and the length of its "
    "header.",
)


def _of_whole_shape(asked: Shape, given: Shape | None, count: int) -> Iterator[Evidence]:
    wanted = sizes.count(asked)
    if _is_kernel(asked) and count < (wanted or 0):
        kernel = f"{shaped(asked)} is the weight of a convolution, and {count} values are left for its {wanted}"
        yield WEIGHTS_END.since(kernel, FITS + 0.14 if count % (asked[2] or 1) ** 2 else FITS + 0.06)
    if count <= 1 and (wanted or 0) >= 16:
        single = f"{count} values come for {wanted}: a file that was not read (None), or a list taken for one object"
        yield (OBJECTS if count else EMPTY).since(single, NUMBERS)
        yield NOT_THE_DATA.since(single, COMMON)
    first, rest = asked[0], sizes.product(asked[1:])
    for axis in range(len(asked) - 1 if len(asked) > 2 else 0):
        side = asked[axis]
        if side is None or side != asked[axis + 1] or side < 3:
            continue
        others = sizes.product((*asked[:axis], *asked[axis + 2 :]))
        places = count // others if others and sizes.divides(others, count) else 0
        came = sizes.root(places)
        if side >= 4 and places - side * side in (1, 2):
            token = (
                f"the values fill {places} = {side} x {side} + {places - side * side} places: a token beside the grid"
            )
            yield causes.CLASS_TOKEN.since(token, NUMBERS + 0.04)
        elif came is None and side >= 7 and places % side == 0 and _is_oblong(places // side, side):
            lying = f"the values fill {places // side} x {side}, and {side} x {side} is asked for: a square is assumed"
            yield NOT_THE_SETTING.since(lying, FITS + 0.12)
        if came is not None and came != side and came >= 3:
            grid = f"the values fill a grid of {came} x {came}, and {side} x {side} is asked for"
            # small squares divide many numbers
            if abs(came - side) <= 2:
                yield GRID_OFF.since(grid, SAID if min(came, side) >= 7 else NUMBERS, come=came, asked=side)
            if (stride := sizes.rounded(side, came)) is not None and abs(came - side) > 2:
                up = f"{grid}: {came} is {side} brought to a multiple of {stride}"
                yield causes.ODD_SIZE.since(up, NUMBERS + 0.02)
            if abs(came - side) <= 2:
                yield causes.ODD_SIZE.since(f"{came} and {side} differ by {abs(came - side)}", NUMBERS)
            else:
                fewer = sizes.divides(rest, count) and sizes.is_less(count // (rest or 1), first)
                yield NOT_THE_SETTING.since(grid, FITS + 0.1 if fewer else NUMBERS)
    if len(asked) > 1 and rest and first and sizes.divides(rest, count):
        rows = count // rest
        found = f"the values fill {rows} rows of {shaped(asked[1:])}, and {first} are asked for"
        times = sizes.ratio(first, rows)
        fuller = rows > first and not times  # no batch is fuller than full
        image = len(asked) == 3 and asked[2] in (1, 3, 4) and min(first, asked[1] or 0) >= 16
        picture = len(asked) == 2 and first == asked[1] and first >= 100 and sizes.root(count) is not None
        short = NUMBERS if rows and not image and not picture else COMMON
        yield causes.LAST_BATCH.since(found, short if rows < first else FITS - 0.02 if fuller else FITS)
        if times:
            yield causes.SPLIT_BATCH.since(f"{found}: {times} times as many", FITS if times in (2, 3, 4, 8) else RARE)
        if rows > first:
            yield NOT_THE_SETTING.since(found, FITS)
        if times and 77 in asked[1:]:
            yield causes.PROMPT_CHUNKS.since(f"{found}: 77 tokens are what CLIP takes at once", FITS + 0.1)
    elif first and sizes.divides(first, count):
        each = count // first
        if first == 1 and (not rest or each > rest):
            more = f"the first axis is written down as 1, and {each} values come for the {rest or 1} that it holds"
            yield OF_ONE.since(more, FITS + 0.04 if len(asked) <= 2 else COMMON)
            yield causes.LAST_BATCH.since(more, COMMON)
        found = f"the batch of {first} divides what came, {each} values for each; {rest} are asked for"
        yield NOT_THE_SETTING.since(found, FITS + 0.05)
        if first >= 32 and rest and each <= 32 and rest >= 100:
            yield NOT_THE_DATA.since(f"{found}: too few for what is asked of each", FITS)
    elif wanted is not None:
        yield NOT_THE_SETTING.since(f"{count} values come, {wanted} are asked for", FITS)
        if len(asked) == 2 and 1 < count <= MOST_ROWS and 2 * count > wanted:
            groups = f"{count} values for {shaped(asked)}: one for each row (a reward, a score, a label), in groups"
            yield taken_apart.NOT_IN_GROUPS.since(groups, FITS + 0.03)
            yield causes.LAST_BATCH.since(groups, FITS + 0.02)
    if len(asked) == 2 and asked[0] == asked[1] and (side := sizes.root(count)) and side != first and side > 1:
        square = f"{count} = {side} x {side} come where {first} x {first} are asked for: a map of another stage"
        yield causes.OTHER_VALUE.since(f"{square}, output or option", FITS - 0.02)
        yield NOT_THE_SETTING.since(square, FITS + 0.15 if min(side, first or 0) >= 16 else FITS - 0.04)
        yield causes.OTHER_SETTING.since(square, COMMON + 0.03, expected=first, got=side)
    yield from _of_one_axis(asked, count)
    yield from _of_widths(asked, count)
    yield from rounding.of_quotient(asked, count)
    yield from _of_colours(asked, wanted, count)
    if len(asked) == 2 and first == 1 and 1 < (rest or 0) <= 256 and 0 < abs(count - (rest or 0)) <= (rest or 0) // 4:
        columns = f"one row of {count} values, where {rest} are counted on"
        yield causes.OTHER_COLUMNS.since(columns, FITS + 0.03)
    if given is not None and len(given) == 2 and 1 in asked:
        yield causes.LAST_BATCH.since(f"{shaped(given)} comes, and {shaped(asked)} has an axis of 1", COMMON)
        yield causes.OTHER_RELEASE.since("a reshape inside a library is refused so after an update", COMMON - 0.02)


def _is_oblong(height: int, side: int) -> bool:
    """Whether a map of this height and the side's width is a likely one, and no several maps under each other."""
    return side // 4 < height < 4 * side and height % side != 0


def _of_widths(asked: Shape, count: int) -> Iterator[Evidence]:
    """The last axis has the width of one encoder, and what comes fills the shape with that of another."""
    others = sizes.product(asked[:-1])
    if len(asked) < 3 or not others or count % others or asked[-1] not in sizes.ENCODERS:
        return
    came = count // others
    if came != asked[-1] and came in sizes.ENCODERS:
        widths = f"the values fill the shape with {came} on its last axis, where {asked[-1]} are asked for"
        known = f"{widths}: {sizes.ENCODERS[came]}"
        yield causes.OTHER_ENCODER.since(known, FITS + 0.14, expected=asked[-1], got=came)


def _of_one_axis(asked: Shape, count: int) -> Iterator[Evidence]:
    """One axis, not the first, has another size than is asked for, and the values fill the shape with that one."""
    whole = sizes.count(asked) or 0
    if sizes.divides(sizes.product(asked[1:]), count) or (asked[-1] or 0) <= 4:
        return  # it is the first axis, or these are images
    last = asked[-1] or 0
    if len(asked) == 3 and not sizes.is_width(last) and sizes.divides(sizes.product(asked[:-1]), count):
        places = count // (sizes.product(asked[:-1]) or 1)
        row = gcd(places, last)
        if abs(places - last) == row >= LEAST_SIDE and min(places, last) // row >= LEAST_SIDE:
            one_more = f"{last} = {last // row} x {row} are asked for and {places} = {places // row} x {row} come"
            yield OTHER_MAP.since(f"{one_more}: two maps, of which one has a row (or column) more", FITS + 0.14)
    for axis in range(1, len(asked)):
        size = asked[axis] or 0
        others = whole // size if size else 0
        if size < 2 or not others or count % others or count // others in (0, 1):
            continue
        came = count // others
        seen = f"the values fill the shape with {came} on axis {axis}, where {size} are asked for"
        if len(asked) == 5 and size != came and (size - 5 in CLASS_COUNTS or came - 5 in CLASS_COUNTS):
            boxes = f"{seen}: 5 + {came - 5} against 5 + {size - 5}, a detector's box, score and classes"
            if min(came, size) > 5:
                yield OTHER_CLASSES.since(boxes, NUMBERS, a=came - 5, b=size - 5)
        elif len(asked) >= 3 and (token := _token_apart(size, came)) is not None:
            yield causes.CLASS_TOKEN.since(f"{seen}: {token} patches, with and without a token", NUMBERS + 0.04)
        elif len(asked) == 3 and axis == 2 and (pair := _sides_of(size, came)) is not None:
            maps = f"{seen}: places of a map of {pair[1]} x {pair[1]}, where {pair[0]} x {pair[0]} is asked for"
            yield NOT_THE_SETTING.since(maps, NUMBERS)
            yield causes.OTHER_RESOLUTION.since(maps, FITS)
        elif len(asked) == 3 and axis == 1 and sizes.root(asked[2]) and _of_a_detector(size):
            channels = f"{seen}: a detector's channels are anchors x (4 + 1 + classes)"
            yield OTHER_FILTERS_OF_HEAD.since(channels, NUMBERS - 0.02, expected=size, got=came)
        elif len(asked) == 3 and axis == 1:
            yield causes.OTHER_LENGTH.since(f"{seen}, if it counts tokens or steps", FITS - 0.06)


def _token_apart(a: int, b: int) -> str | None:
    """The grid of patches of which one count is, and the other has one or two tokens more."""
    one, other = sizes.grid(a), sizes.grid(b)
    return f"{one[0]} x {one[0]}" if one and other and one[0] == other[0] >= 7 else None


def _sides_of(a: int, b: int) -> tuple[int, int] | None:
    one, other = sizes.root(a), sizes.root(b)
    return (one, other) if one and other and min(one, other) >= 7 else None


def _of_a_detector(channels: int) -> bool:
    return channels % 3 == 0 and channels // 3 - 5 in taken_apart.DETECTED


OTHER_FILTERS_OF_HEAD = Cause(
    "the convolution before a detector's layer has not the filters for its anchors and classes: {expected} = anchors "
    "x (5 + classes) are counted on, and {got} come (the configuration was changed in one place only, or belongs to "
    "other weights)",
    "Set `filters` of the convolution before each detecting layer to anchors x (5 + classes), and `classes` alike.",
    "Multiply the number of masks (anchors) by 5 + classes, for each detecting layer.",
)
NO_ALPHA = Cause(
    "the image has three channels (RGB) and is read as one of four (RGBA, as screens and canvases give it)",
    "Reshape to three channels, or convert the image to RGBA first; best take the shape from the image itself.",
    "Print the image's mode and size.",
)
NOT_THE_DATA = Cause(
    "another array than the one that is meant is reshaped: labels, ids or features in place of images",
    "Pass the array that holds the images; see which of the files or names was taken.",
    "Print its shape before the reshape.",
)


def _of_colours(asked: Shape, wanted: int | None, count: int) -> Iterator[Evidence]:
    """As many values as an image of another number of channels has."""
    if wanted is None or (len(asked) == 3 and asked[1] != asked[2] and list(_of_widths(asked, count))):
        return
    seen = f"{count} values come, {wanted} are asked for"
    sides = [axis for axis, size in enumerate(asked) if (size or 0) >= 16 and (axis or len(asked) < 4)]
    # an axis of 1 in front is a batch, unless a picture's two sides follow
    picture = len(asked) == 3 and (asked[1] == asked[2] or sizes.are_sides(*asked[1:]))
    channels = any(size in (1, 3, 4) for size in (asked if asked[0] != 1 or picture else asked[1:]))
    sure = FITS
    flat = any((sizes.root(size) or 0) in (28, 32, 64, 224, 256) for size in asked[1:] or asked)
    if len(sides) == 2 and len(asked) <= 4 and (channels or asked[sides[0]] == asked[sides[1]]):
        sure = (NUMBERS + 0.02 if channels else FITS + 0.1) if sides[1] == sides[0] + 1 else RARE
    elif flat and len(asked) <= 2:
        sure = NUMBERS + 0.02
    if count == 3 * wanted:
        yield causes.COLOUR.since(f"{seen}: three times as many, as colours make it", sure)
    elif 3 * count == wanted:
        yield causes.GREY.since(f"{seen}: a third, as without colours", sure)
    elif 3 * count == 4 * wanted or (count == 4 * wanted and (1 in asked[1:] or (flat and len(asked) == 1))):
        yield causes.ALPHA.since(f"{seen}: four channels for {3 if 3 * count == 4 * wanted else 1}", sure)
    elif 4 * count == 3 * wanted and asked[-1] == 4 and len(sides) == 2:
        yield NO_ALPHA.since(f"{seen}: three channels for 4", sure)
    elif asked[-1] == 3 and len(sides) == 2 and 3 * count in (2 * wanted, 4 * wanted):
        yield NOT_THE_SETTING.since(f"{seen}, for {'2' if count < wanted else '4'} channels in place of 3", FITS)


MANY_WORDS = 20000


def _words_more(count: int, step: int) -> int | None:
    """How many entries more each row has: added tokens, or a vocabulary that was rounded up."""
    return next((more for more in range(1, 257) if count % (step + more) == 0), None)


def _of_open_shape(asked: Shape | None, count: int, multiple: Size, masked: bool) -> Iterator[Evidence]:
    known = [size for size in asked or () if size is not None]
    step = multiple if multiple is not None else sizes.product(tuple(known)) or 1
    rest = count % step if step else 0
    found = f"{count} = {count // step if step else 0} x {step} + {rest}" if rest else f"{count} against {step}"
    for near, word in ((step - 1, "less"), (step + 1, "more")):
        if rest and step >= 8 and sizes.divides(near, count):
            each = f"{count} = {count // near} x {near}: each row has one value {word}"
            yield VALUES_LOST.since(each, FITS + 0.07)
    head = multiple is not None and rest and _of_a_detector(step)
    if head and (side := sizes.root(count // (step + 1))) and count == (step + 1) * side * side:
        channels = f"{count} = {side} x {side} x {step + 1}: a map of {step + 1} channels"
        yield OTHER_FILTERS_OF_HEAD.since(channels, NUMBERS - 0.02, expected=step, got=step + 1)
    if asked is not None and len(asked) == 2 and asked[0] is None and 2 <= step <= 4 and rest:
        wider = next((each for each in (step + 1, step + 2) if count % each == 0), None)
        if wider:
            columns = f"{count} = {count // wider} x {wider}: rows with more columns than {step}"
            yield causes.OTHER_COLUMNS.since(columns, COMMON + 0.03)
    if step >= MANY_WORDS and rest and (more := _words_more(count, step)):
        words = f"{count} = {count // (step + more)} x {step + more}: rows with {more} values more than {step}"
        yield OTHER_VOCABULARY.since(f"{words}, as of tokens that were added", NUMBERS, expected=step, got=step + more)
    if step == 3 and rest:
        grey = f"{found}: pixels of three values are counted on"
        yield causes.GREY.since(grey, COMMON + 0.06)
        if count % 4 == 0:
            yield causes.ALPHA.since(f"{grey}, and 4 divides them", COMMON + 0.04)
    maps = sizes.same_maps(step, count)
    sides = maps is not None and max(maps[1:]) > 1
    yield NOT_THE_SETTING.since(found, FITS + (0.05 if multiple is not None or len(known) == 1 else 0))
    if maps and sides:
        yield NOT_THE_SETTING.since(f"{step} and {count} are {maps[0]} maps of other sides", FITS + 0.1)
    yield from rounding.of_rows(count, step)
    classes = asked[-1] if asked and len(asked) > 1 else None
    if rest and not sides and classes in CLASS_COUNTS and classes is not None:
        named = f"{found}: {classes} is the number of classes of {CLASS_COUNTS[classes]}, and rows of others come"
        yield OTHER_CLASSES.since(named, FITS - 0.02, a=classes, b="another number")
    group = known[0] if len(known) > 1 else None
    width = sizes.product(tuple(known[1:])) if len(known) > 1 else None
    if group and width and sizes.divides(width, count):
        rows = count // width
        grouped = f"{rows} rows of {width} come, and {rows} is no multiple of {group}"
        yield causes.LAST_BATCH.since(grouped, NUMBERS)
        if 0 < rows < group and group % rows == 0:
            share = f"{rows} rows come for groups of {group}, which is {group // rows} times as many: a device's share"
            yield causes.SPLIT_BATCH.since(share, NUMBERS - 0.02)
        yield VALUES_LOST.since(grouped, FITS)
    else:
        if multiple is not None and rest:
            yield from taken_apart.of_rows(count, step)
        yield causes.LAST_BATCH.since("samples of other lengths or a smaller batch change the count", COMMON)
        if asked is not None and len(asked) == 2 and asked[0] is not None and rest:
            side = sizes.root(count)
            yield UNEVEN_ROWS.since(f"{found}: {asked[0]} rows of one length cannot hold them", FITS - 0.02)
            if side is not None and side > 8 and masked:
                square = f"{count} = {side} x {side}: a mask of tokens by tokens, made already"
                yield causes.OTHER_LENGTH.since(square, FITS + 0.06)


# Views of tensors whose values lie in another order

NOT_CONTIGUOUS = Cause(
    "the tensor is not contiguous, because it was permuted, transposed, expanded or sliced before",
    "Use `reshape`, which copies where it must, or make it contiguous first.",
    "Look for `permute`, `transpose`, `.T` or `expand` before this line, and whether the new order is meant.",
    {"torch": "x = x.reshape(x.size(0), -1)    # or x.contiguous().view(...)"},
)
MEMORY_FORMAT = Cause(
    "the tensor is in channels-last memory format (set by hand, or chosen by cuDNN or another device), so that a "
    "view that works on one device fails on another",
    "Use `reshape` in place of `view`.",
    "Print `x.stride()` and `x.is_contiguous()`.",
    {"torch": "x = x.reshape(x.size(0), -1)"},
)
VIEW_FOR_TRANSPOSE = Cause(
    "a view across axes that were just swapped would mix values of different samples or positions",
    "Check the order of the axes first: a reshape silences the error and keeps a wrong order.",
)


def view_stride(pasted: Pasted) -> Told:
    swapped = pasted.runs("permute", "transpose", ".t()", "einsum", "rearrange")
    evidence = [
        NOT_CONTIGUOUS.since(
            "the message names the strides: axes that are merged do not lie one behind the other", SAID
        ),
        MEMORY_FORMAT.since("convolutions may give channels-last memory", FITS if not swapped else COMMON),
        VIEW_FOR_TRANSPOSE.since("after a permute the order of the values is another", COMMON if swapped else RARE),
    ]
    headline = "a view is impossible: the values do not lie in memory in the order that it needs"
    meaning = (
        "`view` makes no copy, so axes can be merged only where they lie one behind the other in memory. The number "
        "of values is right; the tensor's strides are not, and it is not contiguous."
    )
    return told(pasted, "SW302", headline, meaning, evidence)
