"""Sizes that are known for what they count: tokens of vocabularies, values of boxes, key points, series, heads, sound.

A pair of them speaks louder than a single one, which chance makes as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, counts, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, NUMBERS, Cause, Evidence
from shapewatch.messages.faults.meeting.classes import OTHER_CLASSES
from shapewatch.messages.faults.meeting.nouns import Meeting
from shapewatch.messages.faults.meeting.vectors import FLATTENED_APART, OTHER_ENTRIES
from shapewatch.messages.faults.products import PACKED
from shapewatch.messages.faults.vocabularies import OTHER_VOCABULARY

OTHER_RATE = Cause(
    "the sound has another sampling rate (or another length in seconds) than is counted on, so that it has more or "
    "fewer samples",
    "Resample each recording to the model's rate when loading, and cut or pad to one length.",
    "Print the sampling rate that each file is loaded with.",
    {"torch": "wave = torchaudio.functional.resample(wave, rate, 16_000)"},
)
SHARDS = Cause(
    "flat parameters, or the optimiser's state, of a run that shared them out among another number of processes (FSDP, "
    "ZeRO), or a share of them meets the whole",
    "Go on with as many processes as at saving, or save and load the whole state (`full_state_dict`, the converter of "
    "the library), or start the optimiser anew.",
    "Compare the number of processes with that of the run that was saved.",
)
ROTARY = Cause(
    "the table of rotary positions (sines and cosines) has another width than the heads: one value for each pair where "
    "one for each entry is needed, a part of the head that is rotated alone, or the heads of another variant",
    "Make the table for the width that is rotated (`head_dim`, or its `partial_rotary_factor`), and repeat it as the "
    "model's own code does; rotate that part alone.",
    "Print the last axes of queries and table, and `hidden_size // num_heads`.",
    {"torch": "q = torch.cat([rotate(q[..., :width]), q[..., width:]], dim=-1)    # width = cos.size(-1)"},
)
OF_GRAPH = Cause(
    "of graphs, one of the two has an entry for each node and the other for each edge (with the loops that a layer "
    "adds, or without), for each graph of the batch (nothing pools the nodes), or for another graph's nodes",
    "Bring both to nodes or both to edges (`x[edge_index[0]]`), give weights of edges to what adds the loops, and pool "
    "the nodes before the last layer where a graph has one label.",
    "Compare both sizes with the numbers of nodes, edges and graphs.",
    {
        "torch": "x = global_mean_pool(x, data.batch)\n"
        "edge_index, edge_attr = add_self_loops(edge_index, edge_attr, num_nodes=num_nodes)"
    },
)

ALSO_FILTERS = frozenset({12, 24, 48, 72, 96, 192, 288, 384})
MOST_ROWS = 1024
"""More than this are seldom samples of one batch."""
GRIDS = frozenset({14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128})
"""Sides of the grids that attention with relative positions is made for."""
NODES = frozenset({2708, 3327, 19717, 89250, 169343, 232965})
EDGES = frozenset({4552, 4732, 5278, 5429, 9104, 9228, 10556, 44324, 44338, 88648, 88651, 1166243})
"""Of the graphs that examples use (Cora, CiteSeer, PubMed, Flickr, arXiv, Reddit)."""


def of_counted(met: Meeting, axis: int | None, a: int, b: int, seen: str) -> Iterator[Evidence]:
    """What two sizes of one axis count, where the shapes are not told."""
    if met.rank is not None or axis is None or 0 in (a, b):
        return
    yield from _of_tokens(axis, a, b, seen)
    yield from _of_boxes(axis, a, b, seen)
    yield from _of_graph(axis, a, b, seen)
    yield from _of_packed(axis, a, b, seen)
    yield from _of_rates(a, b, seen)
    if axis == 0 and min(a, b) >= 320 and {a, b} <= sizes.ENCODERS.keys() | counts.UNET_WIDTHS:
        widths = f"{seen}: widths of models, if these are weights or adapters that are merged"
        batches = sizes.is_power_of_two(a) and sizes.is_power_of_two(b)
        yield causes.OTHER_ENCODER.since(widths, COMMON + 0.015 if batches else FITS + 0.01, expected=b, got=a)
    if axis == 0:
        yield from _of_long(a, b, seen)
        yield from _of_offsets(a, b, seen)
    if axis == 2 and abs(a - b) > 4 and min(a, b) >= 16 and max(a, b) <= 1024 and (a % 2 or b % 2):
        features = f"{seen}: odd, as sides of maps seldom are, if axis 2 holds features"
        yield causes.OTHER_SETTING.since(features, COMMON + 0.012, expected=b, got=a)
    if axis in (1, 2) and sizes.ratio(a, b) == 2 and max(a, b) >= 200:
        twice = f"{seen}: one is twice the other, if these are features"
        yield causes.BOTH_DIRECTIONS.since(twice, COMMON + 0.005 if axis == 2 else COMMON - 0.005)
    if axis == 3 and (min(a, b), max(a, b)) in ((1, 3), (3, 4)):
        colours = f"{seen}, if colours stand on the last axis"
        yield (causes.ALPHA if 4 in (a, b) else causes.GREY).since(colours, COMMON - 0.005)
    if axis == 0 and min(a, b) <= MOST_ROWS < max(a, b) and min(a, b) > 128 and not sizes.ratio(a, b):
        yield OTHER_ENTRIES.since(f"{seen}: more than a batch holds, and no multiple", FITS - 0.04)
    if axis == 2 and min(a, b) == 1 and max(a, b) <= 1000:
        column = f"{seen}: one column against several, if axis 2 holds features"
        yield causes.OTHER_SETTING.since(column, COMMON + 0.005, expected=b, got=a)
    if axis in (1, 2) and met.framework == "torch":
        yield from _of_series(a, b, seen)
        yield from _of_few(axis, a, b, seen)
    if axis == 1:
        yield from _of_points(a, b, seen)
        yield from _of_horizons(a, b, seen)
    if axis == 3 and min(a, b) >= 32 and max(a, b) in counts.HEAD_SIZES and sizes.ratio(a, b) == 2:
        half = f"{seen}: the width of a head and half of it, if these are queries and a table of positions"
        yield ROTARY.since(half, FITS + 0.07)


def _of_tokens(axis: int, a: int, b: int, seen: str) -> Iterator[Evidence]:
    known = {a, b} & counts.VOCABULARIES
    if not known or min(a, b) < 10_000 or a % 1000 == b % 1000 == 0:
        return
    tokens = f"{seen}: {min(known)} are the tokens of a well-known vocabulary"
    sure = NUMBERS + 0.03 if len(known) == 2 else FITS + 0.12
    yield OTHER_VOCABULARY.since(tokens, FITS + 0.06 if axis == 0 else sure)


def _of_boxes(axis: int, a: int, b: int, seen: str) -> Iterator[Evidence]:
    """A detector's values for each box: four, a score and the classes; three anchors, one above the other."""
    if axis < 2 and 255 in (a, b) and a % 3 == b % 3 == 0 and min(a, b) >= 18:
        anchors = f"{seen}: 3 x (5 + {a // 3 - 5}) and 3 x (5 + {b // 3 - 5}), boxes of three anchors and their classes"
        yield OTHER_CLASSES.since(anchors, FITS + 0.06, a=a, b=b)
    elif 85 in (a, b) and min(a, b) >= 6:
        values = f"{seen}: 85 = 5 + 80, a detector's box, score and the classes of COCO"
        yield OTHER_CLASSES.since(values, FITS + 0.08, a=a, b=b)
    elif 84 in (a, b) and 5 <= min(a, b) < 84 and min(a, b) % 4 != 2 * (axis == 0):
        values = f"{seen}: 84 = 4 + 80, a detector's box and the classes of COCO"
        yield OTHER_CLASSES.since(values, FITS - 0.06, a=a, b=b)


def _of_graph(axis: int, a: int, b: int, seen: str) -> Iterator[Evidence]:
    of_examples = NODES | EDGES
    loops = [edges for edges in EDGES for nodes in NODES if edges + nodes in (a, b)]
    if {a, b} & of_examples or loops:
        yield OF_GRAPH.since(f"{seen}: nodes or edges of a graph that examples use", FITS + 0.08)
    low, high = sorted((a, b))
    if axis == 0 and sizes.is_power_of_two(low) and low >= 8 and high > max(128, 4 * low) and high % 8 and high % 10:
        yield OF_GRAPH.since(
            f"{seen}: {low} are a usual batch, and {high} may be the nodes of its graphs", COMMON + 0.01
        )


def _of_packed(axis: int, a: int, b: int, seen: str) -> Iterator[Evidence]:
    low, high = sorted((a, b))
    if axis > 1 or low % 64 or not 128 <= low <= 32_768 or high < 100_000 or 2 * high % low:
        return
    if sizes.is_width(2 * high // low) or 2 * high // low % 256 == 0:
        packed = f"{seen}: {high} = {low} x {2 * high // low} / 2, as many bytes as a weight of 4 bits fills"
        yield PACKED.since(packed, NUMBERS + 0.04)


def _of_long(a: int, b: int, seen: str) -> Iterator[Evidence]:
    low, high = sorted((a, b))
    times = sizes.ratio(a, b)
    if low >= 4096 and low % 256 == 0 and times and times <= 256:
        flat = f"{seen}: {times} times as many, as maps of more channels or of larger sides, flattened"
        yield FLATTENED_APART.since(flat, FITS + 0.02)
    if low > 1_000_000 and times and times <= 64:
        shares = f"{seen}: {times} times as many, and more than samples and labels mostly are"
        yield SHARDS.since(shares, FITS + 0.04)
    if abs(a - b) <= 2 and low > MOST_ROWS and not {a, b} & counts.VOCABULARIES:
        tokens = f"{seen}: {abs(a - b)} more or less, if all tokens of the batch stand in one row"
        yield causes.OTHER_LENGTH.since(tokens, FITS - 0.01)
    whole = [size for size in (a, b) if size % 8000 == 0 or size % 11025 == 0]
    if low > 4000 and whole and high - low <= low // 4 and not {a, b} & counts.VOCABULARIES:
        sound = f"{seen}: {whole[0]} are whole seconds of sound, or halves of them, at a usual rate"
        yield causes.OTHER_LENGTH.since(sound, FITS + 0.03)


RATES = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000)


def _of_rates(a: int, b: int, seen: str) -> Iterator[Evidence]:
    """As many seconds at two usual rates, to the sample."""
    if min(a, b) < 4000 or (a % 8000 and a % 11025) or (b % 8000 and b % 11025):
        return
    low, high = sorted((a, b))
    for at, one in enumerate(RATES):
        for other in RATES[at + 1 :]:
            if low * other == high * one and low % one == 0 and low <= 60 * one:
                seconds = f"{seen}: {low / one:g} seconds at {one} and at {other} samples a second, if this is sound"
                yield OTHER_RATE.since(seconds, FITS + 0.04)


def _of_offsets(a: int, b: int, seen: str) -> Iterator[Evidence]:
    """A bias for each offset in a window: 2 s - 1 of them along a side of s, or the square of that."""
    one, other = sizes.root(a) or 0, sizes.root(b) or 0
    if one % 2 and other % 2 and min(one, other) >= 13:
        windows = (
            f"{seen}: {one} x {one} and {other} x {other} offsets of windows of {one // 2 + 1} and {other // 2 + 1}"
        )
        yield causes.OTHER_RESOLUTION.since(windows, FITS + 0.08)
    elif {(a + 1) / 2, (b + 1) / 2} <= GRIDS:
        sides = f"{seen}: offsets of grids of side {(a + 1) // 2} and {(b + 1) // 2}"
        yield causes.OTHER_RESOLUTION.since(sides, FITS - 0.04)


LEAST_CLOUD = 512
"""Fewer points are seldom a cloud."""
BATCHED_POINTS = Cause(
    "points and their coordinates stand in another layout than is taken: a padded batch, (batch, points, coordinates), "
    "where the points of all clouds come one after another, (points, coordinates), with their offsets; or coordinates "
    "and points in each other's place",
    "Lay the points out as the model's own data preparation does, with the offsets or the batch's numbers it takes.",
    "Print both shapes, and say on which axis the points are.",
    {"torch": "points = points.reshape(-1, points.shape[-1])    # (batch, points, 3) to (batch * points, 3)"},
)


def _of_points(a: int, b: int, seen: str) -> Iterator[Evidence]:
    if min(a, b) == 3 and max(a, b) >= LEAST_CLOUD and max(a, b) % 3:
        cloud = f"{seen}: the coordinates of points, and {max(a, b)} points"
        yield BATCHED_POINTS.since(cloud, COMMON + 0.035)
    if {a, b} <= counts.KEY_POINTS and (a % 8 or b % 8):
        points = f"{seen}: both are usual numbers of key points or joints"
        yield OTHER_CLASSES.since(points, COMMON + 0.06, a=a, b=b)


def _of_series(a: int, b: int, seen: str) -> Iterator[Evidence]:
    known = {a, b} & counts.SERIES
    if len(known) == 2 or (known and max(known) > 100 and max(a, b) <= 1000 and abs(a - b) > 4):
        series = f"{seen}: {max(known)} is the number of series of a usual set of forecasting"
        yield causes.OTHER_SETTING.since(series, FITS + 0.06 if len(known) == 2 else FITS - 0.06, expected=b, got=a)


def _of_few(axis: int, a: int, b: int, seen: str) -> Iterator[Evidence]:
    """Powers of two are batches, heads and filters as often."""
    low, high = sorted((a, b))
    if axis == 2 and a % 2 == b % 2 == 0:
        return  # sides of small maps, as often
    if low >= 2 and high <= 16 and not (sizes.is_power_of_two(a) and sizes.is_power_of_two(b)) and {a, b} != {3, 4}:
        few = f"{seen}: as few as coordinates, values of boxes, joints, actions and features of time are"
        yield causes.OTHER_SETTING.since(few, COMMON + 0.05, expected=b, got=a)


def _of_horizons(a: int, b: int, seen: str) -> Iterator[Evidence]:
    if {a, b} <= counts.HORIZONS:
        steps = f"{seen}: steps as forecasters look back on and forecast"
        yield causes.OTHER_LENGTH.since(steps, COMMON + 0.04 if {a, b} <= ALSO_FILTERS else FITS + 0.04)
