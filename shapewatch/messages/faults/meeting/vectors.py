"""Two vectors that meet: values of samples, or maps that were flattened whole."""

from __future__ import annotations

from collections.abc import Iterator

from shapewatch.messages.faults import causes, sizes
from shapewatch.messages.faults.evidence import COMMON, FITS, Cause, Evidence
from shapewatch.messages.faults.targets import WRONG_FLATTEN

OTHER_ENTRIES = Cause(
    "the two were computed from other data (another file, another filter or another run), so their entries do not "
    "belong together",
    "Compute both from the same (filtered) data.",
    "Print both lengths, and where each comes from.",
)
FLATTENED_APART = Cause(
    "labels and output were flattened for a loss or metric, and one of them has more channels (a mask of one channel, "
    "or of colours, against one for each class) or other sides than the other",
    "Give the masks one channel for each class (one-hot), or the output one channel, and both the same sides.",
    "Print the shapes of labels and output before they are flattened.",
)


def of_vectors(a: int, b: int) -> Iterator[Evidence]:
    seen = f"{a} against {b}, in vectors: nothing tells what they count"
    yield causes.OTHER_SETTING.since(seen, COMMON + 0.02, expected=b, got=a)
    if 128 <= min(a, b) <= 1000 and not (sizes.is_power_of_two(a) or sizes.is_power_of_two(b)):
        whole = f"{seen}; more than a batch holds, as two parts of a data set (training and validation) have them"
        yield OTHER_ENTRIES.since(whole, COMMON + 0.03)
    if min(a, b) > 1000:
        yield OTHER_ENTRIES.since(f"{seen}; both are long", COMMON + 0.08)
    if abs(a - b) <= 2 and min(a, b) > 2:
        near = f"{seen}; {abs(a - b)} more or less, as of a difference, edges of bins, a shift, a beginning or an end"
        yield causes.OTHER_LENGTH.since(near, COMMON + 0.09)
        if max(a, b) <= 200:
            columns = f"{seen}; {abs(a - b)} more or less, as of columns"
            yield causes.OTHER_COLUMNS.since(columns, COMMON + 0.04)
    batch = max(a, b) <= 1024 and min(a, b) > 0
    yield causes.LAST_BATCH.since(f"{seen}; one value for each sample, mostly" if batch else seen, COMMON + 0.1 * batch)
    if (times := sizes.ratio(a, b)) and times >= 5 and min(a, b) > 1:
        each = f"{seen}; {times} for each of {min(a, b)}, as where one of them has an axis more folded in"
        yield WRONG_FLATTEN.since(each, COMMON + 0.03)
    elif times and batch:
        yield causes.SPLIT_BATCH.since(f"{seen}; {max(a, b)} is {times} times {min(a, b)}", COMMON + 0.01)
    yield causes.OTHER_LENGTH.since(seen, COMMON - 0.02)


def of_flattened(a: int, b: int) -> Iterator[Evidence]:
    """Losses on overlaps, as Keras programs write them, flatten both whole batches."""
    times = sizes.ratio(a, b)
    if min(a, b) >= 256 and times and times <= 256:
        flat = f"{max(a, b)} is {times} times {min(a, b)}: as many channels, or a larger map, in long vectors"
        yield FLATTENED_APART.since(flat, FITS)
